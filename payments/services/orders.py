"""Carrying out one order: screened, then posted, held or refused, and recorded, all in the caller's transaction."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypedDict

from accounts import services as accounts
from accounts.models import Account
from common import request_context
from common.db import require_transaction
from common.ids import new_id
from common.money import Money
from common.rows import Rows, fresh, insert
from fraud import services as fraud
from fraud.rules.facts import Facts, Outcome, TransferType, Verdict
from identity.models import User
from kyc.queries import Person
from ledger import services as ledger
from ledger.queries import Balance
from payments.errors import ClientIdReused, NotEnoughMoney
from payments.models import Channel, HoldCause, Kind, Payment, Source, Status
from payments.queries import WAITING_AT_MOST, Lookup, Target, latest_payment_at, limit_used
from payments.rules.costs import Cost
from payments.rules.requests import payload_hash
from payments.services import limits, parties, telling

HOLD_LASTS = timedelta(hours=72)
# A customer waits for the answer: a scorer that takes longer has failed, and the payment waits for a person.
SCREENING_BUDGET_SECONDS = 2.0
SUBJECT_KIND = "payment"
SETTLEMENT, CASH, FEE_INCOME = "1100", "1000", "4100"

_TRANSFER_TYPES = {
    Kind.TRANSFER: TransferType.INTERNAL,
    Kind.OWN_TRANSFER: TransferType.OWN,
    Kind.WITHDRAWAL: TransferType.WITHDRAWAL,
}
_LEDGER_KINDS = {
    Kind.TRANSFER: "transfer",
    Kind.OWN_TRANSFER: "own_transfer",
    Kind.DEPOSIT: "deposit",
    Kind.WITHDRAWAL: "withdrawal",
}
_KNOWN = Rows(
    "SELECT {payment} FROM payments_payment payment"
    " WHERE payment.initiated_by_id = %(actor)s AND payment.client_id = %(client_id)s",
    payment=Payment,
)
# Where somebody learns at once that a payment failed, and may ask for it again.
_CAN_ASK_AGAIN = frozenset({Channel.PORTAL, Channel.API, Channel.TELLER})
_BLOCKED_TEXT = "Our checks stopped this payment."


@dataclass(frozen=True, kw_only=True)
class Order:
    """What somebody asked for, every input checked. `debit` is None for a deposit, `credit` for a withdrawal."""

    kind: Kind
    actor: User
    client_id: uuid.UUID
    payload_sha256: str
    debit: Account | None
    credit: Account | None
    # Who pays, as the bank has checked it; None for a deposit and before the first identity check.
    payer: Person | None
    cost: Cost
    channel: Channel
    description: str = ""
    payee_name: str = ""
    payee_match: str = ""
    outside_account: str = ""
    source: Source = Source.NONE
    country: str = ""
    id: uuid.UUID = field(default_factory=new_id)

    @property
    def target(self) -> Target:
        """Who is paid, as limits know it."""
        return Target(self.credit.pk if self.credit else None, self.outside_account)

    @cached_property
    def amount_base_minor(self) -> int | None:
        """The amount in minor units of the base currency; None without a reference rate."""
        return parties.base_amount(self.cost.amount)


def replayed(*, actor: User, client_id: uuid.UUID, payload: dict[str, str | int]) -> Payment | None:
    """The payment that this request made before, if any. Raises ClientIdReused when its content was another."""
    found = _KNOWN.first({"actor": actor.pk, "client_id": client_id})
    known: Payment | None = found[0] if found else None
    if known is not None and known.payload_sha256 != payload_hash(payload):
        raise ClientIdReused
    return known


def repeated(found: Lookup, *, actor: User, client_id: uuid.UUID, payload: dict[str, str | int]) -> Payment | None:
    """As `replayed`, where it was looked up whether there is such a payment."""
    return replayed(actor=actor, client_id=client_id, payload=payload) if found.is_repeated else None


def carry_out(order: Order, *, found: Lookup, now: datetime) -> Payment:
    """Screen the order and do what the verdict says. `found` was looked up under the lock of the debit side.

    Returns the payment: COMPLETED, HELD or REFUSED. Raises NotEnoughMoney (field `amount`), AccountNotUsable.
    """
    require_transaction()
    _require_funds(order, found.balance)
    assert order.debit is not None, "only payments out of an account are screened"
    now = found.latest_at or now
    _require_within_limits(order, found, now=now)
    own = [order.debit, order.credit] if order.kind == Kind.OWN_TRANSFER else [order.debit]
    accounts.note_activity([account for account in own if account is not None], now=now)
    verdict = screen(order, now=now, rows_wait=order.channel in _CAN_ASK_AGAIN)
    if verdict is None:
        return hold(order, cause=HoldCause.UNSCREENED, verdict=unscreened(order, now=now), now=now)
    if verdict.outcome is Outcome.APPROVED:
        return complete(order, decision_id=verdict.decision_id, now=now)
    if verdict.outcome is Outcome.FLAGGED:
        return hold(order, cause=HoldCause.FLAGGED, verdict=verdict, now=now)
    return refuse(order, verdict=verdict, now=now)


def not_before_the_last(*, owner_id: int, now: datetime) -> datetime:
    """The time of the customer's latest payment when that is slightly later than `now`, else `now`.

    Requests read the clock before they wait for the lock, so they come out of it in another order. Limits count what
    happened up to a moment: a payment stamped earlier than the one before it would not count that one.
    """
    return latest_payment_at(customer_id=owner_id, after=now, until=now + WAITING_AT_MOST) or now


def _require_funds(order: Order, balance: Balance | None) -> None:
    """Raise NotEnoughMoney unless the account that pays has the amount and the fee available."""
    assert order.debit is not None, "only payments out of an account are screened"
    assert balance is not None, "every account of a customer has a balance"
    available = balance.available
    if available is not None and available < order.cost.total.amount_minor:
        raise NotEnoughMoney(
            f"This account has {Money(max(available, 0), order.debit.currency)} available.",
            field="amount",
            data={"available_minor": available, "needed_minor": order.cost.total.amount_minor},
        )


def _require_within_limits(order: Order, found: Lookup, *, now: datetime) -> None:
    if found.limits is None:
        return
    used = found.used
    if used is None or found.latest_at is not None:
        # What came before this one has a later time: counted again up to that.
        assert order.debit is not None, "only payments out of an account are limited"
        used = limit_used(customer_id=order.debit.owner_id, channel=order.channel, payee=order.target, now=now)
    limits.require_left(amount_base_minor=order.amount_base_minor, holding=found.limits, used=used)


def screen(order: Order, *, now: datetime, rows_wait: bool = False) -> Verdict | None:
    """Ask fraud. None when the scorer failed or took too long: the caller must not wave the payment through.

    Then nothing of the attempt is kept: an approval that came too late must not count as one later. The same when the database
    refuses the rows of the decision; with `rows_wait` they travel with what comes next, and then fail the payment instead.
    """
    facts = _facts(order, now=now)
    return fraud.in_time(
        lambda: fraud.screen(facts=facts), subject_id=order.id, seconds=SCREENING_BUDGET_SECONDS, rows_wait=rows_wait
    )


def refuse_again(order: Order, *, verdict: Verdict, now: datetime) -> Payment:
    """Record a refusal whose transaction was undone together with what stood around it."""
    kept = fraud.keep_verdict(facts=_facts(order, now=now), verdict=verdict)
    return refuse(order, verdict=kept, now=now)


def unscreened(order: Order, *, now: datetime) -> Verdict:
    """Open the case in which a person decides what the checks did not.

    When not even that can be written, the payment fails as a whole: a held payment that nobody sees helps nobody.
    """
    return fraud.hold_unscreened(facts=_facts(order, now=now))


def complete(order: Order, *, decision_id: uuid.UUID | None, now: datetime) -> Payment:
    """Post the order and record it as COMPLETED. Raises NotEnoughMoney and what the ledger raises."""
    payment = draft(order, status=Status.COMPLETED, now=now)
    payment.decision_id = decision_id
    payment.decided_at = now
    payment.entry_id = post(payment, now=now).entry_id
    insert(payment, *telling.completed(payment))
    return payment


def hold(order: Order, *, cause: HoldCause, verdict: Verdict, now: datetime) -> Payment:
    """Reserve amount and fee until a person decides or the hold expires."""
    assert order.debit is not None, "only payments out of an account are screened"
    payment = draft(order, status=Status.HELD, now=now)
    payment.hold_cause = cause
    payment.expires_at = now + HOLD_LASTS
    payment.decision_id = verdict.decision_id
    payment.reasons = _reasons(verdict)
    with _funds_beside_amount():
        placed = ledger.place_hold(
            external_ref=payment.pk,
            account_id=order.debit.ledger_account_id,
            amount_minor=order.cost.total.amount_minor,
            expires_at=payment.expires_at,
            source_kind=SUBJECT_KIND,
            source_id=payment.pk,
            now=now,
        )
    payment.hold_id = placed.hold_id
    insert(payment, *telling.held(payment))
    return payment


def refuse(order: Order, *, verdict: Verdict, now: datetime) -> Payment:
    """Record the refusal; no money is touched."""
    payment = draft(order, status=Status.REFUSED, now=now)
    payment.decision_id = verdict.decision_id
    payment.decided_at = now
    payment.reasons = _reasons(verdict)
    payment.refusal_code = "blocked"
    payment.refusal_text = " ".join(reason.text for reason in verdict.reasons)[:500] or _BLOCKED_TEXT
    insert(payment, *telling.refused(payment))
    return payment


def draft(order: Order, *, status: Status, now: datetime) -> Payment:
    """The payment's row, not saved."""
    payment = fresh(
        Payment,
        id=order.id,
        kind=order.kind,
        status=status,
        client_id=order.client_id,
        payload_sha256=order.payload_sha256,
        debit_account=order.debit,
        credit_account=order.credit,
        amount_minor=order.cost.amount.amount_minor,
        fee_minor=order.cost.fee.amount_minor,
        fee_note=order.cost.fee_note,
        fee_version_id=order.cost.fee_version_id,
        currency=order.cost.amount.currency,
        amount_base_minor=order.amount_base_minor,
        description=order.description,
        payee_name=order.payee_name,
        payee_match=order.payee_match,
        outside_account=order.outside_account,
        initiated_by=order.actor,
        channel=order.channel,
        source=order.source,
        country=order.country,
        created_at=now,
    )
    payment.payer_name = order.payer.full_name if order.payer else ""
    return payment


