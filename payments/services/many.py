"""Many payments out of one account in one transaction: each on its own, or all or nothing.

Every payment is checked, counted, screened and recorded as a single one is; what could not be posted leaves no decision
behind. What needs no fee is posted by the ledger's batch function, in the order of the list.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db import transaction

from accounts import queries as accounts
from accounts import services as accounts_services
from accounts.models import Account
from common.db import require_transaction
from common.errors import DomainError
from common.money import InvalidAmount, Money
from common.rows import insert
from fraud.rules.facts import Outcome as Screened
from fraud.rules.facts import Verdict
from identity.models import User
from kyc.queries import Person
from ledger import queries as ledger_queries
from ledger import services as ledger
from payments import queries
from payments.errors import (
    AccountNotFound,
    ClientIdReused,
    NotEnoughMoney,
    PayeeCannotReceive,
    PayeeCurrencyDiffers,
    SameAccount,
    UnknownPayee,
    WholeRefused,
)
from payments.models import Channel, HoldCause, Kind, Payment, Source, Status
from payments.rules import ibans
from payments.rules.payees import check_name
from payments.rules.requests import payload_hash
from payments.services import limits, orders, parties, telling, transfers
from payments.services.orders import Order

# What became of one of the list: its payment (COMPLETED, HELD or REFUSED), or why there is none.
Outcome = Payment | DomainError


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One payment as somebody asks for it. `payee_number` is an account of this bank or an IBAN; `currency` may be empty."""

    client_id: UUID
    payee_name: str
    payee_number: str
    amount: Money
    currency: str = ""
    description: str = ""


def orders_for(
    *, actor: User, debit: Account, wanted: Sequence[Wanted], channel: Channel, country: str, now: datetime
) -> list[Order | DomainError]:
    """Each payment as an order with its payee and its fee, or what is wrong with it; a few queries however many.

    Errors: UnknownPayee, PayeeIsOwnAccount, PayeeCannotReceive, PayeeCurrencyDiffers, PayeeNameMissing,
    DescriptionTooLong.
    """
    outside = {each.payee_number: ibans.clean(each.payee_number) for each in wanted}
    inside = accounts.find_many(number for number, iban in outside.items() if iban is None)
    names = accounts.owner_display_names(inside.values())
    costs = queries.Costs(debit, channel=channel, at=now)
    source = _Common(actor, debit, parties.checked(debit.owner), channel, country, costs)
    made: list[Order | DomainError] = []
    for each in wanted:
        iban = outside[each.payee_number]
        try:
            order = source.to_account(each, inside, names) if iban is None else source.to_other_bank(each, iban)
        except DomainError as refusal:
            made.append(refusal)
        else:
            made.append(order)
    return made


def replayed(*, actor: User, listed: Iterable[Order]) -> dict[UUID, Outcome]:
    """The payments that these orders made before, by client id; ClientIdReused where the content was another."""
    wanted = {order.client_id: order.payload_sha256 for order in listed}
    return {
        payment.client_id: payment if payment.payload_sha256 == wanted[payment.client_id] else ClientIdReused()
        for payment in Payment.objects.filter(initiated_by=actor, client_id__in=wanted)
    }


def carry_out_each(listed: Sequence[Order], *, now: datetime) -> list[Outcome]:
    """Make what can be made, in the order of the list; a refusal takes no neighbour along.

    All orders are out of one account, whose debit side the caller has locked.
    """
    require_transaction()
    _note_activity(listed, now=now)
    refused: dict[int, DomainError] = {}
    while True:
        try:
            # What the ledger refuses was screened before: undo that, and go without it.
            with transaction.atomic():
                return _each(listed, refused, now=now)
        except _LedgerRefused as again:
            refused |= again.refused


