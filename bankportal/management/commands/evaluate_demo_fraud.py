"""Measure the fraud engine on invented banks with invented frauds: learnt from some seeds, measured on others."""

from __future__ import annotations

import json
import os
import resource
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bankportal.demo import trial
from fraud.management.commands.evaluate_fraud import shipped_rules
from fraud.rules.learning.boosting import TooFewLabels


class Command(BaseCommand):
    help = "Learn from invented banks with takeovers, mules, card testing, smurfing and payee scams; measure on others."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--train-seeds", type=int, nargs="+", default=[1, 2, 3], help="default 1 2 3")
        parser.add_argument("--test-seeds", type=int, nargs="+", default=[101, 102, 103], help="default 101 102 103")
        parser.add_argument("--customers", type=int, default=600, help="of each bank (default 600)")
        parser.add_argument("--frauds", type=int, default=25, help="of each pattern in each bank (default 25)")
        parser.add_argument("--json", metavar="OUT", help="also write the report here")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        out = Path(options["json"]) if options["json"] else None
        if out is not None and not out.parent.is_dir():
            raise CommandError(f"There is no folder {out.parent} for --json.")
        if options["customers"] < 50 or options["frauds"] < 1:
            raise CommandError("A bank needs 50 customers and one fraud of each pattern at least.")
        try:
            report = trial.measure(
                train_seeds=options["train_seeds"],
                test_seeds=options["test_seeds"],
                customers=options["customers"],
                frauds_each=options["frauds"],
                rules=shipped_rules(),
                say=self.stdout.write,
                jobs=os.cpu_count() or 1,
            )
        except TooFewLabels as error:
            raise CommandError(f"These banks cannot be learnt from: {error}.") from error
        except ValueError as error:
            raise CommandError(str(error)) from error
        report["seconds"] = round(time.monotonic() - began, 1)
        report["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        self._print(report)
        if out is not None:
            out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        if report["missed"]:
            raise CommandError("missed: " + "; ".join(report["missed"]))

    def _print(self, report: dict[str, Any]) -> None:
        seeds = ", ".join(map(str, report["test_seeds"]))
        self.stdout.write(
            f"{report['payments']:,} payments with {report['frauds']:,} frauds, seeds {seeds}, never learnt from:"
        )
        self.stdout.write(
            f"  found {report['recall']:.1%}, false alarms {report['false_positives']:.1%} of ordinary payments"
        )
        for seed, found in report["seeds"].items():
            self.stdout.write(
                f"  seed {seed:11}{found['recall']:>8.1%}, false alarms {found['false_positives']:.1%} of ordinary payments"
            )
        for pattern, recall in report["patterns"].items():
            low, high = report["intervals"][pattern]
            self.stdout.write(f"  {pattern:16}{recall:>8.1%}  (95 of 100: {low:.1%} to {high:.1%})")
        self.stdout.write("each layer alone, at 5 % false alarms:")
        for layer, found in report["layers"].items():
            self.stdout.write(
                f"  {layer:18}" + "  ".join(f"{pattern} {recall:.0%}" for pattern, recall in found.items())
            )
        self.stdout.write(f"It took {report['seconds']:.0f} s and at most {report['peak_memory_mb']:,} MB of memory.")
