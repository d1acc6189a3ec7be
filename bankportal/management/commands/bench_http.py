"""`manage.py bench_http`: what the bank's API answers a second, beside views that do nothing.

Two gunicorns as shipped run side by side and are asked in turns; the load generator takes its share of the same processors.
"""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.crypto import get_random_string
from tqdm import tqdm

from bankportal.bench import figures, people, servers
from bankportal.bench.figures import Rounds, Target
from bankportal.bench.load import Load, Maker, press
from identity import services as identity

CLIENTS = (8, 32)
LABELS = {
    "plain": "bare Django view",
    "drf": "bare DRF view with JWT",
    "balance": "GET balance",
    "transfer": "POST transfer",
}
BARE = ("plain", "drf")
STATUS = {"transfer": 201}
PIN = "4826"
TRANSFERS_A_SECOND, SLOWEST_MS = 300, 150
TARGETS = tuple(
    Target(f"{name}_{clients}", f"drf_{clients}", least, f"{LABELS[name]} with {clients} clients is {{found}} x {said}")
    for clients in CLIENTS
    for name, least, said in (
        ("transfer", 0.3, "the bare DRF view, wanted {wanted}"),
        ("balance", 0.6, "the bare DRF view, wanted {wanted}"),
    )
)


class Command(BaseCommand):
    help = "Measure requests a second and answer times of the API. Leaves payments: for throwaway services."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", metavar="FILE", help="write the figures to this file")
        parser.add_argument("--seconds", type=float, default=4, help="length of each measurement (default 4)")
        parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds (default 3)")
        parser.add_argument("--members", type=int, default=200, help="customers who pay each other (default 200)")
        parser.add_argument("--only", nargs="*", choices=sorted(LABELS), help="measure just these")

    def handle(self, *args: Any, **options: Any) -> None:
        surroundings = figures.surroundings()
        print("Preparing customers ...")
        members = people.prepare(count=options["members"], password=get_random_string(20), now=timezone.now())
        for member in tqdm(members, desc="Setting PINs", unit="customer"):
            identity.set_pin(actor=member.user, pin=PIN, now=timezone.now())
        loads = self._measure(members, options)
        report = self._report(loads, surroundings, options)
        figures.save(report, options["json"])
        print(*figures.lines(report), sep="\n")
        for name, times in report["milliseconds"].items():
            print(f"  {report['results'][name]['label']:<38} p50 {times['p50']:6.1f} ms   p95 {times['p95']:6.1f} ms")
        if report["missed"]:
            raise CommandError("missed: " + "; ".join(report["missed"]))

    def _measure(self, members: Sequence[people.Member], options: dict[str, Any]) -> dict[str, list[Load]]:
        names = [name for name in LABELS if not options["only"] or name in options["only"]]
        loads: dict[str, list[Load]] = {f"{name}_{clients}": [] for clients in CLIENTS for name in names}
        # Customers of a bench are quicker than people.
        env = servers.as_in_production() | {"TRANSFERS_PER_MINUTE": "1000000"}
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            serve = partial(servers.gunicorn, folder=folder, env=env)
            bank = stack.enter_context(serve("bank", settings_module="bankportal.settings"))
            bare = stack.enter_context(serve("bare", settings_module="bankportal.bench.bare_settings"))
            progress = stack.enter_context(tqdm(total=options["rounds"] * len(loads), unit="leg", desc="Measuring"))
            for turn in range(options["rounds"]):
                makers = _makers(members)
                for leg, found in loads.items():
                    name, clients = leg.rsplit("_", 1)
                    progress.set_postfix_str(f"{LABELS[name]}, {clients} clients")
                    figures.checkpoint()
                    found.append(
                        press(
                            port=bare if name in BARE else bank,
                            make=makers[name],
                            wanted=STATUS.get(name, 200),
                            clients=int(clients),
                            seconds=options["seconds"],
                            seed=turn,
                        )
                    )
                    progress.update()
        return loads

    def _report(
        self, loads: dict[str, list[Load]], surroundings: dict[str, Any], options: dict[str, Any]
    ) -> dict[str, Any]:
        labels = {leg: "{}, {} clients".format(LABELS[leg.rsplit("_", 1)[0]], leg.rsplit("_", 1)[1]) for leg in loads}
        rounds: Rounds = {
            leg: [load.per_second(STATUS.get(leg.rsplit("_", 1)[0], 200)) for load in found]
            for leg, found in loads.items()
        }
        ratios, missed = figures.judge(rounds, TARGETS)
        times = {
            leg: _percentiles([value for load in found for value in load.milliseconds]) for leg, found in loads.items()
        }
        for leg, found in loads.items():
            odd = sum(sum(load.statuses.values()) - len(load.milliseconds) for load in found)
            if odd:
                first = next(load.oddity for load in found if load.oddity)
                missed.append(f"{labels[leg]}: {odd} answers were errors, the first: {first}")
        for clients in CLIENTS:
            leg = f"transfer_{clients}"
            if leg in rounds and (found_tps := statistics.median(rounds[leg])) < TRANSFERS_A_SECOND:
                missed.append(f"{labels[leg]}: {found_tps:.0f} a second, wanted {TRANSFERS_A_SECOND}")
        if "transfer_32" in times and times["transfer_32"]["p95"] > SLOWEST_MS:
            missed.append(f"{labels['transfer_32']}: p95 {times['transfer_32']['p95']} ms, wanted {SLOWEST_MS}")
        return {
            **surroundings,
            "options": {key: options[key] for key in ("seconds", "rounds", "members")},
            "results": figures.spread(rounds, labels),
            "milliseconds": times,
            "ratios": ratios,
            "missed": missed,
        }


def _percentiles(values: list[float]) -> dict[str, float]:
    if len(values) < 2:
        return {"p50": 0.0, "p95": 0.0, "p99": 0.0}
    cuts = statistics.quantiles(values, n=100)
    return {"p50": round(cuts[49], 1), "p95": round(cuts[94], 1), "p99": round(cuts[98], 1)}


def _makers(members: Sequence[people.Member]) -> dict[str, Maker]:
    """Requests of signed-in customers. Access tokens live for minutes, so each round signs in anew."""
    signed_in = [
        (member, identity.open_api_session(user=member.user, now=timezone.now()).access.encode()) for member in members
    ]

    def get(path: Callable[[people.Member], str], dice: random.Random) -> bytes:
        member, token = dice.choice(signed_in)
        return b"GET %b HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nAuthorization: Bearer %b\r\n\r\n" % (
            path(member).encode(),
            token,
        )

    def transfer(dice: random.Random) -> bytes:
        (payer, token), (payee, _) = dice.sample(signed_in, 2)
        order = {
            "debit_account": str(payer.account_id),
            "payee_number": payee.number,
            "payee_name": payee.user.full_name,
            "amount": f"{dice.randint(1, 99) / 100:.2f}",
            "description": "Measured transfer",
            "pin": PIN,
        }
        body = json.dumps(order).encode()
        head = (
            "POST /api/v1/transactions/transfer HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: {uuid.UUID(int=dice.getrandbits(128))}-{time.time_ns()}\r\nContent-Length: {len(body)}\r\n"
        )
        return head.encode() + b"Authorization: Bearer %b\r\n\r\n" % token + body

    return {
        "plain": partial(get, lambda _: "/plain/"),
        "drf": partial(get, lambda _: "/drf/"),
        "balance": partial(get, lambda member: f"/api/v1/accounts/{member.account_id}/balance"),
        "transfer": transfer,
    }
