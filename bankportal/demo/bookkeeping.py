"""Booking the demo bank's history in chunks, each one transaction: nothing is half done when it is cut short.

A bank that moves in brings its books along: the ledger posts every movement and fraud judges every transfer, by the
same functions as ever and in the order of time, but payments and trail are written many rows at once, and nobody is
sent ninety days of messages. What the rules hold goes the usual way: through the use case, then to an officer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from tqdm import tqdm

from accounts.models import Account
from audit.models import AuditEvent
from bankportal.demo import staff
from bankportal.demo.bank import SEED, Books, decide
from bankportal.demo.history import Flow, Movement, movements
from bankportal.demo.staff import stable_id
from common.db import use_case
from common.money import Money
from fraud import services as fraud
from fraud.rules.facts import Facts, Outcome, TransferType
from identity.models import User
from ledger import services as ledger
from notifications.models import OutboxEvent
from payments import services as payments
from payments.models import Channel, Kind, Payment, Source, Status
from payments.rules.requests import payload_hash
from payments.services import orders

# So many movements share one commit: fewer waits for the disk, little to repeat after an interruption.
CHUNK = 400


@dataclass(frozen=True, slots=True)
class _Step:
    """A movement with the client id that tells whether it was booked before."""

    client_id: UUID
    movement: Movement


def live_ninety_days(books: Books, *, end: datetime, quiet: bool) -> None:
    """Book what happened in the ninety days before `end`, from where an interrupted run stopped."""
    persons = [person for person in books.persons if person.index in books.current]
    plan = movements(
        persons=persons,
        openings=[books.current[person.index].opening_minor for person in persons],
        savers=set(books.savings),
        end=end - timedelta(hours=2),
        seed=SEED,
    )
    steps = [_Step(stable_id("movement", number), movement) for number, movement in enumerate(plan)]
    booked = dict(Payment.objects.filter(created_at__lt=end).values_list("client_id", "status"))
    for step in steps:
        if booked.get(step.client_id) == Status.HELD:
            # Cut short between the hold and the officer's decision.
            _submit(books, step)
    todo = [step for step in steps if step.client_id not in booked]
    clearing = ledger.internal_account(gl_code="1100", currency="EUR")
    with tqdm(
        desc="Ninety days of payments", unit="payment", total=len(steps), initial=len(steps) - len(todo), disable=quiet
    ) as bar:
        while todo:
            done = _book(books, todo[:CHUNK], clearing)
            if done == 0:
                _submit(books, todo[0])
                done = 1
            bar.update(done)
            todo = todo[done:]
    # Accounts opened three months ago and transfers released since are no news; identity checks wait for real.
    OutboxEvent.objects.filter(relayed_at=None).exclude(kind="kyc_submitted").delete()


def _book(books: Books, steps: Sequence[_Step], clearing: int) -> int:
    """Book as many steps as the rules let through, in one transaction; returns how many: it stops before the others."""
    rows: list[Payment] = []
    with use_case():
        for step in steps:
            payment = _payment(books, step)
            if payment.kind in (Kind.TRANSFER, Kind.OWN_TRANSFER):
                payment.decision_id = _approval(books, step, payment)
                if payment.decision_id is None:
                    break
            rows.append(payment)
        for payment in rows:
            payment.entry_id = _post(payment, clearing)
        Payment.objects.bulk_create(rows)
        AuditEvent.objects.bulk_create(_event(payment) for payment in rows)
    return len(rows)


def _payment(books: Books, step: _Step) -> Payment:
    """The row of a movement that is to be completed, as the use case writes it; not saved."""
    movement = step.movement
    current = books.current[movement.person]
    kind, debit, credit, actor = _sides(books, movement, current)
    payment = Payment(
        id=stable_id("payment", step.client_id),
        kind=kind,
        status=Status.COMPLETED,
        client_id=step.client_id,
        payload_sha256=payload_hash({"demo": str(step.client_id)}),
        debit_account=debit,
        credit_account=credit,
        amount_minor=movement.amount_minor,
        # The history is in the base currency.
        amount_base_minor=movement.amount_minor,
        currency=current.currency,
        description=movement.text,
        initiated_by=actor,
        channel=Channel.API if kind in (Kind.DEPOSIT, Kind.WITHDRAWAL) else Channel.PORTAL,
        created_at=movement.at,
        decided_at=movement.at,
    )
    if kind is Kind.DEPOSIT:
        payment.source = Source.INTEGRATOR
    elif kind is Kind.WITHDRAWAL:
        payment.source = Source.OUTSIDE
    else:
        payment.country = books.persons[movement.person].country
    if movement.friend is not None:
        payment.payee_name, payment.payee_match = books.users[movement.friend].full_name, "MATCH"
    return payment


def _sides(books: Books, movement: Movement, current: Account) -> tuple[Kind, Account | None, Account | None, User]:
    match movement.flow:
        case Flow.PAY:
            return Kind.DEPOSIT, None, current, books.staff[staff.PAYROLL[0]]
        case Flow.SPEND:
            return Kind.WITHDRAWAL, current, None, books.staff[staff.CARDS[0]]
        case Flow.SAVE:
            return Kind.OWN_TRANSFER, current, books.savings[movement.person], books.users[movement.person]
        case Flow.FRIEND:
            assert movement.friend is not None
            return Kind.TRANSFER, current, books.current[movement.friend], books.users[movement.person]


def _approval(books: Books, step: _Step, payment: Payment) -> UUID | None:
    """The decision that lets a transfer through; None, and nothing kept, when the rules would hold or stop it."""
    with transaction.atomic():
        verdict = fraud.screen(facts=_facts(books, step, payment))
        if verdict.outcome is Outcome.APPROVED:
            return verdict.decision_id
        transaction.set_rollback(True)
    return None


def _facts(books: Books, step: _Step, payment: Payment) -> Facts:
    debit, credit = payment.debit_account, payment.credit_account
    assert debit is not None
    assert credit is not None
    payee = payment.payee_name or books.users[step.movement.person].full_name
    return Facts(
        subject_kind=orders.SUBJECT_KIND,
        subject_id=payment.pk,
        customer_id=books.users[step.movement.person].public_id,
        account_ref=debit.pk,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        amount_base_minor=payment.amount_minor,
        at=step.movement.at,
        transfer_type=TransferType.OWN if payment.kind == Kind.OWN_TRANSFER else TransferType.INTERNAL,
        channel=payment.channel,
        beneficiary_ref=str(credit.pk),
        country=payment.country,
        home_country=payment.country,
        account_label=debit.number,
        beneficiary_label=f"{payee}, {credit.number}",
    )


def _post(payment: Payment, clearing: int) -> int:
    facts = orders.entry_facts(payment, now=payment.created_at)
    if payment.kind in (Kind.DEPOSIT, Kind.WITHDRAWAL):
        # The statement says who paid, or where the money was spent.
        facts["description"] = payment.description
    debit, credit = payment.debit_account, payment.credit_account
    return ledger.post_transfer(
        external_ref=payment.pk,
        debit_account_id=debit.ledger_account_id if debit else clearing,
        credit_account_id=credit.ledger_account_id if credit else clearing,
        amount_minor=payment.amount_minor,
        **facts,
    ).entry_id


def _event(payment: Payment) -> AuditEvent:
    """The trail of a completed payment, told at its own time."""
    return AuditEvent(
        at=payment.created_at,
        actor=payment.initiated_by,
        action=f"{payment.kind.lower()}.completed",
        subject_kind=orders.SUBJECT_KIND,
        subject_id=str(payment.pk),
        data={
            "kind": payment.kind,
            "amount_minor": payment.amount_minor,
            "fee_minor": 0,
            "currency": payment.currency,
            "debit_account": str(payment.debit_account_id or ""),
            "credit_account": str(payment.credit_account_id or ""),
            "entry_id": payment.entry_id,
        },
        channel=payment.channel,
    )


def _submit(books: Books, step: _Step) -> None:
    """A transfer as the portal submits it; when the rules hold it, an officer releases it some hours later."""
    movement = step.movement
    actor, debit = books.users[movement.person], books.current[movement.person]
    amount, home = Money(movement.amount_minor, "EUR").plain, books.persons[movement.person].country
    if movement.friend is None:
        payment = payments.submit_own_transfer(
            actor=actor,
            debit_account_id=debit.pk,
            credit_account_id=books.savings[movement.person].pk,
            amount=amount,
            client_id=step.client_id,
            channel=Channel.PORTAL,
            now=movement.at,
            description=movement.text,
            country=home,
        )
    else:
        payment = payments.submit_transfer(
            actor=actor,
            debit_account_id=debit.pk,
            payee_number=books.current[movement.friend].number,
            payee_name=books.users[movement.friend].full_name,
            amount=amount,
            client_id=step.client_id,
            channel=Channel.PORTAL,
            now=movement.at,
            description=movement.text,
            country=home,
        )
    if payment.status == Status.HELD:
        decide(books, payment, release=True, now=movement.at + timedelta(hours=3))
