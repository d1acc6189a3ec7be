"""`manage.py bench_ledger`: how fast the ledger posts, beside what else could have been built, in one run.

Eight callers are asked for. TPC-B's eight clients are served by two threads of pgbench, so it is judged by the same shape, which is
also how gunicorn runs the portal: two processes of four threads. Eight processes of one caller, as the other ledgers are measured,
and one process of eight threads stand beside it: the more processes share the two cores, the colder each finds their caches.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone
from django.utils.crypto import get_random_string

from bankportal.bench import figures, history, others, people, posting, transfers
from bankportal.bench.figures import Rounds, Target

LABELS = {
    "tpcb": "pgbench TPC-B (prepared)",
    "service": "posting service, 8 processes",
    "service_gunicorn": "posting service, 2 x 4 threads",
    "service_threads": "posting service, 1 x 8 threads",
    "hot": "all to one internal account",
    "batch": "batches, one connection",
    "batch_two": "batches, two connections",
    "batch_shared": "batches, two on the same accounts",
    "transfer": "whole transfer with rules",
    "orm": "Django ORM, select_for_update",
    "hordak": "django-hordak, balance checked",
    "django_ledger": "django-ledger",
}
RIVALS = ("hordak", "django_ledger")
# Measured before the history is there as well, in turns.
BEFORE = ("tpcb", "service")
TARGETS = (
    Target("service_gunicorn", "tpcb", 1.0, "the posting service is {found} x TPC-B, wanted {wanted}"),
    Target("service_threads", "tpcb", 0.0),
    Target("service", "tpcb", 0.0),
    Target("service", "orm", 0.0),
    Target("service", "transfer", 0.0),
    Target("service", "hordak", 5.0, "the posting service is {found} x django-hordak, wanted {wanted}"),
    Target("service", "django_ledger", 25.0, "the posting service is {found} x django-ledger, wanted {wanted}"),
    Target("hot", "service", 0.9, "one hot internal account leaves {found} of the speed, wanted {wanted}"),
    Target("batch", "service", 3.0, "a batch from one connection is {found} x the single path, wanted {wanted}"),
    Target("batch_two", "batch", 1.6, "batches from two connections are {found} x those from one, wanted {wanted}"),
    # Batches of two hundred items from two thousand accounts always have some in common and wait for each other.
    Target("batch_shared", "batch", 0.0),
)
SLOWER_WITH_HISTORY, SLOWER_WITH_SIZE = 0.85, 2.0


class Command(BaseCommand):
    help = (
        "Measure the ledger beside pgbench's TPC-B, the ORM and other ledgers. Leaves entries: for throwaway services."
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
        parser.add_argument("--members", type=int, default=400, help="customers of the whole transfer (default 400)")
        parser.add_argument("--scale", type=int, default=20, help="pgbench scale factor (default 20)")
        parser.add_argument(
            "--rivals",
            metavar="PYTHON",
            default=os.environ.get("BENCH_RIVALS", ""),
            help="interpreter of an environment with requirements-bench.txt; `run.py bench` makes one",
        )
        parser.add_argument("--only", nargs="*", choices=sorted(LABELS), help="measure just these")
        parser.add_argument("--force", action="store_true", help="run although the ledger holds real entries")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        if not options["force"]:
            self._refuse_a_real_ledger()
        surroundings = figures.surroundings()
        wanted = [name for name in LABELS if not options["only"] or name in options["only"]]
        missed = []
        if not options["rivals"]:
            missed += [f"{LABELS[name]} was not measured: no --rivals" for name in RIVALS if name in wanted]
            wanted = [name for name in wanted if name not in RIVALS]
        print("Preparing accounts and tables ...")
        accounts = posting.prepare(accounts=options["accounts"])
        past = history.prepare(planned=max(options["entries"], options["postings"]))
        rivals = [others.Rival(name, python=options["rivals"]) for name in RIVALS if name in wanted]
        try:
            legs = self._legs(
                accounts, options, wanted, dict(zip([n for n in RIVALS if n in wanted], rivals, strict=True))
            )
            measure = partial(figures.in_turns, labels=LABELS, rounds=options["rounds"])
            past.fill(options["entries"] // 10)
            young = measure({name: legs[name] for name in BEFORE if name in legs}, title="Young ledger")
            past.fill(options["entries"])
            old = measure(legs, title="Measuring")
            past.fill(past.planned)
            extra = {
                "history": self._growth(young, old, options),
                "look_ups": history.look_ups(past, rounds=200),
                "verify": history.verify(jobs=os.cpu_count() or 1),
            }
        finally:
            posting.clean_up()
            for rival in rivals:
                rival.drop()
        ratios, slow = figures.judge(old, TARGETS)
        report = {
            **surroundings,
            "options": {
                key: options[key]
                for key in ("seconds", "rounds", "clients", "accounts", "members", "scale", "entries", "postings")
            },
            "results": figures.spread(old, LABELS),
            "ratios": ratios,
            **extra,
            "took_seconds": round(time.monotonic() - began),
            "missed": [*missed, *slow, *self._missed_beside(extra)],
        }
        figures.save(report, options["json"])
        print(*figures.lines(report), sep="\n")
        self._show_beside(extra)
        if report["missed"]:
            raise CommandError("missed: " + "; ".join(report["missed"]))

    def _refuse_a_real_ledger(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM ledger_entry WHERE source_kind <> 'bench')")
            if cursor.fetchone()[0]:
                raise CommandError(
                    "This ledger holds real entries, and a benchmark would leave its own beside them. Use --force."
                )

    def _legs(
        self,
        accounts: posting.Accounts,
        options: dict[str, Any],
        wanted: list[str],
        rivals: Mapping[str, others.Rival],
    ) -> dict[str, Callable[[], float]]:
        clients, seconds = options["clients"], options["seconds"]

        def service(call: Callable[[Any, random.Random], int | None], of: Any, callers: int, threads: int = 1) -> Any:
            return partial(posting.calls_per_second, [partial(call, of)] * callers, threads=threads, seconds=seconds)

        makers: dict[str, Callable[[], Callable[[], float]]] = {
            "tpcb": lambda: partial(self._pgbench(options).tps, clients=clients, seconds=seconds),
            "service": lambda: service(posting.post_service, accounts, clients),
            "service_gunicorn": lambda: service(posting.post_service, accounts, 2, clients // 2),
            "service_threads": lambda: service(posting.post_service, accounts, 1, clients),
            "hot": lambda: service(posting.post_hot, accounts, clients),
            "batch": lambda: service(posting.post_batch, accounts, 1),
            "batch_two": lambda: partial(
                posting.calls_per_second,
                [partial(posting.post_batch, share) for share in accounts.shares(2)],
                threads=1,
                seconds=seconds,
            ),
            "batch_shared": lambda: service(posting.post_batch, accounts, 2),
            "transfer": lambda: service(transfers.submit_transfer, self._members(options), clients),
            "orm": lambda: service(posting.post_orm, accounts, clients),
        }
        other = {name: partial(rival.per_second, clients=clients, seconds=seconds) for name, rival in rivals.items()}
        return {name: other[name] if name in other else makers[name]() for name in wanted}

    def _pgbench(self, options: dict[str, Any]) -> others.Pgbench:
        return others.Pgbench(folder=os.environ.get("BANKPORTAL_PG_BIN", ""), scale=options["scale"])

    def _members(self, options: dict[str, Any]) -> list[people.Member]:
        return people.prepare(count=options["members"], password=get_random_string(20), now=timezone.now())

    def _growth(self, young: Rounds, old: Rounds, options: dict[str, Any]) -> dict[str, Any]:
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

    def _missed_beside(self, extra: dict[str, Any]) -> list[str]:
        left = extra["history"].get("left", 1.0)
        missed = []
        if left < SLOWER_WITH_HISTORY:
            missed.append(f"ten times the history leaves {left} of the speed, wanted {SLOWER_WITH_HISTORY}")
        for kind, look_up in extra["look_ups"].items():
            if look_up["ratio"] > SLOWER_WITH_SIZE:
                found = f"{kind} takes {look_up['ratio']} x as long on the large account"
                missed.append(f"{found}, wanted {SLOWER_WITH_SIZE}")
        return missed

    def _show_beside(self, extra: dict[str, Any]) -> None:
        if extra["history"]:
            grown = extra["history"]
            print("  {:,} to {:,} entries: {} of the speed is left".format(*grown["entries"], grown["left"]))
        for kind, look_up in extra["look_ups"].items():
            print(
                f"  {kind:<38}{look_up['small']:>8,.0f} µs on a small account, "
                f"{look_up['large']:,.0f} µs on a large one ({look_up['ratio']} x)"
            )
        checked = extra["verify"]
        print(f"  verify_ledger{'':<25}{checked['per_second']:>8,} entries/s ({checked['entries']:,} entries)")
