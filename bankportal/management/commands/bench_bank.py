"""`manage.py bench_bank`: the bank workload as Jepsen runs it, over HTTP and in process, and the same without locks.

The total of eight accounts is read while money moves between them. It must never differ, and without locks it must: a
workload that sees nothing then proves nothing.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.crypto import get_random_string

from bankportal.bench import bank, figures, people, servers
from bankportal.bench.bank import InProcess, Outcome, OverHttp, Way, Workload
from bankportal.bench.people import Member
from identity import services as identity
from ledger import verification

PIN = "4826"
CONTROL_SECONDS = 60.0


class Command(BaseCommand):
    help = "Move money between eight accounts and read their total, with and without locks. For throwaway services."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", metavar="FILE", help="write what was seen to this file")
        parser.add_argument("--seconds", type=float, default=30, help="length of the workload (default 30)")
        parser.add_argument("--clients", type=int, default=4, help="clients of each kind (default 4)")
        parser.add_argument("--seed", type=int, default=None, help="what the clients choose; printed")

    def handle(self, *args: Any, **options: Any) -> None:
        seed = options["seed"] if options["seed"] is not None else random.randrange(10**6)  # noqa: S311
        print(f"Seed {seed}")
        surroundings = figures.surroundings()
        members = people.prepare(
            count=1,
            accounts_each=bank.ACCOUNTS,
            opening_minor=bank.OPENING_MINOR,
            password=get_random_string(20),
            now=timezone.now(),
        )
        identity.set_pin(actor=members[0].user, pin=PIN, now=timezone.now())
        outcomes: dict[str, Outcome] = {}
        missed: list[str] = []
        with tempfile.TemporaryDirectory() as folder, self._serve(Path(folder)) as port:
            ways = self._ways(members, f"http://127.0.0.1:{port}", options["clients"])
            workload = partial(Workload, total=bank.ACCOUNTS * bank.OPENING_MINOR, seed=seed)
            outcomes["as it is"] = workload().run(ways, seconds=options["seconds"])
            missed += self._wrong(outcomes["as it is"])
            with bank.without_locks(bank.own_rights, guards=True):
                outcomes["without locks"] = workload().run(ways, seconds=options["seconds"] / 3)
            missed += self._unguarded(outcomes["without locks"])
            missed += [f"verify_ledger: {found}" for found in verification.verify()]
            with bank.without_locks(bank.own_rights, guards=False):
                outcomes["without locks and guards"] = workload().run(ways, seconds=CONTROL_SECONDS)
            if not outcomes["without locks and guards"].broken:
                missed.append(f"without locks and guards nothing broke in {CONTROL_SECONDS:.0f} seconds")
        report = {
            **surroundings,
            "options": {"seconds": options["seconds"], "clients": options["clients"], "seed": seed},
            "outcomes": {name: asdict(outcome) for name, outcome in outcomes.items()},
            "missed": missed,
        }
        figures.save(report, options["json"])
        self._print(outcomes)
        if missed:
            raise CommandError("missed: " + "; ".join(missed))

    def _serve(self, folder: Path) -> Any:
        env = servers.as_in_production() | {"TRANSFERS_PER_MINUTE": "1000000"}
        return servers.gunicorn("bank", settings_module="bankportal.settings", folder=folder, env=env)

    def _ways(self, members: list[Member], address: str, clients: int) -> list[Callable[[], Way]]:
        token = identity.open_api_session(user=members[0].user, now=timezone.now()).access
        over_http: Callable[[], Way] = partial(OverHttp, address, members, token=token, pin=PIN)
        return [over_http] * clients + [partial(InProcess, members)] * clients

    def _wrong(self, outcome: Outcome) -> list[str]:
        missed = [*outcome.broken, *outcome.failures]
        if not (outcome.transfers and outcome.refused and outcome.reads):
            missed.append("nothing was proved: there must be reads, transfers, and some refused for want of money")
        return missed

    def _unguarded(self, outcome: Outcome) -> list[str]:
        """Without locks the database's own guards must still hold the total, and have had something to refuse."""
        return [*outcome.broken, *([] if outcome.failed else ["without locks the guards had nothing to refuse"])]

    def _print(self, outcomes: dict[str, Outcome]) -> None:
        for name, seen in outcomes.items():
            print(
                f"  {name:<26}{seen.transfers:>7,} transfers, {seen.refused:,} refused, {seen.reads:,} reads, "
                f"{seen.failed:,} failed in {seen.seconds:.1f} s: {seen.broken[0] if seen.broken else 'the total held'}"
            )
