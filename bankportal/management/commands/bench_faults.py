"""`manage.py bench_faults`: kill -9 of each part of a whole bank, many times, while payments are made over HTTP.

It starts a bank of its own beside the one the command runs in. The control lets PostgreSQL forget its latest commits
(synchronous_commit=off): then acknowledged payments must get lost, or the measurement could not have seen any.
"""

from __future__ import annotations

import random
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from bankportal.bench import faults, figures
from bankportal.bench.stack import Stack, until

_ENV = {"TRANSFERS_PER_MINUTE": "1000000", "WEB_WORKERS": "2"}
_CONTROL = "ALTER DATABASE bankportal SET synchronous_commit = off; SELECT 1"


class Command(BaseCommand):
    help = "Kill PostgreSQL, web, worker and Valkey under load: every acknowledged payment must be there once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", metavar="FILE", help="write what was seen to this file")
        parser.add_argument("--times", type=int, default=20, help="how often each part is killed (default 20)")
        parser.add_argument("--seed", type=int, default=None, help="order and moments of the kills; printed")

    def handle(self, *args: Any, **options: Any) -> None:
        seed = options["seed"] if options["seed"] is not None else random.randrange(10**6)  # noqa: S311
        print(f"Seed {seed}")
        report = {**figures.surroundings(), "options": {"times": options["times"], "seed": seed}}
        report["killed"] = self._killed(options["times"], random.Random(seed))  # noqa: S311
        report["control"] = self._control(options["times"], random.Random(seed))  # noqa: S311
        missed = [*report["killed"]["missed"], *report["control"]["missed"]]
        figures.save({**report, "missed": missed}, options["json"])
        if missed:
            raise CommandError("missed: " + "; ".join(missed))

    def _killed(self, times: int, dice: random.Random) -> dict[str, Any]:
        with _opened() as bank, faults.Load(bank) as load:
            began = time.monotonic()
            missed = faults.kill_in_turns(bank, load, parts=faults.PARTS, times=times, dice=dice)
            load.end()
            gone = faults.lost(bank, load)
            payments = faults.count_payments(bank)
            seen = {
                "seconds": round(time.monotonic() - began),
                "kills": times * len(faults.PARTS),
                "acknowledged": len(load.acknowledged),
                "asked_again": sum(one.tries > 1 for one in load.acknowledged),
                "payments": payments,
                "lost": gone,
            }
            missed += [f"{len(gone)} acknowledged payments are lost"] if gone else []
            missed += [*faults.twice(bank), *load.refusals[:3]]
            # At most the last request of each client may have been carried out without its answer having arrived.
            if not 0 <= payments - len(load.acknowledged) <= faults.CLIENTS:
                missed.append(f"{payments} payments for {len(load.acknowledged)} acknowledgements")
            if not until(lambda: bank.waiting() == 0, seconds=120):
                missed.append(f"{bank.waiting()} messages still wait")
            # Ends with an error when anything differs.
            bank.run("manage.py", "verify_ledger")
        print(
            f"  {seen['kills']} kills in {seen['seconds']} s: {seen['acknowledged']:,} payments acknowledged "
            f"({seen['asked_again']:,} asked for again), {len(gone)} lost, verify_ledger clean"
        )
        return {**seen, "missed": missed}

    def _control(self, times: int, dice: random.Random) -> dict[str, Any]:
        with _opened() as bank:
            bank.query(_CONTROL)
            # Connections take the setting over when they are made.
            bank.kill("web")
            bank.start("web")
            if not until(bank.is_ready, seconds=60):
                raise CommandError("the bank of the control did not come back")
            found: list[str] = []
            kills = 0
            with faults.Load(bank) as load:
                while kills < times and not found:
                    kills += 1
                    if faults.kill_in_turns(bank, load, parts=("postgres",), times=1, dice=dice):
                        break
                    found = faults.lost(bank, load)
        print(f"  control, commits may be forgotten: {len(found)} acknowledged payments lost after {kills} kills")
        missed = [] if found else [f"the control lost nothing in {kills} kills: this measurement would not see a loss"]
        return {"kills": kills, "lost": len(found), "missed": missed}


def _opened() -> AbstractContextManager[Stack]:
    # Not in the temp folder: that may be memory.
    return faults.opened(Stack(parent=Path(settings.BASE_DIR) / ".local", env=_ENV))
