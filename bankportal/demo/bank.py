"""Filling the demo bank, step by step; each step finds what an earlier, interrupted run made and goes on from there."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from tqdm import tqdm

from accounts import services as accounts
from accounts.models import Account
from audit import services as audit
from audit.models import AuditEvent
from bankportal.demo import identity_checks, staff
from bankportal.demo.history import DAYS, opening_minor
from bankportal.demo.people import Person, people
from bankportal.demo.staff import stable_id
from common.db import use_case
from common.money import Money
from fraud import services as fraud
from fraud.models import Case
from fraud.subjects import checklist
from identity.models import User
from ledger import services as ledger
from payments.models import Payment

SEED = 20_260_117
CUSTOMERS = 200
PENDING = 12
# So many customers open their accounts in one commit: fewer waits for the disk, little to repeat after an interruption.
CHUNK = 25
STARTED, FINISHED = "demo.seeding_started", "demo.seeded"


@dataclass(frozen=True, slots=True)
class Books:
    """The demo bank's people by index, and their accounts: current ones for all, savings for some."""

    persons: Sequence[Person]
    users: dict[int, User]
    staff: dict[str, User]
    current: dict[int, Account]
    savings: dict[int, Account]


def is_seeded() -> bool:
    return AuditEvent.objects.filter(action=FINISHED).exists()


def begin(*, now: datetime) -> datetime:
    """When the history ends; told once, so that an interrupted run continues the same history."""
    known = AuditEvent.objects.filter(action=STARTED).order_by("id").first()
    if known is not None:
        return datetime.fromisoformat(known.data["end"])
    facts = {"end": now.isoformat()}
    with use_case():
        audit.record(actor=None, action=STARTED, subject_kind="demo", subject_id="bank", data=facts)
    return now


def finish() -> None:
    with use_case():
        audit.record(actor=None, action=FINISHED, subject_kind="demo", subject_id="bank")


def enrol(*, end: datetime, password: str, quiet: bool) -> Books:
    """Staff, customers, their approved identity checks and their accounts."""
    persons = people(count=CUSTOMERS, seed=SEED)
    opened_at = end - timedelta(days=DAYS + 5)
    ledger.make_months(since=opened_at, until=end)
    made = staff.ensure_staff(password=password, now=opened_at)
    users = staff.ensure_customers(persons=persons, password=password, joined_at=opened_at)
    onboard = persons[: CUSTOMERS - PENDING - 1]
    identity_checks.ensure_approved(
        persons=onboard, users=users, officer=made["compliance@demo.example"], decided_at=opened_at
    )
    current, savings = _open_accounts(onboard, users, opened_at, quiet)
    return Books(persons, users, made, current, savings)


def _open_accounts(
    onboard: Sequence[Person], users: dict[int, User], opened_at: datetime, quiet: bool
) -> tuple[dict[int, Account], dict[int, Account]]:
    """A current account for each, for some also savings or a wallet; returns the current and the savings accounts."""
    source = random.Random(SEED)  # noqa: S311 - plausible, not secret
    current: dict[int, Account] = {}
    savings: dict[int, Account] = {}
    with tqdm(desc="Opening accounts", unit="customer", total=len(onboard), disable=quiet) as bar:
        for start in range(0, len(onboard), CHUNK):
            chunk = onboard[start : start + CHUNK]
            with use_case():
                for person in chunk:
                    opening = opening_minor(person, source)
                    owner = users[person.index]
                    current[person.index] = _open(owner, "CUR-EUR", opening, opened_at)
                    if person.index % 2 == 0:
                        opening = source.randrange(20, 240) * 1_000
                        savings[person.index] = _open(owner, "SAV-EUR", opening, opened_at + timedelta(hours=1))
                    if person.index % 11 == 0:
                        opening = source.randrange(50, 900) * 100
                        _open(owner, "WAL-USD", opening, opened_at + timedelta(hours=2))
            bar.update(len(chunk))
    return current, savings


def _open(owner: User, product: str, opening: int, now: datetime) -> Account:
    currency = product.rsplit("-", 1)[1]
    return accounts.open_account_within(
        actor=owner,
        owner=owner,
        product_code=product,
        opening=Money(opening, currency),
        source=accounts.sandbox(),
        client_id=stable_id("account", owner.email, product),
        now=now,
    ).account


def decide(books: Books, payment: Payment, *, release: bool, now: datetime) -> None:
    """An officer's decision about a held payment."""
    case = Case.objects.get(subject_id=payment.pk)
    fraud.decide_case(
        actor=books.staff["compliance@demo.example"],
        case_id=case.pk,
        decision="RELEASE" if release else "DECLINE",
        reason="Confirmed with the customer by phone." if release else "The customer did not recognise this payment.",
        now=now,
        checked=[item.code for item in checklist(case.subject_kind, case.outcome)],
    )


def utc_minute(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(second=0, microsecond=0)


def lock() -> None:
    """Two seedings at a time would do everything twice as slowly; the second waits, then finds all done."""
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [SEED])
