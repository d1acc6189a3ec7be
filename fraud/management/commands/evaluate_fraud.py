"""Replay an outside dataset through our features, training and scoring, with the protocol of the Handbook."""

from __future__ import annotations

import json
import os
import resource
import time
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from fraud.models import RuleAction, RuleState
from fraud.reference import SHIPPED
from fraud.rules import conditions, wording
from fraud.rules.judging import LiveRule
from fraud.rules.learning.dataset import BadDataset, read
from fraud.rules.learning.evaluation import Protocol, evaluate


class Command(BaseCommand):
    help = "Measure the fraud engine on a dataset in the Handbook's columns (Parquet)."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dataset", required=True, metavar="FILE.parquet")
        parser.add_argument("--train-start", required=True, metavar="YYYY-MM-DD")
        parser.add_argument("--train-days", type=int, default=7)
        parser.add_argument("--delay-days", type=int, default=7, help="between the training days and the test days")
        parser.add_argument("--test-days", type=int, default=7)
        parser.add_argument("--folds", type=int, default=4, help="each begins as many days later as a test lasts")
        parser.add_argument(
            "--label-delay-days", type=int, help="how long after a fraud its label is known (default: the delay)"
        )
        parser.add_argument("--json", metavar="OUT", help="also write the report here")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        out = Path(options["json"]) if options["json"] else None
        if out is not None and not out.parent.is_dir():
            raise CommandError(f"There is no folder {out.parent} for --json.")
        try:
            protocol = _protocol(options)
            report = evaluate(
                read(options["dataset"]),
                protocol,
                rules=shipped_rules(),
                say=self.stdout.write,
                jobs=os.cpu_count() or 1,
            )
        except BadDataset as error:
            raise CommandError(str(error)) from error
        report["seconds"] = round(time.monotonic() - began, 1)
        report["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        self._print(report)
        if out is not None:
            out.write_text(json.dumps(report, indent=1) + "\n")

    def _print(self, report: dict[str, Any]) -> None:
        self.stdout.write(f"{'':18}{'AUC ROC':>9}{'AP':>8}{'CP@100':>8}   recall at 5 %, 1 %, 0.5 % false positives")
        for name, quality in report["layers"].items():
            recalls = "".join(f"{recall:>8.1%}" for recall in quality["recalls"])
            self.stdout.write(
                f"{name:18}{quality['auc_roc']:>9.3f}{quality['average_precision']:>8.3f}"
                f"{quality['card_precision_100']:>8.3f}   {recalls}"
            )
        for scenario, layers in report["scenarios"].items():
            self.stdout.write(f"scenario {scenario}")
            for name, found in layers.items():
                self.stdout.write(f"  {name:41}{''.join(f'{recall:>8.1%}' for recall in found)}")
        self.stdout.write(f"It took {report['seconds']:.0f} s and at most {report['peak_memory_mb']:,} MB of memory.")


def _protocol(options: dict[str, Any]) -> Protocol:
    try:
        start = date.fromisoformat(options["train_start"])
    except ValueError as error:
        raise BadDataset(f"--train-start {options['train_start']} is no date; write it as 2018-04-08.") from error
    delay = options["label_delay_days"]
    return Protocol(
        train_start=start,
        train_days=options["train_days"],
        delay_days=options["delay_days"],
        test_days=options["test_days"],
        folds=options["folds"],
        label_delay_days=options["delay_days"] if delay is None else delay,
    )


def shipped_rules() -> list[LiveRule]:
    """The rules a new bank starts with; an outside dataset knows nothing of this one's."""
    currency = settings.BASE_CURRENCY
    found = []
    for shipped in SHIPPED:
        if shipped.state == RuleState.LIVE:
            node = conditions.parse(shipped.condition, currency=currency)
            found.append(
                LiveRule(
                    code=shipped.code,
                    version=1,
                    blocks=shipped.action == RuleAction.BLOCK,
                    customer_text=shipped.customer_text,
                    sentence=wording.sentence(node, currency=currency),
                    node=node,
                )
            )
    return found
