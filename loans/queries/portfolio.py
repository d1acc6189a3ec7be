"""The loan book as its keepers look at it: what is out, what comes in, how late it is, and how each vintage does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.db.models import Count, Sum

from common.money import Money
from loans import queries
from loans.models import Loan, Movement

COLLECTION_DAYS = 30


@dataclass(frozen=True, slots=True)
class Group:
    """Loans that are alike: how many, and their principal owed; `share` is of the whole book, in per cent."""

    name: str
    loans: int
    owed: Money
    share: float
    allowance: Money


@dataclass(frozen=True, slots=True)
class Vintage:
    """The loans paid out in a month: how many, how much, what is left, and which share was ever 30 days late."""

    month: date
    loans: int
    lent: Money
    owed: Money
    late_percent: float


@dataclass(frozen=True, slots=True)
class Portfolio:
    """One currency's book."""

    currency: str
    active: int
    owed: Money
    interest: Money
    allowance: Money
    lent_30_days: Money
    written_off: Money
    recovered: Money
    # What was paid of what fell due in the last 30 days; None when nothing did.
    collected_percent: float | None
    buckets: tuple[Group, ...]
    products: tuple[Group, ...]
    vintages: tuple[Vintage, ...]


def portfolio(*, today: date) -> list[Portfolio]:
    """The book of each currency that was ever lent in."""
    currencies = Loan.objects.order_by("currency").values_list("currency", flat=True).distinct()
    return [_book(currency, today) for currency in currencies]


def _book(currency: str, today: date) -> Portfolio:
    def money(minor: int | None) -> Money:
        return Money(minor or 0, currency)

    mine = Loan.objects.filter(currency=currency)
    active = mine.filter(status=Loan.Status.ACTIVE)
    sums = active.aggregate(
        owed=Sum("principal_balance_minor"), interest=Sum("interest_balance_minor"), allowance=Sum("allowance_minor")
    )
    lost = mine.aggregate(written_off=Sum("written_off_minor"), recovered=Sum("recovered_minor"))
    recent = Movement.objects.filter(
        kind=Movement.Kind.DISBURSEMENT, loan__currency=currency, day__gt=today - timedelta(days=COLLECTION_DAYS)
    ).exclude(loan__status=Loan.Status.CANCELLED)
    owed = sums["owed"] or 0
    return Portfolio(
        currency=currency,
        active=active.count(),
        owed=money(owed),
        interest=money(sums["interest"]),
        allowance=money(sums["allowance"]),
        lent_30_days=money(recent.aggregate(lent=Sum("principal_minor"))["lent"]),
        written_off=money(lost["written_off"]),
        recovered=money(lost["recovered"]),
        collected_percent=_collected(currency, today),
        buckets=_buckets(currency, owed),
        products=_products(currency, owed),
        vintages=_vintages(currency),
    )


def _collected(currency: str, today: date) -> float | None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT sum(i.principal_minor + i.interest_minor + i.fee_minor),
                   sum(i.paid_principal_minor + i.paid_interest_minor + i.paid_fee_minor)
              FROM loans_instalment i JOIN loans_loan l ON l.id = i.loan_id
             WHERE l.currency = %s AND i.due_date > %s AND i.due_date <= %s
            """,
            [currency, today - timedelta(days=COLLECTION_DAYS), today],
        )
        due, paid = cursor.fetchone()
    return round(float(paid) * 100 / float(due), 1) if due else None


def _buckets(currency: str, whole: int) -> tuple[Group, ...]:
    listed = queries.buckets()
    found: dict[int, list[int]] = {bucket.from_days: [0, 0, 0] for bucket in listed}
    rows = (
        Loan.objects.filter(currency=currency, status=Loan.Status.ACTIVE)
        .values_list("days_past_due")
        .annotate(loans=Count("pk"), owed=Sum("principal_balance_minor"), allowance=Sum("allowance_minor"))
    )
    for days, *figures in rows.order_by("days_past_due"):
        place = found[queries.bucket_of(days, listed).from_days]
        for index, figure in enumerate(figures):
            place[index] += figure
    return tuple(_group(bucket.name, found[bucket.from_days], whole, currency) for bucket in listed)


def _products(currency: str, whole: int) -> tuple[Group, ...]:
    rows = (
        Loan.objects.filter(currency=currency, status=Loan.Status.ACTIVE)
        .values_list("product__name")
        .annotate(loans=Count("pk"), owed=Sum("principal_balance_minor"), allowance=Sum("allowance_minor"))
    )
    return tuple(_group(name, list(figures), whole, currency) for name, *figures in rows.order_by("product__name"))


def _group(name: str, figures: list[int], whole: int, currency: str) -> Group:
    loans, owed, allowance = figures
    share = round(owed * 100 / whole, 1) if whole else 0.0
    return Group(name, loans, Money(owed, currency), share, Money(allowance, currency))


def _vintages(currency: str) -> tuple[Vintage, ...]:
    """The newest twelve months in which something was lent, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT date_trunc('month', start_date)::date, count(*), sum(disbursed_minor)::bigint,
                   sum(principal_balance_minor)::bigint,
                   round(100.0 * count(*) FILTER (WHERE worst_days_past_due >= 30) / count(*), 1)
              FROM loans_loan WHERE currency = %s AND status <> 'CANCELLED'
             GROUP BY 1 ORDER BY 1 DESC LIMIT 12
            """,
            [currency],
        )
        rows = cursor.fetchall()
    return tuple(
        Vintage(month, loans, Money(lent, currency), Money(owed, currency), float(late))
        for month, loans, lent, owed, late in reversed(rows)
    )
