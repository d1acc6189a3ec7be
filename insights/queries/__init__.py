"""The overview of one customer: read through the queries of the apps below, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings

from accounts import queries as accounts
from accounts.models import ReferenceRate, Status
from common.money import Money
from identity import queries as identity
from identity.models import User
from insights.rules.periods import month_to_date, same_days_of_last_month
from kyc import queries as kyc
from ledger import queries as ledger
from payments import queries as payments
from payments.models import Kind

CHART_DAYS = 90
RECENT = 8


@dataclass(frozen=True, slots=True)
class Total:
    """What all accounts hold: per currency, and together in the base currency (None when a rate is missing)."""

    by_currency: list[Money]
    together: Money | None


@dataclass(frozen=True, slots=True)
class MonthFlow:
    """Income and spending in the base currency, this month so far and on the same days of last month."""

    since: date
    until: date
    last_since: date
    last_until: date
    income: Money
    spending: Money
    last_income: Money
    last_spending: Money


@dataclass(frozen=True, slots=True)
class Activity:
    """One posting on one of the customer's accounts; `payment_id` is set when a payment caused it.

    `title` names the other side where a payment tells it, `text` is what the payer wrote.
    """

    holding: accounts.Holding
    booked_at: datetime
    title: str
    text: str
    amount: Money
    payment_id: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What may need doing. `kyc_state` is empty before the first application."""

    kyc_state: str
    is_approved: bool
    pin: identity.PinState
    held: list[payments.PaymentDocument]


@dataclass(frozen=True, slots=True)
class Overview:
    """`daily`: the base-currency total at the end of each day, oldest first; `left_out`: currencies without a rate."""

    holdings: list[accounts.Holding]
    total: Total
    flow: MonthFlow
    daily: list[tuple[date, Money]]
    left_out: list[str]
    activity: list[Activity]
    standing: Standing


def overview(*, actor: User, now: datetime) -> Overview:
    """Everything the overview page shows of the actor's money at `now`."""
    everything = accounts.accounts_for(actor)
    holdings = [holding for holding in everything if holding.account.status != Status.CLOSED]
    currency_of = {holding.account.ledger_account_id: holding.account.currency for holding in everything}
    rates = accounts.rates_to_base()
    return Overview(
        holdings=holdings,
        total=_total(holdings, rates),
        flow=_flow(list(currency_of), rates, now),
        daily=_daily(currency_of, rates, now),
        left_out=sorted({currency for currency in currency_of.values() if _worth(Money(0, currency), rates) is None}),
        activity=_activity(actor, everything),
        standing=_standing(actor, now),
    )


def _worth(money: Money, rates: Mapping[str, ReferenceRate]) -> int | None:
    return accounts.to_base(money, dict(rates))


def _base(minor: int) -> Money:
    return Money(minor, settings.BASE_CURRENCY)


def _total(holdings: list[accounts.Holding], rates: Mapping[str, ReferenceRate]) -> Total:
    sums: dict[str, int] = {}
    for holding in holdings:
        sums[holding.account.currency] = sums.get(holding.account.currency, 0) + holding.posted.amount_minor
    # The base currency first, then by code.
    order = sorted(sums, key=lambda currency: (currency != settings.BASE_CURRENCY, currency))
    by_currency = [Money(sums[currency], currency) for currency in order]
    worths = [_worth(money, rates) for money in by_currency]
    known = [worth for worth in worths if worth is not None]
    return Total(by_currency=by_currency, together=_base(sum(known)) if len(known) == len(worths) else None)


def _flow(ledger_ids: list[int], rates: Mapping[str, ReferenceRate], now: datetime) -> MonthFlow:
    since, until = month_to_date(now.astimezone(UTC).date())
    last_since, last_until = same_days_of_last_month(since, until)
    periods = [(_midnight(since), _midnight(until)), (_midnight(last_since), _midnight(last_until))]
    sums = [[0, 0], [0, 0]]
    for flow in ledger.flows(ledger_ids, periods):
        for place, minor in enumerate((flow.in_minor, flow.out_minor)):
            sums[flow.period][place] += _worth(Money(minor, flow.currency), rates) or 0
    return MonthFlow(
        since=since,
        until=until,
        last_since=last_since,
        last_until=last_until,
        income=_base(sums[0][0]),
        spending=_base(sums[0][1]),
        last_income=_base(sums[1][0]),
        last_spending=_base(sums[1][1]),
    )


def _daily(
    currency_of: Mapping[int, str], rates: Mapping[str, ReferenceRate], now: datetime
) -> list[tuple[date, Money]]:
    until = now.astimezone(UTC).date() + timedelta(days=1)
    series = ledger.daily_balances(list(currency_of), until - timedelta(days=CHART_DAYS), until)
    totals: dict[date, dict[str, int]] = {}
    for ledger_id, points in series.items():
        currency = currency_of[ledger_id]
        for day, minor in points:
            held = totals.setdefault(day, {})
            held[currency] = held.get(currency, 0) + minor
    return [
        (day, _base(sum(_worth(Money(minor, currency), rates) or 0 for currency, minor in held.items())))
        for day, held in sorted(totals.items())
    ]


def _activity(actor: User, holdings: list[accounts.Holding]) -> list[Activity]:
    by_ledger_id = {holding.account.ledger_account_id: holding for holding in holdings}
    latest = ledger.latest_lines(list(by_ledger_id), limit=RECENT)
    causes = [line.source_id for _, line in latest if line.source_kind == "payment"]
    paid = {
        str(payment.id): payment
        for payment in payments.documents(payments.history_for(actor).filter(pk__in=causes), actor=actor)
    }
    found = []
    for ledger_id, line in latest:
        payment_id = line.source_id if line.source_kind == "payment" else ""
        title, text = _told(line, paid.get(payment_id))
        holding = by_ledger_id[ledger_id]
        amount = Money(line.amount_minor, holding.account.currency)
        found.append(Activity(holding, line.booked_at, title, text, amount, payment_id))
    return found


def _told(line: ledger.Line, payment: payments.PaymentDocument | None) -> tuple[str, str]:
    """A posting in the reader's words: who is on the other side, and what the payer wrote. A reversal speaks for itself."""
    if payment is None or line.kind == "reversal":
        return line.description, ""
    if payment.kind == Kind.TRANSFER:
        return payment.other_name, payment.description
    if payment.kind == Kind.OWN_TRANSFER:
        return "Between own accounts", payment.description
    return payment.description or line.description, ""


def _standing(actor: User, now: datetime) -> Standing:
    application = kyc.application_for(actor)
    state = application.state if application else ""
    until = application.expires_at if application else None
    return Standing(
        kyc_state=state,
        is_approved=state == "APPROVED" and until is not None and until > now,
        pin=identity.pin_state(actor),
        held=payments.held_for(actor),
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