def _reasons(verdict: Verdict) -> list[dict[str, str]]:
    return [{"code": reason.code, "text": reason.text} for reason in verdict.reasons]


class EntryFacts(TypedDict):
    kind: str
    description: str
    source_kind: str
    source_id: uuid.UUID
    booked_at: datetime


def entry_facts(payment: Payment, *, now: datetime) -> EntryFacts:
    """What the journal says about a payment, apart from the amounts."""
    return EntryFacts(
        kind=_LEDGER_KINDS[Kind(payment.kind)],
        description=_journal_text(payment),
        source_kind=SUBJECT_KIND,
        source_id=payment.pk,
        booked_at=now,
    )


def _journal_text(payment: Payment) -> str:
    """What both sides read on their statement."""
    if payment.kind == Kind.TRANSFER:
        text = f"{telling.payer_label(payment)} to {telling.payee_label(payment)}"
    elif payment.kind == Kind.OWN_TRANSFER:
        text = "Between own accounts"
    elif payment.kind == Kind.DEPOSIT:
        text = f"Deposit: {Source(payment.source).label.lower()}"
    else:
        to = payment.outside_account or payment.payee_name or Source(payment.source).label.lower()
        text = f"Withdrawal: {to}"
    return (f"{text}. {payment.description}" if payment.description else text)[:200]


