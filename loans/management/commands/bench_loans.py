"""`manage.py bench_loans`: schedules beside numpy-financial computing the same table in floats, and the loans' end of day."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from loans.management import bench, nights
from loans.models import Loan

LABELS = {"schedules": f"schedules of {bench.INSTALMENTS} instalments", "numpy_financial": "numpy-financial, floats"}
WANTED = 0.5
# Of the end of a day: the hardest one may take that long, and a loan that much more among ten times as many.
NIGHT_SECONDS, GROWTH = 60.0, 1.3
HARDEST = "every loan due"


class Command(BaseCommand):
    help = (
        "Measure schedules per second beside numpy-financial (per second of processor time, rounds interleaved), and the "
        "end of the day of so many loans. Fills the database: for throwaway ones without loans."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", metavar="FILE", help="write the figures to this file")
        parser.add_argument("--schedules", type=int, default=1000, help="schedules a round (default 1000)")
        parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
        parser.add_argument(
            "--loans", type=int, nargs=2, default=[1_000, 10_000], help="active loans, few then many (1000 10000)"
        )
        parser.add_argument(
            "--rivals",
            metavar="PYTHON",
            default=os.environ.get("BENCH_RIVALS", ""),
            help="interpreter of an environment with requirements-bench.txt, to measure numpy-financial too",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        few, many = options["loans"]
        if min(options["schedules"], options["rounds"], few) < 1 or many <= few:
            raise CommandError("Measure one schedule, one round and one loan at least, and more loans the second time.")
        if Loan.objects.exists():
            raise CommandError("There are loans in this database. The end of day is measured in a throwaway one.")
        load = [round(value, 2) for value in os.getloadavg()]
        figures = _measure(options)
        report = self._report(figures, self._nights(few, many), options, load)
        if options["json"]:
            Path(options["json"]).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        self._print(report)
        if report["missed"]:
            raise CommandError("missed: " + "; ".join(report["missed"]))

    def _nights(self, few: int, many: int) -> list[dict[str, Any]]:
        """In two months that are over, the later one the last: the larger portfolio holds the smaller one."""
        last = date.today().replace(day=1) - timedelta(days=1)  # noqa: DTZ011 (which month is measured matters to nobody)
        first = last.replace(day=1) - timedelta(days=1)
        found = []
        for count, month in ((few, first), (many, last)):
            self.stdout.write(f"Making {count:,} running loans and ending their days in {month:%B %Y}")
            try:
                found.append(nights.measure(count=count, month=month.replace(day=1)))
            except nights.BookBroken as problem:
                raise CommandError(f"The end of day left something wrong: {problem}") from problem
        return found

    def _report(
        self, figures: dict[str, list[float]], found: list[dict[str, Any]], options: dict[str, Any], load: list[float]
    ) -> dict[str, Any]:
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
        few, many = ([night["days"][kind]["together"] / night["loans"] for kind in nights.DAYS] for night in found)
        growth = {kind: round(more / less, 2) for kind, less, more in zip(nights.DAYS, few, many, strict=True)}
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": {
                "cpus": os.cpu_count(),
                "python": platform.python_version(),
                "system": platform.platform(),
                # More busy programs than processors: then no figure decides a target.
                "load_before": load,
            },
            "options": {key: options[key] for key in ("schedules", "rounds", "loans")},
            "results": results,
            "ratios": ratios,
            "nights": found,
            "growth_per_loan": growth,
            "missed": [*_missed_schedules(ratios), *_missed_nights(found, growth)],
        }

    def _print(self, report: dict[str, Any]) -> None:
        machine = report["machine"]
        self.stdout.write(
            f"{machine['system']}, {machine['cpus']} cores, Python {machine['python']}, load {machine['load_before']}"
        )
        self.stdout.write("Per second of processor time: median (lowest to highest)")
        for found in report["results"].values():
            self.stdout.write(
                f"  {found['label']:<34}{found['per_second']:>8,}   ({found['lowest']:,} to {found['highest']:,})"
            )
        for name, ratio in report["ratios"].items():
            self.stdout.write(f"  {name:<34}{ratio:>8.2f} x")
        for night in report["nights"]:
            self.stdout.write(f"End of day of {night['loans']:,} active loans, seconds (milliseconds a loan)")
            for kind, took in night["days"].items():
                steps = ", ".join(f"{name} {seconds:.2f}" for name, seconds in took.items() if name != "together")
                each = took["together"] * 1000 / night["loans"]
                self.stdout.write(f"  {kind:<16}{took['together']:>8.2f}   ({each:.2f}): {steps}")
            self.stdout.write(f"  the loan book equals the ledger, checked in {night['check_seconds']:.2f} s")
        for kind, ratio in report["growth_per_loan"].items():
            self.stdout.write(f"  cost of a loan among many/few, {kind:<16}{ratio:>6.2f} x")


def _missed_schedules(ratios: dict[str, float]) -> list[str]:
    return [f"schedules are {ratio} x numpy-financial, wanted {WANTED}" for ratio in ratios.values() if ratio < WANTED]


def _missed_nights(found: list[dict[str, Any]], growth: dict[str, float]) -> list[str]:
    took = found[-1]["days"][HARDEST]["together"]
    missed = []
    if took > NIGHT_SECONDS:
        missed.append(
            f"the end of the day on which all {found[-1]['loans']:,} loans fall due takes {took} s, wanted {NIGHT_SECONDS:.0f}"
        )
    if growth[HARDEST] > GROWTH:
        missed.append(f"a loan costs {growth[HARDEST]} x as much among many as among few, wanted {GROWTH} at most")
    return missed


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
