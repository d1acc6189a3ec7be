"""Reading limits and what counts against them. Amounts are minor units of the base currency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q, QuerySet, Sum
from django.utils import timezone

from common.money import Money
from identity.models import User
from payments.models import Channel, Kind, Limit, Payee, Payment, Status
from payments.rules.limits import Limits, Used, Window

# For this long after it was saved or first paid, a payee is new.
COOLING_OFF = timedelta(hours=24)
LIMITED_CHANNELS = (Channel.PORTAL, Channel.API)
LIMITED_KINDS = (Kind.TRANSFER, Kind.WITHDRAWAL)
_COUNTED = [Status.COMPLETED, Status.HELD]


class Target(NamedTuple):
    """Who is paid: an account of this bank by id, or one at another bank by IBAN."""

    account_id: UUID | None
    iban: str


@dataclass(frozen=True, slots=True)
class LimitUse:
    """One limit of a channel. `limit` is the one that holds, None for none; `used` is what counts against it."""

    window: Window
    limit: Money | None
    bank: Money | None
    own: Money | None
    used: Money

    @property
    def percent(self) -> int:
        """How much of the limit is used, 0 to 100."""
        if self.limit is None:
            return 0
        if self.used.amount_minor >= self.limit.amount_minor:
            return 100
        return self.used.amount_minor * 100 // self.limit.amount_minor

    @property
    def left(self) -> Money | None:
        """What can still be sent; None without a limit."""
        if self.limit is None:
            return None
        return Money(max(self.limit.amount_minor - self.used.amount_minor, 0), self.limit.currency)


def limits_for(actor: User, *, channel: Channel, now: datetime) -> list[LimitUse]:
    """The actor's limits through one channel and what is used of each, in the base currency."""
    bank, own = bank_and_own_limits(customer_id=actor.pk, channel=channel)
    holding = bank.tightened_by(own)
    used = limit_used(customer_id=actor.pk, channel=channel, payee=None, now=now)
    return [
        LimitUse(
            window=window,
            limit=_base(holding[window]),
            bank=_base(bank[window]),
            own=_base(own[window]),
            used=Money(used[window] or 0, settings.BASE_CURRENCY),
        )
        for window in Window
    ]


def effective_limits(*, customer_id: int, channel: Channel) -> Limits:
    """What limits this customer: the bank's row (or its default), tightened by the customer's own."""
    bank, own = bank_and_own_limits(customer_id=customer_id, channel=channel)
    return bank.tightened_by(own)


def bank_and_own_limits(*, customer_id: int, channel: Channel) -> tuple[Limits, Limits]:
    """The bank's limits for this customer, and the customer's own."""
    rows = Limit.objects.filter(Q(customer_id=customer_id) | Q(customer__isnull=True), channel=channel)
    found = {(row.customer_id is not None, row.set_by): _limits(row) for row in rows}
    default = found.get((False, Limit.SetBy.BANK), Limits())
    return found.get((True, Limit.SetBy.BANK), default), found.get((True, Limit.SetBy.CUSTOMER), Limits())


def limit_used(*, customer_id: int, channel: Channel, payee: Target | None, now: datetime) -> Used:
    """What the customer sent today and this month through a channel, and to `payee` when that is a new one.

    What a standing order paid in the day after it was made counts as sent through the portal. All in minor units of the
    base currency; without a payee `new_payee` is None.
    """
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    out = Payment.objects.filter(
        debit_account__owner_id=customer_id, kind__in=LIMITED_KINDS, status__in=_COUNTED, created_at__lte=now
    )
    through = Q(channel=channel)
    if channel == Channel.PORTAL:
        made = "standing_run__order__created_at"
        through |= Q(channel=Channel.ORDER, **{f"{made}__gt": F("created_at") - COOLING_OFF})
    sums = out.filter(through, created_at__gte=midnight.replace(day=1)).aggregate(
        monthly=Sum("amount_base_minor"), daily=Sum("amount_base_minor", filter=Q(created_at__gte=midnight))
    )
    return Used(
        daily=sums["daily"] or 0,
        monthly=sums["monthly"] or 0,
        new_payee=None if payee is None else _sent_while_new(payee, out, customer_id=customer_id, now=now),
    )


def _sent_while_new(payee: Target, out: QuerySet[Payment], *, customer_id: int, now: datetime) -> int | None:
    """What a new payee got through any channel; None when the payee was saved or paid before the cooling-off period."""
    since = now - COOLING_OFF
    paid = out.filter(credit_account_id=payee.account_id, outside_account=payee.iban)
    saved = Payee.objects.filter(customer_id=customer_id, iban=payee.iban, removed_at__isnull=True)
    saved = saved.filter(account_id=payee.account_id) if payee.account_id else saved.filter(account__isnull=True)
    if saved.filter(created_at__lte=since).exists() or paid.filter(created_at__lte=since).exists():
        return None
    return paid.aggregate(sent=Sum("amount_base_minor"))["sent"] or 0


def _limits(row: Limit) -> Limits:
    return Limits(
        per_payment=row.per_payment_minor,
        daily=row.daily_minor,
        monthly=row.monthly_minor,
        new_payee=row.new_payee_minor,
    )


def _base(minor: int | None) -> Money | None:
    return None if minor is None else Money(minor, settings.BASE_CURRENCY)
