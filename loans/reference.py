"""The loans on offer, the lending policy and the buckets of lateness to start with. Staff edit them: only missing rows are written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone

from loans.models import Bucket, LoanProduct, Policy, ProductKind, RateBand
from loans.rules.calendar import DayCount, Frequency
from loans.rules.terms import Prepayment

# Each: its terms, then its rate bands as (score from, rate).
PRODUCTS: dict[str, tuple[dict[str, Any], list[tuple[int, str]]]] = {
    "PERSONAL": (
        {
            "name": "Personal loan",
            "kind": ProductKind.PERSONAL,
            "min_amount_minor": 1_000_00,
            "max_amount_minor": 50_000_00,
            "min_instalments": 6,
            "max_instalments": 84,
            "annual_rate": Decimal("9.90"),
            "arrangement_fee_percent": Decimal("1.00"),
            "penalty_percent": Decimal("2.00"),
            "description": "For whatever matters to you, at a fixed rate and the same instalment each month.",
        },
        [(55, "8.40"), (70, "6.90"), (85, "5.90")],
    ),
    "FORTNIGHT": (
        {
            "name": "Fortnightly loan",
            "kind": ProductKind.PERSONAL,
            "every": 2,
            "frequency": Frequency.WEEKS.value,
            "min_amount_minor": 500_00,
            "max_amount_minor": 10_000_00,
            "min_instalments": 6,
            "max_instalments": 78,
            "annual_rate": Decimal("10.40"),
            "day_count": DayCount.ACTUAL_364.value,
            "penalty_percent": Decimal("2.00"),
            "description": "For those who are paid every two weeks: the instalment comes when the pay does.",
        },
        [(70, "7.80")],
    ),
    "HOME": (
        {
            "name": "Home loan",
            "kind": ProductKind.HOME,
            "min_amount_minor": 20_000_00,
            "max_amount_minor": 800_000_00,
            "min_instalments": 60,
            "max_instalments": 360,
            "annual_rate": Decimal("4.60"),
            "arrangement_fee_percent": Decimal("0.50"),
            "penalty_percent": Decimal("1.00"),
            "prepayment": Prepayment.REDUCE_INSTALMENT.value,
            "max_tranches": 4,
            "description": "For a home of your own, over up to thirty years; paid out as the building grows.",
        },
        [(70, "4.10"), (85, "3.70")],
    ),
    "VEHICLE": (
        {
            "name": "Vehicle loan",
            "kind": ProductKind.VEHICLE,
            "min_amount_minor": 2_000_00,
            "max_amount_minor": 90_000_00,
            "min_instalments": 12,
            "max_instalments": 96,
            "annual_rate": Decimal("7.40"),
            "arrangement_fee_percent": Decimal("0.75"),
            "penalty_percent": Decimal("2.00"),
            "description": "For a car, a motorbike or a cargo bike.",
        },
        [(70, "5.90"), (85, "4.90")],
    ),
    "EDUCATION": (
        {
            "name": "Education loan",
            "kind": ProductKind.EDUCATION,
            "min_amount_minor": 1_000_00,
            "max_amount_minor": 60_000_00,
            "min_instalments": 24,
            "max_instalments": 144,
            "annual_rate": Decimal("4.90"),
            "principal_grace": 12,
            "penalty_percent": Decimal("1.00"),
            "description": "For your studies: in the first year you pay interest only.",
        },
        [(70, "3.90")],
    ),
    "BUSINESS": (
        {
            "name": "Business loan",
            "kind": ProductKind.BUSINESS,
            "min_amount_minor": 5_000_00,
            "max_amount_minor": 250_000_00,
            "min_instalments": 12,
            "max_instalments": 120,
            "annual_rate": Decimal("8.90"),
            "day_count": "ACTUAL/360",
            "arrangement_fee_percent": Decimal("1.50"),
            "instalment_fee_minor": 2_50,
            "penalty_percent": Decimal("3.00"),
            "description": "For stock, machines or the next step of your company.",
        },
        [(70, "7.20"), (85, "6.40")],
    ),
}
# From so many days late: name, what is set aside in per cent of the principal, what the customer reads.
BUCKETS: dict[int, tuple[str, str, str]] = {
    0: ("Current", "0.50", "Everything due is paid."),
    1: ("1 to 29 days", "2.00", "An instalment is late. Pay it now to keep costs low."),
    30: ("30 to 59 days", "15.00", "Your loan is more than a month behind. Please pay, or call us about a plan."),
    60: ("60 to 89 days", "35.00", "Your loan is more than two months behind. Call us: together we find a plan."),
    90: ("90 days and more", "60.00", "Your loan is in default. Call us today, so that it can go on."),
}


def ensure() -> None:
    """Write what is missing; safe to run again."""
    for code, (terms, bands) in PRODUCTS.items():
        product, made = LoanProduct.objects.get_or_create(code=code, defaults={"currency": "EUR", **terms})
        if made:
            RateBand.objects.bulk_create(
                [RateBand(product=product, min_score=score, annual_rate=Decimal(rate)) for score, rate in bands]
            )
    Policy.objects.get_or_create(version=1, defaults={"created_at": timezone.now()})
    Bucket.objects.bulk_create(
        [
            Bucket(from_days=days, name=name, provision_percent=Decimal(percent), told=told)
            for days, (name, percent, told) in BUCKETS.items()
        ],
        ignore_conflicts=True,
    )
