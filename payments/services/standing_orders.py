"""Standing orders and scheduled transfers: made with the PIN, changed by their owner, run by the clock.

A run is two transactions. The first writes the run for a due date and moves the order on; its row is unique, so two
workers cannot both write it. The second makes the payment, whose client id is the run's id: killed anywhere, the next
tick finds the run waiting, and the money moves once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TypedDict
from uuid import UUID, uuid5

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from audit import services as audit
from common.db import as_use_case, require_transaction, use_case
from common.errors import DomainError
from common.money import display
from identity import services as identity
from identity.models import User
from notifications import services as notifications
from payments import queries
from payments.errors import (
    AccountNotUsable,
    InvalidSchedule,
    NotEnoughMoney,
    StandingOrderNotFound,
    StandingOrderOver,
    TooManyStandingOrders,
)
from payments.models import Channel, Kind, Payment, StandingOrder, StandingRun
from payments.rules.calendar import Unit
from payments.services import limits, orders, parties, transfers, withdrawals

logger = logging.getLogger(__name__)

MOST_OPEN = 100
FURTHEST_START = timedelta(days=2 * 366)
_OPEN = (StandingOrder.Status.ACTIVE, StandingOrder.Status.PAUSED)


class _Shared(TypedDict):
    actor: User
    debit_account_id: UUID
    amount: str
    client_id: UUID
    channel: Channel
    now: datetime
    description: str
    country: str


def draft_standing_order(
    *,
    actor: User,
    debit_account_id: UUID,
    amount: str,
    first_date: date,
    now: datetime,
    payee_number: str = "",
    payee_name: str = "",
    iban: str = "",
    credit_account_id: UUID | None = None,
    unit: str = Unit.ONCE.value,
    every: int = 1,
    last_date: date | None = None,
    description: str = "",
) -> StandingOrder:
    """The order as it would be made, every input checked and the payee's name compared; nothing is written.

    Name one payee: a number of this bank with a name, an IBAN (a name beside it is kept unchecked), or an own account.
    `amount` is decimal text in the currency of the account that pays. Raises InvalidSchedule, LimitExceeded (one
    payment), and what a transfer raises about its accounts, payee, amount and description.
    """
    own = parties.accounts_of(owner_id=actor.pk)
    debit = parties.pick(own, debit_account_id, field="debit_account")
    parties.require_usable(debit, field="debit_account")
    order = StandingOrder(customer=actor, debit_account=debit, description=parties.clean_description(description))
    if credit_account_id is not None:
        order.kind = Kind.OWN_TRANSFER
        order.credit_account = parties.pick_own_payee(own, debit=debit, credit_account_id=credit_account_id)
    elif iban:
        order.kind = Kind.WITHDRAWAL
        order.iban = withdrawals.clean_iban(iban)
        order.payee_name = parties.clean_name(payee_name) if payee_name.strip() else ""
    else:
        order.kind = Kind.TRANSFER
        order.credit_account = parties.find_payee(actor=actor, number=payee_number, currency=debit.currency)
        order.payee_match = parties.check_payee_name(typed=payee_name, payee=order.credit_account).result.value
        order.payee_name = parties.clean_name(payee_name)
    money = parties.amount_for(debit, amount=amount, currency="")
    order.amount_minor, order.currency = money.amount_minor, money.currency
    if order.kind != Kind.OWN_TRANSFER:
        limits.require_each_within(customer_id=actor.pk, amount_base_minor=parties.base_amount(money))
    _put_on_calendar(order, unit=unit, every=every, first_date=first_date, last_date=last_date, now=now)
    if first_date == timezone.localdate(now):
        _require_within_limits(order, now=now)
    return order


def make_standing_order(
    *, draft: StandingOrder, pin: str, now: datetime, client_id: UUID | None = None
) -> StandingOrder:
    """Keep a checked draft: its customer's PIN first. The same `client_id` again gives the order it made.

    Raises WrongPin, PinLocked, PinNotSet, TooManyStandingOrders.
    """
    identity.verify_pin(actor=draft.customer, pin=pin, now=now)
    with use_case():
        return make_standing_order_within(draft=draft, now=now, client_id=client_id)


def make_standing_order_within(*, draft: StandingOrder, now: datetime, client_id: UUID | None = None) -> StandingOrder:
    """`make_standing_order` inside the caller's transaction, the PIN checked before."""
    require_transaction()
    customer = User.objects.select_for_update(no_key=True).get(pk=draft.customer_id)
    if client_id is not None:
        # Bound to the customer: nobody's token meets another's order.
        draft.pk = uuid5(customer.public_id, f"standing-order:{client_id}")
        known = StandingOrder.objects.filter(pk=draft.pk).first()
        if known is not None:
            return known
    if StandingOrder.objects.filter(customer=customer, status__in=_OPEN).count() >= MOST_OPEN:
        raise TooManyStandingOrders
    draft.created_at = draft.changed_at = now
    draft.save(force_insert=True)
    _audit(
        draft, customer, "made", amount_minor=draft.amount_minor, currency=draft.currency, first=str(draft.first_date)
    )
    _tell(draft, "standing_order_made", how_often=_rhythm(draft), first=date_format(draft.first_date))
    return draft


