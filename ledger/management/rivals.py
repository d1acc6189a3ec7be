"""The same transfer through django-hordak, in an environment of its own (requirements-bench.txt).

`rivals.py prepare` makes its tables and accounts in the database DATABASE_NAME; `rivals.py run CALLERS SECONDS` prints transfers
per second. Stands alone: it must not import this project, whose dependencies are not there.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import transaction

ACCOUNTS = 200


def configure() -> None:
    """Settings for hordak and for the database that the environment names (DATABASE_NAME, PGHOST and the like)."""
    settings.configure(
        SECRET_KEY="measured, not kept",  # noqa: S106
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": os.environ["DATABASE_NAME"],
                "HOST": os.environ.get("PGHOST", ""),
                "USER": os.environ.get("PGUSER", ""),
                "CONN_MAX_AGE": None,
            }
        },
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "mptt", "hordak"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        DEFAULT_CURRENCY="EUR",
        CURRENCIES=["EUR"],
    )
    django.setup()


def prepare() -> None:
    """Tables and accounts."""
    # Models can be imported only after the settings are there.
    from hordak.models import Account, AccountType  # type: ignore[import-not-found]  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    for number in range(ACCOUNTS):
        Account.objects.create(
            name=f"Customer {number}", code=f"{number:04}", type=AccountType.liability, currencies=["EUR"]
        )


def transfers() -> Callable[[], None]:
    """With what a bank must do around it: lock both accounts in order and read the payer's balance first."""
    from hordak.models import Account  # noqa: PLC0415
    from moneyed import Money  # type: ignore[import-not-found]  # noqa: PLC0415

    ids = list(Account.objects.values_list("pk", flat=True))

    def transfer() -> None:
        payer, payee = random.sample(ids, 2)
        with transaction.atomic():
            rows = {
                row.pk: row for row in Account.objects.select_for_update().filter(pk__in=[payer, payee]).order_by("pk")
            }
            rows[payer].get_balance()
            rows[payer].transfer_to(rows[payee], Money("0.01", "EUR"), description="Measured transfer")

    return transfer


def _caller(seconds: float, gate: Any, results: Any) -> None:
    transfer = transfers()
    transfer()
    gate.wait()
    count, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        transfer()
        count += 1
    results.put(count)


def run(callers: int, seconds: float) -> float:
    """Transfers per second of so many callers, each a process of its own."""
    context = multiprocessing.get_context("fork")
    gate, results = context.Barrier(callers), context.Queue()
    workers = [context.Process(target=_caller, args=(seconds, gate, results)) for _ in range(callers)]
    for worker in workers:
        worker.start()
    total = sum(results.get(timeout=seconds + 60) for _ in workers)
    for worker in workers:
        worker.join()
    return float(total) / seconds


if __name__ == "__main__":
    configure()
    if sys.argv[1] == "prepare":
        prepare()
    else:
        sys.stdout.write(f"{run(int(sys.argv[2]), float(sys.argv[3])):.1f}\n")
