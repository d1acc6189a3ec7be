"""The same transfer through other ledgers for Django, in an environment of its own (requirements-bench.txt).

`rivals.py LEDGER prepare` makes its tables and accounts in the database DATABASE_NAME; `rivals.py LEDGER run CALLERS SECONDS`
prints transfers per second. Stands alone: it must not import this project, whose dependencies are not there.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import transaction

ACCOUNTS = 200
APPS = {"hordak": ["mptt", "hordak"], "django_ledger": ["treebeard", "django_ledger"]}


def configure(ledger: str) -> None:
    """Settings for the ledger and for the database that the environment names (DATABASE_NAME, PGHOST and the like)."""
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
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", *APPS[ledger]],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        DJANGO_LEDGER_USE_DEPRECATED_BEHAVIOR=False,
        DEFAULT_CURRENCY="EUR",
        CURRENCIES=["EUR"],
    )
    django.setup()


# Models can be imported only after the settings are there.
def prepare_hordak() -> None:
    from hordak.models import Account, AccountType  # type: ignore[import-not-found]  # noqa: PLC0415

    for number in range(ACCOUNTS):
        Account.objects.create(
            name=f"Customer {number}", code=f"{number:04}", type=AccountType.liability, currencies=["EUR"]
        )


def hordak_transfers() -> Callable[[], None]:
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


def prepare_django_ledger() -> None:
    from django.contrib.auth import get_user_model  # noqa: PLC0415
    from django_ledger.models import EntityModel  # type: ignore[import-not-found]  # noqa: PLC0415

    admin = get_user_model().objects.create_user("bench")
    entity = EntityModel.create_entity(name="Bench", use_accrual_method=True, admin=admin, fy_start_month=1)
    entity.create_chart_of_accounts(assign_as_default=True, commit=True, coa_name="Bench")
    for number in range(ACCOUNTS):
        entity.create_account(
            code=f"2{number:04}",
            role="lia_cl_other",
            name=f"Customer {number}",
            balance_type="credit",
            active=True,
        )
    entity.create_ledger("Bench", ledger_xid="bench", posted=True)
    # The first entry makes the counter that all others lock; callers that race for making it recurse without end.
    django_ledger_transfers()()


def django_ledger_transfers() -> Callable[[], None]:
    """Its own way of committing a verified and posted journal entry. It keeps no balance that could be checked cheaply."""
    from django_ledger.models import AccountModel, LedgerModel  # noqa: PLC0415

    ledger = LedgerModel.objects.select_related("entity").get(ledger_xid="bench")
    accounts = list(AccountModel.objects.filter(role="lia_cl_other"))

    def transfer() -> None:
        payer, payee = random.sample(accounts, 2)
        ledger.commit_txs(
            je_timestamp=datetime.now(UTC),
            je_txs=[
                {"account": payer, "amount": Decimal("0.01"), "tx_type": "debit", "description": "Measured transfer"},
                {"account": payee, "amount": Decimal("0.01"), "tx_type": "credit", "description": "Measured transfer"},
            ],
            je_posted=True,
            je_desc="Measured transfer",
        )

    return transfer


LEDGERS = {
    "hordak": (prepare_hordak, hordak_transfers),
    "django_ledger": (prepare_django_ledger, django_ledger_transfers),
}


def _caller(transfers: Callable[[], Callable[[], None]], seconds: float, gate: Any, results: Any) -> None:
    transfer = transfers()
    transfer()
    gate.wait()
    count, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        transfer()
        count += 1
    results.put(count)


def run(ledger: str, callers: int, seconds: float) -> float:
    """Transfers per second of so many callers, each a process of its own."""
    context = multiprocessing.get_context("fork")
    gate, results = context.Barrier(callers), context.Queue()
    workers = [
        context.Process(target=_caller, args=(LEDGERS[ledger][1], seconds, gate, results)) for _ in range(callers)
    ]
    for worker in workers:
        worker.start()
    total = sum(results.get(timeout=seconds + 60) for _ in workers)
    for worker in workers:
        worker.join()
    return float(total) / seconds


if __name__ == "__main__":
    name, step, *rest = sys.argv[1:]
    configure(name)
    if step == "prepare":
        call_command("migrate", verbosity=0)
        LEDGERS[name][0]()
    else:
        sys.stdout.write(f"{run(name, int(rest[0]), float(rest[1])):.1f}\n")