def skip_next_run_within(*, actor: User, order_id: UUID, now: datetime) -> StandingOrder:
    """Leave the next due date out. Raises StandingOrderNotFound, StandingOrderOver, InvalidSchedule (too far ahead).

    Inside the caller's transaction; `skip_next_run` opens one.
    """
    require_transaction()

    def change(order: StandingOrder) -> None:
        if order.next_date is not None and order.next_date > timezone.localdate(now) + FURTHEST_START:
            raise InvalidSchedule("Days can be left out up to two years ahead.")
        _skip(order)

    return _changed(actor, order_id, "skipped", change, now=now)


skip_next_run = as_use_case(skip_next_run_within)


def pause_standing_order(*, actor: User, order_id: UUID, now: datetime) -> StandingOrder:
    """Make no payments until it is resumed; a day that waits for money is left out. Raises StandingOrderNotFound, StandingOrderOver."""

    def change(order: StandingOrder) -> None:
        order.status = StandingOrder.Status.PAUSED

    return _change(actor, order_id, "paused", change, now=now)


def resume_standing_order(*, actor: User, order_id: UUID, now: datetime) -> StandingOrder:
    """Go on with the first due date from today on; what fell into the pause is not made up.

    Raises StandingOrderNotFound, StandingOrderOver.
    """

    def change(order: StandingOrder) -> None:
        order.status = StandingOrder.Status.ACTIVE
        _move_on(order, order.plan.index_on_or_after(timezone.localdate(now), start=order.next_index))

    return _change(actor, order_id, "resumed", change, now=now)


def cancel_standing_order(*, actor: User, order_id: UUID, now: datetime) -> StandingOrder:
    """End it for good. Raises StandingOrderNotFound, StandingOrderOver."""
    return _change(actor, order_id, "cancelled", _cancel, now=now)


def run_due(*, now: datetime, limit: int = 500) -> int:
    """Make what is due. Safe to run twice at once and to kill anywhere. Returns how many payments were made."""
    today = timezone.localdate(now)
    due = StandingOrder.objects.filter(status=StandingOrder.Status.ACTIVE, next_date__lte=today)
    for order_id in list(due.order_by("next_date", "pk").values_list("pk", flat=True)[:limit]):
        while _claim(order_id, today=today, now=now):
            pass
    waiting = StandingRun.objects.filter(status=StandingRun.Status.WAITING, next_attempt_at__lte=now)
    ready = list(waiting.order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:limit])
    return sum(_attempt_apart(run_id, now=now) for run_id in ready)