def legs_of(payment: Payment) -> list[ledger.Leg]:
    """Who pays, who receives, and the fee; debits are negative. Cash and settlement stand in for the world outside."""
    outside = CASH if payment.source == Source.CASH else SETTLEMENT
    debit, credit = payment.debit_account, payment.credit_account
    payer = debit.ledger_account_id if debit else _internal(outside, payment.currency)
    payee = credit.ledger_account_id if credit else _internal(outside, payment.currency)
    legs = [ledger.Leg(payer, -payment.total.amount_minor), ledger.Leg(payee, payment.amount_minor)]
    if payment.fee_minor:
        legs.append(ledger.Leg(_internal(FEE_INCOME, payment.currency), payment.fee_minor))
    return legs


def _internal(gl_code: str, currency: str) -> int:
    return ledger.internal_account(gl_code=gl_code, currency=currency)


def post(payment: Payment, *, now: datetime) -> ledger.PostedEntry:
    """One entry: two legs, or three with a fee. Raises NotEnoughMoney and what the ledger raises."""
    debit, credit, *fee = legs_of(payment)
    facts = entry_facts(payment, now=now)
    with _funds_beside_amount():
        if fee:
            return ledger.post_entry(external_ref=payment.pk, legs=[debit, credit, *fee], **facts)
        return ledger.post_transfer(
            external_ref=payment.pk,
            debit_account_id=debit.account_id,
            credit_account_id=credit.account_id,
            amount_minor=credit.amount_minor,
            **facts,
        )


def _facts(order: Order, *, now: datetime) -> Facts:
    assert order.debit is not None, "only payments out of an account are screened"
    context = request_context.current()
    amount, owner, credit = order.cost.amount, order.debit.owner, order.credit
    return Facts(
        subject_kind=SUBJECT_KIND,
        subject_id=order.id,
        customer_id=owner.public_id,
        account_ref=order.debit.pk,
        amount_minor=amount.amount_minor,
        currency=amount.currency,
        amount_base_minor=order.amount_base_minor,
        at=now,
        transfer_type=_TRANSFER_TYPES[order.kind],
        channel=order.channel,
        beneficiary_ref=str(credit.pk) if credit else order.outside_account or str(order.source),
        ip=context.ip,
        country=order.country,
        home_country=order.payer.home_country if order.payer else "",
        device=context.user_agent,
        account_label=order.debit.number,
        beneficiary_label=_beneficiary_label(order),
    )


def _beneficiary_label(order: Order) -> str:
    if order.credit is not None:
        return f"{order.payee_name or order.credit.owner.get_full_name()}, {order.credit.number}"
    return order.outside_account or Source(order.source).label


@contextmanager
def _funds_beside_amount() -> Iterator[None]:
    """The ledger knows no inputs: its refusal for want of money belongs beside the amount."""
    try:
        yield
    except ledger.InsufficientFunds as refusal:
        raise NotEnoughMoney(field="amount", data=refusal.data) from refusal