def carry_out_all(listed: Sequence[Order], *, now: datetime) -> list[Outcome]:
    """Make all or none. Held ones count as made: their money is reserved.

    When none is made, each at fault has its own refusal (or its REFUSED payment, kept as evidence) and all others
    WholeRefused.
    """
    require_transaction()
    _note_activity(listed, now=now)
    try:
        with transaction.atomic():
            return _whole(listed, now=now)
    except _NothingMade as nothing:
        made = nothing.plan
    except _LedgerRefused as refusal:
        made = _Plan(at=now, outcomes=dict(refusal.refused))
    stopped: dict[int, Outcome] = {
        index: orders.refuse_again(order, verdict=verdict, now=made.at) for index, order, verdict in made.blocked
    }
    return [stopped.get(index) or made.outcomes.get(index) or WholeRefused() for index in range(len(listed))]


def nothing_made(outcomes: Sequence[Outcome]) -> bool:
    """Whether `carry_out_all` made none."""
    return any(isinstance(each, DomainError) or each.status == Status.REFUSED for each in outcomes)


@dataclass(slots=True)
class _Plan:
    """What the checks say about each of the list, before anything is posted. `at` is the time of all of them."""

    at: datetime
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    approved: list[tuple[int, Payment]] = field(default_factory=list)
    flagged: list[tuple[int, Order, Verdict | None]] = field(default_factory=list)
    blocked: list[tuple[int, Order, Verdict]] = field(default_factory=list)


class _LedgerRefused(Exception):
    """Rolls back to the savepoint; `refused` by place in the list."""

    def __init__(self, refused: Mapping[int, DomainError]) -> None:
        self.refused = dict(refused)


class _NothingMade(Exception):
    def __init__(self, plan: _Plan) -> None:
        self.plan = plan


class Purse:
    """The money available in an account, less what the list takes. Amounts in minor units."""

    def __init__(self, debit: Account) -> None:
        self._currency = debit.currency
        self._available = ledger_queries.balance(debit.ledger_account_id).available

    def require(self, order: Order) -> None:
        """Raise NotEnoughMoney (field `amount`) unless amount and fee are there."""
        needed = order.cost.total.amount_minor
        if self._available is not None and self._available < needed:
            left = Money(max(self._available, 0), self._currency)
            raise NotEnoughMoney(
                f"{left} is left in this account.",
                field="amount",
                data={"available_minor": self._available, "needed_minor": needed},
            )

    def take(self, order: Order) -> None:
        if self._available is not None:
            self._available -= order.cost.total.amount_minor


def tally_for(listed: Collection[Order], *, debit: Account, channel: Channel, now: datetime) -> limits.Tally:
    """The limits that these orders are counted against."""
    payees = {order.target for order in listed}
    return limits.Tally(customer_id=debit.owner_id, channel=channel, payees=payees, now=now)


def _note_activity(listed: Sequence[Order], *, now: datetime) -> None:
    """Outside of any savepoint: what is undone was asked for by the owner all the same."""
    if listed and listed[0].debit is not None:
        accounts_services.note_activity([listed[0].debit], now=now)


def _each(listed: Sequence[Order], refused: Mapping[int, DomainError], *, now: datetime) -> list[Outcome]:
    plan = _decide(listed, refused, now=now)
    for index, order, verdict in plan.blocked:
        plan.outcomes[index] = orders.refuse(order, verdict=verdict, now=plan.at)
    _settle(plan, ledger.post_batch)
    return [plan.outcomes[index] for index in range(len(listed))]


def _whole(listed: Sequence[Order], *, now: datetime) -> list[Outcome]:
    plan = _decide(listed, {}, now=now)
    if plan.outcomes or plan.blocked:
        raise _NothingMade(plan)
    _settle(plan, _post_all)
    return [plan.outcomes[index] for index in range(len(listed))]