def _attempt_apart(run_id: UUID, *, now: datetime) -> bool:
    try:
        return _attempt(run_id, now=now)
    except Exception:  # one order must not keep all others from being paid; the next tick tries it again
        logger.exception("a standing order could not be paid", extra={"standing_run": str(run_id)})
        return False


def _put_on_calendar(
    order: StandingOrder, *, unit: str, every: int, first_date: date, last_date: date | None, now: datetime
) -> None:
    today = timezone.localdate(now)
    if not today <= first_date <= today + FURTHEST_START:
        raise InvalidSchedule("Choose a first day from today on, within two years.", field="first_date")
    if unit not in set(Unit):
        raise InvalidSchedule("Choose how often to pay.", field="unit")
    if not 1 <= every <= 52:
        raise InvalidSchedule("Choose a number from 1 to 52.", field="every")
    if unit == Unit.ONCE:
        last_date = None
    if last_date is not None and last_date < first_date:
        raise InvalidSchedule("The last day comes before the first.", field="last_date")
    order.unit, order.every, order.first_date, order.last_date = unit, every, first_date, last_date
    order.next_index, order.next_date, order.status = 0, first_date, StandingOrder.Status.ACTIVE


def _change(
    actor: User, order_id: UUID, done: str, change: Callable[[StandingOrder], None], *, now: datetime
) -> StandingOrder:
    with use_case():
        return _changed(actor, order_id, done, change, now=now)


def _changed(
    actor: User, order_id: UUID, done: str, change: Callable[[StandingOrder], None], *, now: datetime
) -> StandingOrder:
    order = StandingOrder.objects.select_for_update().filter(pk=order_id, customer=actor).first()
    if order is None:
        raise StandingOrderNotFound
    if order.status not in _OPEN:
        raise StandingOrderOver
    change(order)
    order.changed_at = now
    order.save()
    _audit(order, actor, done)
    return order


def _skip(order: StandingOrder) -> None:
    assert order.next_date is not None, "the database sees to it that an open order has a date"
    StandingRun.objects.create(order=order, due_date=order.next_date, status=StandingRun.Status.SKIPPED)
    _move_on(order, order.next_index + 1)


def _cancel(order: StandingOrder) -> None:
    order.status = StandingOrder.Status.CANCELLED
    order.next_date = None


def _move_on(order: StandingOrder, index: int) -> None:
    """Set the next due date, or end the order when none is left."""
    order.next_index = index
    order.next_date = order.plan.date_of(index)
    if order.next_date is None:
        order.status = StandingOrder.Status.ENDED


def _claim(order_id: UUID, *, today: date, now: datetime) -> bool:
    """Write the run of one due date and move the order on. False when nothing (more) is due, or another has it."""
    with use_case():
        order = StandingOrder.objects.select_for_update(skip_locked=True).filter(pk=order_id).first()
        if order is None or order.status != StandingOrder.Status.ACTIVE:
            return False
        if order.next_date is None or order.next_date > today:
            return False
        StandingRun.objects.create(
            order=order, due_date=order.next_date, status=StandingRun.Status.WAITING, next_attempt_at=now
        )
        _move_on(order, order.next_index + 1)
        order.changed_at = now
        order.save()
        return True


def _attempt(run_id: UUID, *, now: datetime) -> bool:
    """Make a run's payment, or note why not. True when a payment was made, whatever its outcome."""
    with use_case():
        # With its order: nobody cancels it while it pays, and whoever is changing it is waited for until the next tick.
        runs = StandingRun.objects.select_for_update(skip_locked=True, of=("self", "order"))
        run = (
            runs.select_related("order__customer", "order__debit_account", "order__credit_account")
            .filter(pk=run_id, status=StandingRun.Status.WAITING, next_attempt_at__lte=now)
            .first()
        )
        if run is None:
            return False
        order = run.order
        if order.status in (StandingOrder.Status.CANCELLED, StandingOrder.Status.PAUSED):
            run.status, run.next_attempt_at = StandingRun.Status.SKIPPED, None
            run.save()
            return False
        run.attempts += 1
        try:
            # A refusal of the ledger ends the transaction it happens in: let it end this part only.
            with transaction.atomic():
                run.payment = _pay(run, now=now)
        except DomainError as refusal:
            _note_failure(run, refusal, now=now)
        else:
            run.status, run.next_attempt_at = StandingRun.Status.DONE, None
        run.save()
        return run.payment is not None


