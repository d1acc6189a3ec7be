"""`run.py bench enumeration`: does the time of an answer tell whether an address is known?

Log-in, sign-up and password reset are asked in turn for a known and an unknown address. A door passes when the medians
differ by less than 5 ms, or when a Mann-Whitney test sees no difference (p > 0.01). Writes users and mail: run it on
throwaway services, as `run.py bench` does.
"""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.test import Client, override_settings
from django.utils.crypto import get_random_string
from scipy.stats import mannwhitneyu

from identity.models import User

MOST_MILLISECONDS = 5.0
LEAST_P = 0.01
WARM_UP = 5


class Command(BaseCommand):
    help = "Compare the answer times of log-in, sign-up and reset for known and unknown addresses."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", type=Path)
        parser.add_argument("--times", type=int, default=60, help="requests of each kind (default 60)")

    def handle(self, *args: Any, **options: Any) -> None:
        self._password = get_random_string(24)
        # One for each request: allauth holds many mails to one address back.
        known = [self._somebody() for _ in range(WARM_UP + options["times"])]
        # Pages come without their compressed files, which only a started bank has.
        plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
        with override_settings(STORAGES={**settings.STORAGES, "staticfiles": plain}):
            rows = self._rows(known, options["times"])
        for row in rows:
            self.stdout.write(
                f"{row['door']:<8} known {row['known_ms']:7.1f} ms, unknown {row['unknown_ms']:7.1f} ms, "
                f"p = {row['p']:.3f}: {'passes' if row['passes'] else 'TELLS'}"
            )
        if options["json"]:
            options["json"].write_text(json.dumps({"times": options["times"], "doors": rows}, indent=2))
        if not all(row["passes"] for row in rows):
            raise CommandError("The time of an answer tells whether an address is known.")

    def _somebody(self) -> str:
        user = User.objects.create_user(f"known-{uuid.uuid4().hex[:8]}@example.com", self._password, full_name="Known")
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user.email

    def _rows(self, known: list[str], times: int) -> list[dict[str, Any]]:
        return [
            self._measure(name, known, ask, times)
            for name, ask in (("log-in", self._log_in), ("sign-up", self._sign_up), ("reset", self._reset))
        ]

    def _measure(self, door: str, known: list[str], ask: Callable[[Client, str], Any], times: int) -> dict[str, Any]:
        taken: dict[bool, list[float]] = {True: [], False: []}
        # The first requests of a process are slower: they warm up and do not count.
        for number in range(-WARM_UP, times):
            for is_known in random.sample([True, False], 2):
                email = known[number + WARM_UP] if is_known else f"nobody-{uuid.uuid4().hex[:8]}@example.com"
                # Each request from an address of its own, so that neither lockout nor limits answer instead.
                settings.THROTTLE_SCOPE = uuid.uuid4().hex
                peer = ".".join(str(random.randint(1, 254)) for _ in range(4))  # noqa: S311
                client = Client(REMOTE_ADDR=peer, SERVER_NAME="127.0.0.1")
                began = time.perf_counter()
                answer = ask(client, email)
                spent = (time.perf_counter() - began) * 1000
                if answer.status_code not in {200, 302}:
                    raise CommandError(f"{door} answered {answer.status_code}.")
                if number >= 0:
                    taken[is_known].append(spent)
        medians = median(taken[True]), median(taken[False])
        p = float(mannwhitneyu(taken[True], taken[False]).pvalue)
        return {
            "door": door,
            "known_ms": medians[0],
            "unknown_ms": medians[1],
            "p": p,
            "passes": abs(medians[0] - medians[1]) < MOST_MILLISECONDS or p > LEAST_P,
        }

    def _log_in(self, client: Client, email: str) -> Any:
        return client.post("/auth/login/", {"login": email, "password": "not the right password"})

    def _sign_up(self, client: Client, email: str) -> Any:
        told = {"email": email, "password1": self._password, "full_name": "Some Name"}
        return client.post("/auth/signup/", told)

    def _reset(self, client: Client, email: str) -> Any:
        return client.post("/auth/password/reset/", {"email": email})