def _decide(listed: Sequence[Order], refused: Mapping[int, DomainError], *, now: datetime) -> _Plan:
    """Count and screen one after the other, as if each were made before the next is looked at."""
    if not listed:
        return _Plan(at=now)
    debit = listed[0].debit
    assert debit is not None, "only payments out of an account are listed"
    plan = _Plan(at=orders.not_before_the_last(owner_id=debit.owner_id, now=now), outcomes=dict(refused))
    purse = Purse(debit)
    tally = tally_for(listed, debit=debit, channel=listed[0].channel, now=plan.at)
    for index, order in enumerate(listed):
        if index in plan.outcomes:
            continue
        try:
            purse.require(order)
            tally.require(amount_base_minor=order.amount_base_minor, payee=order.target)
        except DomainError as refusal:
            plan.outcomes[index] = refusal
            continue
        verdict = orders.screen(order, now=plan.at)
        if verdict is not None and verdict.outcome is Screened.BLOCKED:
            plan.blocked.append((index, order, verdict))
            continue
        if verdict is not None and verdict.outcome is Screened.APPROVED:
            plan.approved.append((index, _to_complete(order, verdict, now=plan.at)))
        else:
            plan.flagged.append((index, order, verdict))
        purse.take(order)
        assert order.amount_base_minor is not None, "the tally asked for it"
        tally.count(amount_base_minor=order.amount_base_minor, payee=order.target)
    return plan


def _to_complete(order: Order, verdict: Verdict, *, now: datetime) -> Payment:
    payment = orders.draft(order, status=Status.COMPLETED, now=now)
    payment.decision_id = verdict.decision_id
    payment.decided_at = now
    return payment


Post = Callable[..., list[ledger.TransferResult]]


def _settle(plan: _Plan, post: Post) -> None:
    """Post what was approved, then reserve what was flagged. Raises _LedgerRefused.

    In this order: a posting takes its references before its accounts, and a hold takes an account.
    """
    for has_fee, found in groupby(plan.approved, key=lambda each: bool(each[1].fee_minor)):
        run = list(found)
        refused = _post_with_fees(run, now=plan.at) if has_fee else _post_plain(run, post, now=plan.at)
        if refused:
            raise _LedgerRefused(refused)
    for index, payment in plan.approved:
        insert(payment, *telling.completed(payment))
        plan.outcomes[index] = payment
    for index, order, verdict in plan.flagged:
        plan.outcomes[index] = _hold(index, order, verdict, now=plan.at)


def _post_with_fees(run: list[tuple[int, Payment]], *, now: datetime) -> dict[int, DomainError]:
    """Three legs each: the batch function knows two."""
    refused: dict[int, DomainError] = {}
    for index, payment in run:
        try:
            with transaction.atomic():
                payment.entry_id = orders.post(payment, now=now).entry_id
        except DomainError as refusal:
            refused[index] = refusal
    return refused


def _post_plain(run: list[tuple[int, Payment]], post: Post, *, now: datetime) -> dict[int, DomainError]:
    results = post(items=[_item(payment, now=now) for _, payment in run], booked_at=now)
    refused: dict[int, DomainError] = {}
    for (index, payment), result in zip(run, results, strict=True):
        payment.entry_id = result.entry_id
        if result.entry_id is None:
            refused[index] = _REFUSALS[result.outcome]()
    return refused


def _post_all(*, items: Sequence[ledger.Transfer], booked_at: datetime) -> list[ledger.TransferResult]:
    """`ledger.post_all`, whose refusal ends the transaction: its outcomes as if it had not."""
    try:
        return ledger.post_all(items=items, booked_at=booked_at)
    except ledger.BatchRefused as refusal:
        return [ledger.TransferResult(outcome, _no_entry(outcome)) for outcome in refusal.data["outcomes"]]


def _no_entry(outcome: ledger.Outcome) -> int | None:
    """Zero stands for an entry that is undone, so that only those at fault count as refused."""
    return 0 if outcome in (ledger.Outcome.POSTED, ledger.Outcome.REPLAYED) else None


def _item(payment: Payment, *, now: datetime) -> ledger.Transfer:
    facts = orders.entry_facts(payment, now=now)
    debit, credit = orders.legs_of(payment)
    return ledger.Transfer(
        external_ref=payment.pk,
        debit_account_id=debit.account_id,
        credit_account_id=credit.account_id,
        amount_minor=credit.amount_minor,
        kind=facts["kind"],
        description=facts["description"],
        source_kind=facts["source_kind"],
        source_id=str(facts["source_id"]),
    )