def _pay(run: StandingRun, *, now: datetime) -> Payment:
    order = run.order
    if not order.customer.is_active:
        raise AccountNotUsable("The customer's login is closed.")
    if now - order.created_at < queries.COOLING_OFF:
        parties.lock_debit_side(owner_id=order.customer_id)
        _require_within_limits(order, now=orders.not_before_the_last(owner_id=order.customer_id, now=now))
    shared = _Shared(
        actor=order.customer,
        debit_account_id=order.debit_account_id,
        amount=order.amount.plain,
        client_id=run.pk,
        channel=Channel.ORDER,
        now=now,
        description=order.description,
        # Nobody is anywhere when the clock pays: as if from home.
        country=parties.home_country(order.customer),
    )
    if order.kind == Kind.WITHDRAWAL:
        return withdrawals.withdraw_within(iban=order.iban, **shared)
    assert order.credit_account is not None, "the database sees to it that a transfer has a payee"
    if order.kind == Kind.OWN_TRANSFER:
        return transfers.submit_own_transfer_within(credit_account_id=order.credit_account.pk, **shared)
    return transfers.submit_transfer_within(
        payee_number=order.credit_account.number, payee_name=order.payee_name, **shared
    )


def _require_within_limits(order: StandingOrder, *, now: datetime) -> None:
    """What an order pays in the day after it was made is held to the portal's limits, or it would lead around them."""
    limits.require_within(
        customer_id=order.customer_id,
        kind=Kind(order.kind),
        channel=Channel.PORTAL,
        amount_base_minor=parties.base_amount(order.amount),
        payee=queries.Target(order.credit_account_id, order.iban),
        now=now,
    )


def _note_failure(run: StandingRun, refusal: DomainError, *, now: datetime) -> None:
    """Want of money is tried again as configured; anything else, or the last try, is told to the customer."""
    if isinstance(refusal, NotEnoughMoney) and run.attempts < settings.STANDING_ORDER_ATTEMPTS:
        run.next_attempt_at = now + timedelta(minutes=settings.STANDING_ORDER_RETRY_MINUTES)
        return
    run.status, run.next_attempt_at = StandingRun.Status.FAILED, None
    run.failure_code, run.failure_text = refusal.error_code[:40], refusal.text[:300]
    order = run.order
    _audit(order, None, "failed", due=str(run.due_date), code=refusal.error_code, attempts=run.attempts)
    _tell(order, "standing_order_failed", reason=refusal.text)
    if refusal.error_code == "account_closed" and order.status in _OPEN:
        _cancel(order)
        order.changed_at = now
        order.save()


def _rhythm(order: StandingOrder) -> str:
    return queries.how_often(unit=Unit(order.unit), every=order.every).lower()


def _tell(order: StandingOrder, kind: str, **facts: str) -> None:
    notifications.notify(
        user_id=order.customer_id,
        kind=kind,
        data={
            "amount": display(order.amount),
            "payee": queries.payee_label(order),
            "account": order.debit_account.masked_number,
            "url": reverse("payments:standing_order", args=[order.pk]),
            **facts,
        },
    )


def _audit(order: StandingOrder, actor: User | None, done: str, **facts: object) -> None:
    audit.record(
        actor=actor, action=f"standing_order.{done}", subject_kind="standing_order", subject_id=order.pk, data=facts
    )
