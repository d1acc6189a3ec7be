"""The products and reference rates the bank starts with. Staff edit both, so only missing rows are written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Product, ProductKind, ReferenceRate
from accounts.rules import fees
from accounts.rules.fees import Operation, Tariff
from accounts.rules.interest import Compounding
from accounts.services.fees import write_version

PRODUCTS: dict[str, dict[str, Any]] = {
    "CUR-EUR": {
        "name": "Current account",
        "kind": ProductKind.CURRENT,
        "currency": "EUR",
        "dormant_after_days": 730,
        "min_opening_minor": 10_00,
        "overdraft_minor": 500_00,
        "overdraft_rate": Decimal("9.90"),
        "description": "For everyday payments, with an agreed overdraft when a month runs long.",
    },
    "SAV-EUR": {
        "name": "Savings account",
        "kind": ProductKind.SAVINGS,
        "currency": "EUR",
        "dormant_after_days": 1825,
        "min_opening_minor": 100_00,
        "min_balance_minor": 50_00,
        "interest_rate": Decimal("2.50"),
        "compounding": Compounding.DAILY.value,
        "description": "For money you want to keep: it earns interest and keeps a small minimum.",
    },
    "SAL-EUR": {
        "name": "Salary account",
        "kind": ProductKind.SALARY,
        "currency": "EUR",
        "dormant_after_days": 730,
        "min_opening_minor": 1_00,
        "interest_rate": Decimal("0.25"),
        "description": "For your pay to land in: no fees, no overdraft, a little interest.",
    },
    "BUS-EUR": {
        "name": "Business account",
        "kind": ProductKind.BUSINESS,
        "currency": "EUR",
        "dormant_after_days": 730,
        "min_opening_minor": 10_00,
        "allows_bulk": True,
        "description": "For companies and the self-employed: salaries and suppliers paid from one file.",
    },
    "WAL-EUR": {
        "name": "Euro wallet",
        "kind": ProductKind.WALLET,
        "currency": "EUR",
        "dormant_after_days": 730,
        "min_opening_minor": 1_00,
        "description": "For small sums kept apart: a trip, a present, the club.",
    },
    "WAL-USD": {
        "name": "US dollar wallet",
        "kind": ProductKind.WALLET,
        "currency": "USD",
        "dormant_after_days": 730,
        "min_opening_minor": 1_00,
        "description": "For dollars you receive and spend, without exchanging them.",
    },
}
# What operations cost from the first day on; what is not here is free.
FEES: dict[str, dict[Operation, Tariff]] = {
    "SAV-EUR": {Operation.TRANSFER: fees.flat(50), Operation.STANDING_ORDER: fees.flat(50)},
}
FIRST_DAY = datetime(2000, 1, 1, tzinfo=UTC)
RATES: dict[str, Decimal] = {"USD": Decimal("0.92"), "GBP": Decimal("1.17")}
RATES_AS_OF = date(2026, 1, 2)


def ensure() -> None:
    """Bring the reference data of accounts up to date; safe to run again."""
    Product.objects.bulk_create(
        [Product(code=code, **terms) for code, terms in PRODUCTS.items()], ignore_conflicts=True
    )
    _ensure_fees()
    ReferenceRate.objects.bulk_create(
        [ReferenceRate(currency=currency, rate_to_base=rate, as_of=RATES_AS_OF) for currency, rate in RATES.items()],
        ignore_conflicts=True,
    )


def _ensure_fees() -> None:
    with transaction.atomic():
        for product in Product.objects.filter(code__in=FEES):
            for operation, tariff in FEES[product.code].items():
                if not product.fee_versions.filter(operation=operation.value).exists():
                    write_version(
                        product=product,
                        operation=operation,
                        tariff=tariff,
                        valid_from=FIRST_DAY,
                        entered_by=None,
                        entered_at=timezone.now(),
                    )
