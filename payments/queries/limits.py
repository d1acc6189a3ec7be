"""Reading limits and what counts against them. Amounts are minor units of the base currency."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import Q, Sum
from django.utils import timezone

from accounts import queries as accounts
from common.money import Money
from common.rows import Prepared
from identity.models import User
from payments.models import Channel, Kind, Limit, Payee, Payment, Status
from payments.rules.limits import Limits, Used, Window

# For this long after it was saved or first paid, a payee is new.
COOLING_OFF = timedelta(hours=24)
LIMITED_CHANNELS = (Channel.PORTAL, Channel.API, Channel.BULK)
LIMITED_KINDS = (Kind.TRANSFER, Kind.WITHDRAWAL)
_COUNTED = [Status.COMPLETED, Status.HELD]

LIMITS = Prepared(
    """
SELECT json_agg(json_build_array(customer_id IS NOT NULL, set_by, per_payment_minor, daily_minor, monthly_minor, new_payee_minor))
  FROM payments_limit WHERE (customer_id = %(customer)s OR customer_id IS NULL) AND channel = %(channel)s::text
"""
)
LATEST = Prepared(
    """
SELECT max(p.created_at) FROM payments_payment p JOIN accounts_account a ON a.id = p.debit_account_id
 WHERE a.owner_id = %(customer)s AND p.created_at > %(after)s AND p.created_at <= %(until)s
"""
)


def _texts(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


# Payments are found by the customer's accounts: every part is a walk along one of their indexes.
_OUT = f"""
  FROM payments_payment p JOIN accounts_account a ON a.id = p.debit_account_id
 WHERE a.owner_id = %(customer)s AND p.kind IN ({_texts(LIMITED_KINDS)}) AND p.status IN ({_texts(_COUNTED)})
   AND p.created_at <= %(now)s
"""
_COOLED = f"interval '{COOLING_OFF.total_seconds():.0f} seconds'"
_SUMS = f"""
SELECT coalesce(sum(p.amount_base_minor), 0)::bigint AS monthly,
       coalesce(sum(p.amount_base_minor) FILTER (WHERE p.created_at >= %(midnight)s), 0)::bigint AS daily
  {_OUT} AND p.created_at >= %(month)s
   AND (p.channel = %(channel)s::text
        OR %(channel)s::text = '{Channel.PORTAL.value}' AND p.channel = '{Channel.ORDER.value}' AND EXISTS (
             SELECT FROM payments_standingrun r JOIN payments_standingorder o ON o.id = r.order_id
              WHERE r.payment_id = p.id AND o.created_at > p.created_at - {_COOLED}))