# The payer's own account was checked under its lock: what cannot be used is the payee's.
_REFUSALS: dict[ledger.Outcome, type[DomainError]] = {
    ledger.Outcome.INSUFFICIENT_FUNDS: NotEnoughMoney,
    ledger.Outcome.ACCOUNT_FROZEN: PayeeCannotReceive,
    ledger.Outcome.ACCOUNT_CLOSED: PayeeCannotReceive,
    ledger.Outcome.UNKNOWN_ACCOUNT: AccountNotFound,
    ledger.Outcome.CURRENCY_MISMATCH: PayeeCurrencyDiffers,
    ledger.Outcome.REFERENCE_REUSED: ClientIdReused,
    ledger.Outcome.INVALID_AMOUNT: InvalidAmount,
    ledger.Outcome.SAME_ACCOUNT: SameAccount,
}


def _hold(index: int, order: Order, verdict: Verdict | None, *, now: datetime) -> Payment:
    cause = HoldCause.UNSCREENED if verdict is None else HoldCause.FLAGGED
    kept = orders.unscreened(order, now=now) if verdict is None else verdict
    try:
        return orders.hold(order, cause=cause, verdict=kept, now=now)
    except DomainError as refusal:
        raise _LedgerRefused({index: refusal}) from refusal


@dataclass(frozen=True, slots=True)
class _Common:
    """What all orders of a list share."""

    actor: User
    debit: Account
    payer: Person | None
    channel: Channel
    country: str
    costs: queries.Costs

    def to_account(self, wanted: Wanted, inside: Mapping[str, Account], names: Mapping[int, str]) -> Order:
        credit = inside.get(wanted.payee_number)
        if credit is None:
            raise UnknownPayee(field="payee_number")
        parties.require_payable(credit, actor=self.actor, currency=self.debit.currency)
        _require_currency(wanted, self.debit)
        typed = parties.clean_name(wanted.payee_name)
        return transfers.order_to_payee(
            actor=self.actor,
            client_id=wanted.client_id,
            payload_sha256=_digest(wanted, Kind.TRANSFER, self.debit),
            debit=self.debit,
            credit=credit,
            payer=self.payer,
            cost=self.costs.of(wanted.amount, kind=Kind.TRANSFER),
            payee_name=typed,
            payee_match=check_name(typed=typed, actual=names[credit.owner_id]).result.value,
            channel=self.channel,
            description=wanted.description,
            country=self.country,
        )

    def to_other_bank(self, wanted: Wanted, iban: str) -> Order:
        _require_currency(wanted, self.debit)
        return Order(
            kind=Kind.WITHDRAWAL,
            actor=self.actor,
            client_id=wanted.client_id,
            payload_sha256=_digest(wanted, Kind.WITHDRAWAL, self.debit),
            debit=self.debit,
            credit=None,
            payer=self.payer,
            cost=self.costs.of(wanted.amount, kind=Kind.WITHDRAWAL, source=Source.OUTSIDE),
            channel=self.channel,
            source=Source.OUTSIDE,
            outside_account=iban,
            payee_name=parties.clean_name(wanted.payee_name),
            description=parties.clean_description(wanted.description),
            country=self.country,
        )


def _require_currency(wanted: Wanted, debit: Account) -> None:
    if wanted.currency and wanted.currency != debit.currency:
        raise PayeeCurrencyDiffers(f"This account pays in {debit.currency} only.", field="currency")


def _digest(wanted: Wanted, kind: Kind, debit: Account) -> str:
    return payload_hash(
        {
            "kind": kind.value,
            "debit_account": str(debit.pk),
            "payee_number": wanted.payee_number,
            "payee_name": wanted.payee_name,
            "amount": wanted.amount.plain,
            "currency": wanted.currency,
            "description": wanted.description,
        }
    )
