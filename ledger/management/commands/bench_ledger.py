"""`manage.py bench_ledger`: how fast the ledger posts, beside what else could have been built, in one run.

Callers are processes: each stands for a caller of its own, and none waits for another's interpreter lock. Threads (two
processes of four, as gunicorn runs them) are measured beside it; on two cores both came out within a tenth of each other.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from tqdm import tqdm

from ledger.management import bench, bench_history

SERVER_SETTINGS = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "shared_buffers",
    "max_wal_size",
    "wal_compression",
    "commit_delay",
    "max_connections",
    "jit",
)
LABELS = {
    "tpcb": "pgbench TPC-B (prepared)",
    "service": "posting service",
    "service_gunicorn": "posting service, 2 x 4 threads",
    "hot": "all to one internal account",
    "batch": "batches, one connection",
    "batch_two": "batches, two connections",
    "orm": "Django ORM, select_for_update",
    "hordak": "django-hordak, balance checked",
}
# Measured before the history is there as well, in turns.
BEFORE = ("tpcb", "service")
# One figure over another, what it must reach, and what to say when it does not.
TARGETS = (
    ("service", "tpcb", 1.0, "the posting service is {found} x TPC-B, wanted {wanted}"),
    ("service", "orm", 0.0, ""),
    ("service", "hordak", 5.0, "the posting service is {found} x django-hordak, wanted {wanted}"),
    ("hot", "service", 0.9, "one hot internal account leaves {found} of the speed, wanted {wanted}"),
    ("batch", "service", 3.0, "a batch from one connection is {found} x the single path, wanted {wanted}"),
    ("batch_two", "batch", 1.6, "batches from two connections are {found} x those from one, wanted {wanted}"),
)
SLOWER_WITH_HISTORY, SLOWER_WITH_SIZE = 0.85, 2.0


class Command(BaseCommand):
    help = (
        "Measure the posting service beside pgbench's TPC-B and the ORM. Leaves entries: run it on throwaway services."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", metavar="FILE", help="write the figures to this file")
        parser.add_argument("--seconds", type=float, default=4, help="length of each measurement (default 4)")
        parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds (default 3)")
        parser.add_argument(
            "--entries", type=int, default=500_000, help="entries before the measuring (default 500000)"
        )
        parser.add_argument(
            "--postings", type=int, default=1_000_000, help="postings of the largest account (default 1000000)"
        )
        parser.add_argument("--clients", type=int, default=8, help="concurrent callers (default 8)")
        parser.add_argument("--accounts", type=int, default=2000, help="customer accounts (default 2000)")
        parser.add_argument("--scale", type=int, default=20, help="pgbench scale factor (default 20)")
        parser.add_argument(
            "--rivals",
            metavar="PYTHON",
            default=os.environ.get("BENCH_RIVALS", ""),
            help="interpreter of an environment with requirements-bench.txt, to measure django-hordak too",
        )
        parser.add_argument("--only", nargs="*", choices=sorted(LABELS), help="measure just these")
        parser.add_argument("--force", action="store_true", help="run although the ledger holds real entries")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["force"]:
            self._refuse_a_real_ledger()
        print("Preparing accounts and tables ...")
        accounts = bench.prepare(accounts=options["accounts"])
        history = bench_history.prepare(planned=max(options["entries"], options["postings"]))
        wanted = options["only"] or list(LABELS)
        settings_read = self._server_settings()
        extra: dict[str, Any] = {}
        try:
            legs = self._legs(accounts, options, wanted)
            history.fill(options["entries"] // 10)
            young = self._measure(
                {name: legs[name] for name in BEFORE if name in legs}, rounds=options["rounds"], title="Young ledger"
            )
            history.fill(options["entries"])
            figures = self._measure(legs, rounds=options["rounds"], title="Measuring")
            extra["history"] = self._growth(young, figures, options)
            history.fill(history.planned)
            extra["look_ups"] = bench_history.look_ups(history, rounds=200)
            extra["verify"] = bench_history.verify(jobs=os.cpu_count() or 1)
        finally:
            bench.clean_up()
        report = self._report(figures, settings_read, options, extra)
        if options["json"]:
            Path(options["json"]).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        self._print(report)
        if report["missed"]:
            raise CommandError("missed: " + "; ".join(report["missed"]))

    def _refuse_a_real_ledger(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM ledger_entry WHERE source_kind <> 'bench')")
            if cursor.fetchone()[0]:
                raise CommandError(
                    "This ledger holds real entries, and a bench would leave its own beside them. Use --force."
                )

    def _legs(
        self, accounts: bench.Accounts, options: dict[str, Any], wanted: list[str]
    ) -> dict[str, Callable[[], float]]:
        clients, seconds = options["clients"], options["seconds"]
        legs: dict[str, Callable[[], float]] = {}
        if "tpcb" in wanted:
            pgbench = bench.Pgbench(folder=os.environ.get("BANKPORTAL_PG_BIN", ""), scale=options["scale"])
            legs["tpcb"] = lambda: pgbench.tps(clients=clients, seconds=seconds)
        processes: dict[str, tuple[bench.Caller, int]] = {
            "service": (bench.post_service, clients),
            "hot": (bench.post_hot, clients),
            "batch": (bench.post_batch, 1),
            "batch_two": (bench.post_batch, 2),
            "orm": (bench.post_orm, clients),
        }
        for name, (call, callers) in processes.items():
            if name in wanted:
                legs[name] = partial(
                    bench.calls_per_second, call, accounts, processes=callers, threads=1, seconds=seconds
                )
        if "hordak" in wanted and options["rivals"]:
            legs["hordak"] = partial(bench.Rival(python=options["rivals"]).per_second, clients=clients, seconds=seconds)
        if "service_gunicorn" in wanted:
            legs["service_gunicorn"] = partial(
                bench.calls_per_second, bench.post_service, accounts, processes=2, threads=clients // 2, seconds=seconds
            )
        return legs

    def _growth(
        self, young: dict[str, list[float]], old: dict[str, list[float]], options: dict[str, Any]
    ) -> dict[str, Any]:
        """What is left of the speed with ten times the history. TPC-B, which has none, stands for the machine's drift."""
        if "service" not in young:
            return {}
        before, after = statistics.median(young["service"]), statistics.median(old["service"])
        drift = statistics.median(old["tpcb"]) / statistics.median(young["tpcb"]) if "tpcb" in young else 1.0
        return {
            "entries": [options["entries"] // 10, options["entries"]],
            "per_second": [round(before), round(after)],
            "drift": round(drift, 2),
            "left": round(after / before / drift, 2),
        }

    def _measure(self, legs: dict[str, Callable[[], float]], *, rounds: int, title: str) -> dict[str, list[float]]:
        figures: dict[str, list[float]] = {name: [] for name in legs}
        with tqdm(total=rounds * len(legs), unit="leg", desc=title) as progress:
            for _ in range(rounds):
                for name, leg in legs.items():
                    progress.set_postfix_str(LABELS[name])
                    with connection.cursor() as cursor:
                        # A checkpoint that one leg caused would be paid by the next.
                        cursor.execute("CHECKPOINT")
                    figures[name].append(leg())
                    progress.update()
        return figures

    def _server_settings(self) -> dict[str, str]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY (%s)", [list(SERVER_SETTINGS)]
            )
            return dict(cursor.fetchall())

    def _report(
        self, figures: dict[str, list[float]], server: dict[str, str], options: dict[str, Any], extra: dict[str, Any]
    ) -> dict[str, Any]:
        results = {
            name: {
                "label": LABELS[name],
                "per_second": round(statistics.median(values)),
                "lowest": round(min(values)),
                "highest": round(max(values)),
                "rounds": [round(value) for value in values],
            }
            for name, values in figures.items()
        }
        ratios: dict[str, float] = {}
        missed = []
        for name, over, target, sentence in TARGETS:
            if name in results and over in results:
                # Round by round: both halves of a ratio met the same machine.
                pairs = zip(figures[name], figures[over], strict=True)
                found = ratios[f"{name}/{over}"] = round(statistics.median(a / b for a, b in pairs), 2)
                if found < target:
                    missed.append(sentence.format(found=found, wanted=target))
        left = extra["history"].get("left", 1.0)
        if left < SLOWER_WITH_HISTORY:
            missed.append(f"ten times the history leaves {left} of the speed, wanted {SLOWER_WITH_HISTORY}")
        for kind, look_up in extra["look_ups"].items():
            if look_up["ratio"] > SLOWER_WITH_SIZE:
                missed.append(
                    f"{kind} takes {look_up['ratio']} x as long on the large account, wanted {SLOWER_WITH_SIZE}"
                )
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": {"cpus": os.cpu_count(), "python": platform.python_version()},
            "server": server,
            "options": {
                key: options[key]
                for key in ("seconds", "rounds", "clients", "accounts", "scale", "entries", "postings")
            },
            "results": results,
            "ratios": ratios,
            **extra,
            "missed": missed,
        }

    def _print(self, report: dict[str, Any]) -> None:
        print("\nServer: " + ", ".join(f"{name}={value}" for name, value in report["server"].items()))
        print(
            f"{report['options']['clients']} callers, "
            f"{report['options']['rounds']} rounds interleaved; "
            "median (lowest to highest) per second"
        )
        for result in report["results"].values():
            print(
                f"  {result['label']:<32}{result['per_second']:>8,}   ({result['lowest']:,} to {result['highest']:,})"
            )
        for name, value in report["ratios"].items():
            print(f"  {name:<32}{value:>8.2f} x")
        if report["history"]:
            grown = report["history"]
            print("  {:,} to {:,} entries: {} of the speed is left".format(*grown["entries"], grown["left"]))
        for kind, look_up in report["look_ups"].items():
            print(
                f"  {kind:<32}{look_up['small']:>8,.0f} µs on a small account, "
                f"{look_up['large']:,.0f} µs on a large one ({look_up['ratio']} x)"
            )
        checked = report["verify"]
        print(f"  verify_ledger{'':<19}{checked['per_second']:>8,} entries/s ({checked['entries']:,} entries)")