"""  # noqa: S608 -- text of this module


def _with_payee(whose: str) -> Prepared:
    """The sums, whether the payee is known, and what it got; `whose` names the payee in table {0}, so that an index serves it."""
    paid = f"{_OUT} AND {whose.format('p', account='credit_account_id', iban='outside_account')}"
    return Prepared(
        f"""
        SELECT sums.monthly, sums.daily,
               EXISTS (SELECT FROM payments_payee y
                        WHERE y.customer_id = %(customer)s AND {whose.format("y", account="account_id", iban="iban")}
                          AND y.removed_at IS NULL AND y.created_at <= %(now)s::timestamptz - {_COOLED})
               OR EXISTS (SELECT {paid} AND p.created_at <= %(now)s::timestamptz - {_COOLED}),
               (SELECT coalesce(sum(p.amount_base_minor), 0)::bigint {paid})
          FROM ({_SUMS}) sums
        """  # noqa: S608 -- text of this module
    )


_USED = Prepared(f"SELECT monthly, daily FROM ({_SUMS}) sums")  # noqa: S608
USED_WITH_ACCOUNT = _with_payee("{0}.{account} = %(payee)s AND {0}.{iban} = ''")
USED_WITH_IBAN = _with_payee("{0}.{account} IS NULL AND {0}.{iban} = %(iban)s")


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


def channels_for(actor: User) -> list[Channel]:
    """The channels whose limits concern the actor: files of payments need an account that allows them."""
    has_bulk = accounts.own_accounts(actor).filter(product__allows_bulk=True).exists()
    return [channel for channel in LIMITED_CHANNELS if channel != Channel.BULK or has_bulk]


def effective_limits(*, customer_id: int, channel: Channel) -> Limits:
    """What limits this customer: the bank's row (or its default), tightened by the customer's own."""
    bank, own = bank_and_own_limits(customer_id=customer_id, channel=channel)
    return bank.tightened_by(own)


def bank_and_own_limits(*, customer_id: int, channel: Channel) -> tuple[Limits, Limits]:
    """The bank's limits for this customer, and the customer's own."""
    [row] = LIMITS.all({"customer": customer_id, "channel": channel.value})
    return bank_and_own(row)


def bank_and_own(row: tuple[Any, ...]) -> tuple[Limits, Limits]:
    """The bank's limits and the customer's own in a row of `LIMITS`."""
    found = {(own, set_by): _limits(amounts) for own, set_by, *amounts in row[0] or ()}
    default = found.get((False, Limit.SetBy.BANK), Limits())
    return found.get((True, Limit.SetBy.BANK), default), found.get((True, Limit.SetBy.CUSTOMER), Limits())


def limit_used(*, customer_id: int, channel: Channel, payee: Target | None, now: datetime) -> Used:
    """What the customer sent today and this month through a channel, and to `payee` when that is a new one.

    What a standing order paid in the day after it was made counts as sent through the portal. All in minor units of the
    base currency; without a payee `new_payee` is None, as it is for one saved or paid before the cooling-off period.
    One query.
    """
    facts: dict[str, Any] = {"customer": customer_id, "channel": channel.value, **moments(now)}
    question = _USED
    if payee is not None:
        facts |= {"payee": payee.account_id, "iban": payee.iban}
        question = USED_WITH_ACCOUNT if payee.account_id else USED_WITH_IBAN
    [row] = question.all(facts)
    return used_of(row)


def moments(now: datetime) -> dict[str, datetime]:
    """From when on payments count, as the questions about what is used ask it."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return {"now": now, "midnight": midnight, "month": midnight.replace(day=1)}


def used_of(row: tuple[Any, ...]) -> Used:
    """What is used in a row of one of those questions."""
    monthly, daily, *of_payee = row
    new_payee = None
    if of_payee:
        is_known, sent = of_payee
        new_payee = None if is_known else sent
    return Used(daily=daily, monthly=monthly, new_payee=new_payee)


def latest_payment_at(*, customer_id: int, after: datetime, until: datetime) -> datetime | None:
    """When the customer's newest payment was made, if that is in (after, until]."""
    [(latest,)] = LATEST.all({"customer": customer_id, "after": after, "until": until})
    assert latest is None or isinstance(latest, datetime)
    return latest


def sent_while_new(*, customer_id: int, payees: Collection[Target], now: datetime) -> dict[Target, int]:
    """What each payee that is new got through any channel; those saved or paid before the cooling-off period are left out.

    For many payees at once: three queries however many.
    """
    since = now - COOLING_OFF
    ids = [payee.account_id for payee in payees if payee.account_id is not None]
    ibans = [payee.iban for payee in payees if payee.account_id is None]
    out = Payment.objects.filter(
        Q(credit_account_id__in=ids) | Q(credit_account__isnull=True, outside_account__in=ibans),
        debit_account__owner_id=customer_id,
        kind__in=LIMITED_KINDS,
        status__in=_COUNTED,
        created_at__lte=now,
    )
    paid = out.filter(created_at__lte=since).values_list("credit_account_id", "outside_account").distinct()
    saved = Payee.objects.filter(
        Q(account_id__in=ids) | Q(account__isnull=True, iban__in=ibans),
        customer_id=customer_id,
        removed_at__isnull=True,
        created_at__lte=since,
    ).values_list("account_id", "iban")
    known = {Target(*pair) for pair in (*paid, *saved)}
    sums = out.values_list("credit_account_id", "outside_account").annotate(sent=Sum("amount_base_minor"))
    sent = {Target(account_id, iban): amount or 0 for account_id, iban, amount in sums}
    return {payee: sent.get(payee, 0) for payee in payees if payee not in known}


def _limits(amounts: Sequence[int | None]) -> Limits:
    per_payment, daily, monthly, new_payee = amounts
    return Limits(per_payment=per_payment, daily=daily, monthly=monthly, new_payee=new_payee)


def _base(minor: int | None) -> Money | None:
    return None if minor is None else Money(minor, settings.BASE_CURRENCY)
