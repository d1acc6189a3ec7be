"""Filling the demo bank, step by step; each step finds what an earlier, interrupted run made and goes on from there."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction
from tqdm import tqdm

from accounts import services as accounts
from accounts.models import Account
from audit import services as audit
from audit.models import AuditEvent
from bankportal.demo import identity_checks, staff
from bankportal.demo.history import DAYS, Flow, Movement, movements, opening_minor
from bankportal.demo.people import Person, people
from bankportal.demo.staff import stable_id
from common.db import use_case
from common.money import Money
from fraud import services as fraud
from fraud.models import Case
from identity.models import User
from ledger import services as ledger
from notifications.models import OutboxEvent
from payments import services as payments
from payments.models import Channel, Kind, Payment, Source, Status
from payments.rules.requests import payload_hash

SEED = 20_260_117
CUSTOMERS = 200
PENDING = 12
# So many postings share one commit: fewer waits for the disk, little to repeat after an interruption.
CHUNK = 200
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
    made = staff.ensure_staff(password=password, now=opened_at)
    users = staff.ensure_customers(persons=persons, password=password, joined_at=opened_at)
    onboard = persons[: CUSTOMERS - PENDING - 1]
    identity_checks.ensure_approved(
        persons=onboard, users=users, officer=made["compliance@demo.example"], decided_at=opened_at
    )
    source = random.Random(SEED)  # noqa: S311 - plausible, not secret
    current: dict[int, Account] = {}
    savings: dict[int, Account] = {}
    for person in tqdm(onboard, desc="Opening accounts", unit="customer", disable=quiet):
        opening = opening_minor(person, source)
        owner = users[person.index]
        current[person.index] = _open(owner, "CUR-EUR", opening, opened_at)
        if person.index % 2 == 0:
            savings[person.index] = _open(
                owner, "SAV-EUR", source.randrange(20, 240) * 1_000, opened_at + timedelta(hours=1)
            )
        if person.index % 11 == 0:
            _open(owner, "WAL-USD", source.randrange(50, 900) * 100, opened_at + timedelta(hours=2))
    return Books(persons, users, made, current, savings)


def _open(owner: User, product: str, opening: int, now: datetime) -> Account:
    currency = product.rsplit("-", 1)[1]
    return accounts.open_account(
        actor=owner,
        owner=owner,
        product_code=product,
        opening=Money(opening, currency),
        source=accounts.sandbox(),
        client_id=stable_id("account", owner.email, product),
        now=now,
    ).account


def live_ninety_days(books: Books, *, end: datetime, quiet: bool) -> None:
    """Post the history in time order: pay and shopping straight to the ledger, transfers through the real use case."""
    persons = [person for person in books.persons if person.index in books.current]
    openings = [books.current[person.index].opening_minor for person in persons]
    plan = movements(
        persons=persons, openings=openings, savers=set(books.savings), end=end - timedelta(hours=2), seed=SEED
    )
    clearing = ledger.internal_account(gl_code="1100", currency="EUR")
    done = set(Payment.objects.filter(created_at__lt=end).values_list("client_id", flat=True))
    outside: list[tuple[UUID, Movement]] = []
    for number, movement in enumerate(tqdm(plan, desc="Ninety days of payments", unit="payment", disable=quiet)):
        client_id = stable_id("movement", number)
        if client_id in done:
            continue
        if movement.flow in (Flow.PAY, Flow.SPEND):
            outside.append((client_id, movement))
            if len(outside) == CHUNK:
                _post_outside(books, outside, clearing)
                outside = []
            continue
        # A transfer needs the balance that earlier movements left.
        _post_outside(books, outside, clearing)
        outside = []
        _transfer(books, movement, client_id)
    _post_outside(books, outside, clearing)
    # Nobody wants ninety days of messages in one minute.
    OutboxEvent.objects.filter(relayed_at=None).delete()


def _post_outside(books: Books, chunk: Sequence[tuple[UUID, Movement]], clearing: int) -> None:
    """Pay from payroll and spending at shops: what the two gateways reported. One transaction."""
    if not chunk:
        return
    rows = []
    with use_case():
        for client_id, movement in chunk:
            rows.append(_gateway_payment(books, client_id, movement, clearing))
        Payment.objects.bulk_create(rows)


def _gateway_payment(books: Books, client_id: UUID, movement: Movement, clearing: int) -> Payment:
    account = books.current[movement.person]
    incoming = movement.flow is Flow.PAY
    gateway = books.staff[(staff.PAYROLL if incoming else staff.CARDS)[0]]
    payment = Payment(
        id=stable_id("payment", client_id),
        kind=Kind.DEPOSIT if incoming else Kind.WITHDRAWAL,
        status=Status.COMPLETED,
        client_id=client_id,
        payload_sha256=payload_hash({"demo": str(client_id)}),
        debit_account=None if incoming else account,
        credit_account=account if incoming else None,
        amount_minor=movement.amount_minor,
        currency=account.currency,
        description=movement.text,
        initiated_by=gateway,
        channel=Channel.API,
        source=Source.INTEGRATOR if incoming else Source.OUTSIDE,
        created_at=movement.at,
        decided_at=movement.at,
    )
    payment.entry_id = ledger.post_transfer(
        external_ref=payment.id,
        debit_account_id=clearing if incoming else account.ledger_account_id,
        credit_account_id=account.ledger_account_id if incoming else clearing,
        amount_minor=movement.amount_minor,
        kind="deposit" if incoming else "withdrawal",
        description=movement.text,
        source_kind="payment",
        source_id=payment.id,
        booked_at=movement.at,
    ).entry_id
    return payment


def _transfer(books: Books, movement: Movement, client_id: UUID) -> None:
    """A transfer as the portal submits it; when the rules hold it, an officer decides a few hours later."""
    actor = books.users[movement.person]
    amount = Money(movement.amount_minor, "EUR").plain
    home = books.persons[movement.person].country
    if movement.flow is Flow.SAVE:
        payment = payments.submit_own_transfer(
            actor=actor,
            debit_account_id=books.current[movement.person].pk,
            credit_account_id=books.savings[movement.person].pk,
            amount=amount,
            client_id=client_id,
            channel=Channel.PORTAL,
            now=movement.at,
            description=movement.text,
            country=home,
        )
    else:
        assert movement.friend is not None
        payment = payments.submit_transfer(
            actor=actor,
            debit_account_id=books.current[movement.person].pk,
            payee_number=books.current[movement.friend].number,
            payee_name=books.users[movement.friend].full_name,
            amount=amount,
            client_id=client_id,
            channel=Channel.PORTAL,
            now=movement.at,
            description=movement.text,
            country=home,
        )
    if payment.status == Status.HELD:
        decide(books, payment, release=True, now=movement.at + timedelta(hours=3))


def decide(books: Books, payment: Payment, *, release: bool, now: datetime) -> None:
    """An officer's decision about a held payment."""
    case = Case.objects.get(subject_id=payment.pk)
    fraud.decide_case(
        actor=books.staff["compliance@demo.example"],
        case_id=case.pk,
        decision="RELEASE" if release else "DECLINE",
        reason="Confirmed with the customer by phone." if release else "The customer did not recognise this payment.",
        now=now,
    )


def utc_minute(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(second=0, microsecond=0)


def lock() -> None:
    """Two seedings at a time would do everything twice as slowly; the second waits, then finds all done."""
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [SEED])
