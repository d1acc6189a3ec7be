"""Limits on what leaves a customer's accounts: who set them, what is used, and the check under the lock."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from django.conf import settings

from audit import services as audit
from common.db import require_transaction, use_case
from common.money import Money
from identity import services as identity
from identity.models import User
from notifications import services as notifications
from payments import queries
from payments.errors import CustomerNotFound, LimitExceeded, LimitTooHigh, NoReferenceRate, OwnLimits
from payments.models import Channel, Kind, Limit
from payments.rules.limits import Excess, Limits, Used, Window, first_excess

# Own limits are about amounts and time; how carefully a new payee is treated stays the bank's decision.
OWN_WINDOWS = (Window.PER_PAYMENT, Window.DAILY, Window.MONTHLY)
_TEXTS = {
    Window.PER_PAYMENT: "Your limit for one payment is {limit}.",
    Window.DAILY: "This is above your limit of {limit} a day; {left} is left today.",
    Window.MONTHLY: "This is above your limit of {limit} a month; {left} is left this month.",
    Window.NEW_PAYEE: "This payee is new. You can send {limit} in the first 24 hours; {left} is left.",
}


def require_within(
    *,
    customer_id: int,
    kind: Kind,
    channel: Channel,
    amount_base_minor: int | None,
    payee: queries.Target,
    now: datetime,
) -> None:
    """Raise LimitExceeded (field `amount`) when a payment that is not written yet would break a limit of its payer.

    Call it under the lock of the debit side: every payment that counts is written before the lock is free again. Raises
    NoReferenceRate when the amount cannot be compared. Own transfers and what a teller does are not limited.
    """
    if channel not in queries.LIMITED_CHANNELS or kind not in queries.LIMITED_KINDS:
        return
    require_left(
        amount_base_minor=amount_base_minor,
        holding=queries.effective_limits(customer_id=customer_id, channel=channel),
        used=queries.limit_used(customer_id=customer_id, channel=channel, payee=payee, now=now),
    )


def require_left(*, amount_base_minor: int | None, holding: Limits, used: Used) -> None:
    """Raise LimitExceeded or NoReferenceRate (field `amount`) when an amount breaks a limit of which so much is used."""
    if amount_base_minor is None:
        raise NoReferenceRate(field="amount")
    excess = first_excess(amount=amount_base_minor, limits=holding, used=used)
    if excess is not None:
        raise _refusal(excess)


class Tally:
    """Counts many payments of one customer against the limits of one channel, before any of them is written.

    Made and used under the lock of the debit side. Amounts are minor units of the base currency.
    """

    def __init__(
        self, *, customer_id: int, channel: Channel, payees: Collection[queries.Target], now: datetime
    ) -> None:
        self._limits = queries.effective_limits(customer_id=customer_id, channel=channel)
        used = queries.limit_used(customer_id=customer_id, channel=channel, payee=None, now=now)
        self._daily, self._monthly = used.daily, used.monthly
        self._new = queries.sent_while_new(customer_id=customer_id, payees=set(payees), now=now)

    def require(self, *, amount_base_minor: int | None, payee: queries.Target) -> None:
        """Raise LimitExceeded or NoReferenceRate (field `amount`) when one more payment would break a limit."""
        used = Used(daily=self._daily, monthly=self._monthly, new_payee=self._new.get(payee))
        require_left(amount_base_minor=amount_base_minor, holding=self._limits, used=used)

    def count(self, *, amount_base_minor: int, payee: queries.Target) -> None:
        """This payment is going to be made or held."""
        self._daily += amount_base_minor
        self._monthly += amount_base_minor
        if payee in self._new:
            self._new[payee] += amount_base_minor


def require_each_within(*, customer_id: int, amount_base_minor: int | None) -> None:
    """Raise LimitExceeded when a standing order's amount is above the portal's limit for one payment.

    Its days and months are not counted: it was confirmed as a whole.
    """
    if amount_base_minor is None:
        raise NoReferenceRate(field="amount")
    most = queries.effective_limits(customer_id=customer_id, channel=Channel.PORTAL).per_payment
    if most is not None and amount_base_minor > most:
        raise _refusal(Excess(Window.PER_PAYMENT, most, most))


def set_own_limits(*, actor: User, channel: Channel, limits: Limits, pin: str, now: datetime) -> None:
    """Set the actor's own limits; None takes one away. The PIN is asked because limits protect when a password is lost.

    Raises WrongPin, PinLocked, PinNotSet, LimitTooHigh beside the window that exceeds the bank's.
    """
    identity.verify_pin(actor=actor, pin=pin, now=now)
    with use_case():
        bank, _ = queries.bank_and_own_limits(customer_id=actor.pk, channel=channel)
        for window in OWN_WINDOWS:
            wanted, most = limits[window], bank[window]
            if wanted is not None and most is not None and wanted > most:
                raise LimitTooHigh(
                    f"The bank's limit is {Money(most, settings.BASE_CURRENCY)}.",
                    field=window.value,
                    data={"most_minor": most},
                )
        values = {f"{window.value}_minor": limits[window] for window in OWN_WINDOWS}
        _write(actor, customer=actor, channel=channel, set_by=Limit.SetBy.CUSTOMER, values=values, now=now, reason="")
        notifications.notify(user_id=actor.pk, kind="limits_changed", data={})


def set_bank_limits(
    *, actor: User, customer: User | None, channel: Channel, limits: Limits, reason: str, now: datetime
) -> None:
    """Staff set the bank's limits for one customer, or the default of all (`customer` None). Audited with the reason.

    Raises PermissionMissing (payment_limits), and Forbidden when it is about the actor's own accounts.
    """
    with use_case():
        identity.require(actor, "payment_limits")
        if customer is not None and customer.pk == actor.pk:
            raise OwnLimits
        values = {f"{window.value}_minor": limits[window] for window in Window}
        _write(
            actor, customer=customer, channel=channel, set_by=Limit.SetBy.BANK, values=values, now=now, reason=reason
        )


def find_customer(email: str) -> User:
    """A customer by e-mail address. Raises CustomerNotFound beside `email`."""
    found = User.objects.filter(email=email.strip().lower(), is_active=True, is_staff=False).first()
    if found is None:
        raise CustomerNotFound(field="email")
    return found


def _write(
    actor: User,
    *,
    customer: User | None,
    channel: Channel,
    set_by: Limit.SetBy,
    values: Mapping[str, int | None],
    now: datetime,
    reason: str,
) -> None:
    require_transaction()
    row, _ = Limit.objects.update_or_create(
        customer=customer, channel=channel, set_by=set_by, defaults={**values, "changed_at": now}
    )
    audit.record(
        actor=actor,
        action="limits.set",
        subject_kind="limit",
        subject_id=row.pk,
        data={"customer": str(customer.public_id) if customer else "", "channel": channel.value, **values},
        reason=reason,
    )


def _refusal(excess: Excess) -> LimitExceeded:
    limit, left = (Money(value, settings.BASE_CURRENCY) for value in (excess.limit, excess.left))
    return LimitExceeded(
        _TEXTS[excess.window].format(limit=limit, left=left),
        field="amount",
        data={
            "limit": excess.window.value,
            "limit_minor": excess.limit,
            "left_minor": excess.left,
            "currency": settings.BASE_CURRENCY,
        },
    )
