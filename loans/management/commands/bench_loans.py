"""`manage.py bench_loans`: how fast schedules are made, beside numpy-financial computing the same table in floats."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from loans.management import bench

LABELS = {"schedules": f"schedules of {bench.INSTALMENTS} instalments", "numpy_financial": "numpy-financial, floats"}
WANTED = 0.5


class Command(BaseCommand):
    help = "Measure schedules per second beside numpy-financial (per second of processor time, rounds interleaved)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", metavar="FILE", help="write the figures to this file")
        parser.add_argument("--schedules", type=int, default=1000, help="schedules a round (default 1000)")
        parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
        parser.add_argument(
            "--rivals",
            metavar="PYTHON",
            default=os.environ.get("BENCH_RIVALS", ""),
            help="interpreter of an environment with requirements-bench.txt, to measure numpy-financial too",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if min(options["schedules"], options["rounds"]) < 1:
            raise CommandError("Measure one schedule and one round at least.")
        report = self._report(_measure(options), options)
        if options["json"]:
            Path(options["json"]).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        self._print(report)
        if report["missed"]:
            raise CommandError("missed: " + "; ".join(report["missed"]))

    def _report(self, figures: dict[str, list[float]], options: dict[str, Any]) -> dict[str, Any]:
        results = {
            name: {
                "label": LABELS[name],
                "per_second": round(statistics.median(values)),
                "lowest": round(min(values)),
                "highest": round(max(values)),
            }
            for name, values in figures.items()
        }
        ratios: dict[str, float] = {}
        if "numpy_financial" in figures:
            pairs = zip(figures["schedules"], figures["numpy_financial"], strict=True)
            # Round by round: both halves of a ratio met the same machine.
            ratios["schedules/numpy_financial"] = round(statistics.median(ours / theirs for ours, theirs in pairs), 2)
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
            "options": {key: options[key] for key in ("schedules", "rounds")},
            "results": results,
            "ratios": ratios,
            "missed": [
                f"schedules are {ratio} x numpy-financial, wanted {WANTED}"
                for ratio in ratios.values()
                if ratio < WANTED
            ],
        }

    def _print(self, report: dict[str, Any]) -> None:
        machine = report["machine"]
        self.stdout.write(f"{machine['system']}, {machine['cpus']} cores, Python {machine['python']}")
        self.stdout.write("Per second of processor time: median (lowest to highest)")
        for found in report["results"].values():
            self.stdout.write(
                f"  {found['label']:<34}{found['per_second']:>8,}   ({found['lowest']:,} to {found['highest']:,})"
            )
        for name, ratio in report["ratios"].items():
            self.stdout.write(f"  {name:<34}{ratio:>8.2f} x")


def _measure(options: dict[str, Any]) -> dict[str, list[float]]:
    count = options["schedules"]
    agreed = bench.loans(count)
    legs: dict[str, Callable[[], float]] = {"schedules": lambda: bench.schedules_per_second(agreed)}
    if options["rivals"]:
        rival = bench.Rival(python=options["rivals"])
        legs["numpy_financial"] = lambda: rival.per_second(count)
    figures: dict[str, list[float]] = {name: [] for name in legs}
    for _ in range(options["rounds"]):
        for name, leg in legs.items():
            figures[name].append(leg())
    return figures
