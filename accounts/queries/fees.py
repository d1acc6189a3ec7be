"""What operations cost at a moment: the newest version that holds by then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Sum

from accounts.models import Account, AccountFee, FeeVersion, Product
from accounts.rules import fees
from accounts.rules.fees import Operation, Tariff
from common.money import Money
from common.rows import Prepared

# Rates as text: a number of JSON would be read as a float.
PRICE = Prepared(
    """
    SELECT version.id, version.least_minor, version.most_minor,
           (SELECT json_agg(json_build_array(band.from_minor, band.fixed_minor, band.rate::text) ORDER BY band.from_minor)
              FROM accounts_feeband band WHERE band.fee_id = version.id)
      FROM accounts_feeversion version
     WHERE version.product_id = %(product)s AND version.operation = %(operation)s AND version.valid_from <= %(at)s
     ORDER BY version.valid_from DESC, version.id DESC LIMIT 1
    """
)


@dataclass(frozen=True, slots=True)
class Price:
    """A fee with how it was made up, and the version that says so; `version_id` is None where nothing is asked."""

    fee: Money
    note: str
    version_id: int | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of a product's price list."""

    operation: Operation
    currency: str
    version: FeeVersion | None

    @property
    def tariff(self) -> Tariff | None:
        return self.version.tariff if self.version is not None else None

    @property
    def label(self) -> str:
        return fees.LABELS[self.operation]

    @property
    def summary(self) -> str:
        return fees.summary(self.tariff, self.currency)


@dataclass(frozen=True, slots=True)
class Pricing:
    """What one operation costs on one product at one moment; `tariff` is None where it is free."""

    tariff: Tariff | None
    version_id: int | None

    def price(self, amount: Money) -> Price:
        """The fee of an operation of `amount` (zero or more)."""
        if self.tariff is None:
            return Price(Money(0, amount.currency), "", None)
        charge = fees.charge(self.tariff, amount)
        return Price(charge.fee, charge.note, self.version_id)


FREE = Pricing(None, None)


def pricing(*, product_code: str, operation: Operation, at: datetime) -> Pricing:
    """The price of an operation at a moment, for any number of amounts, in one query."""
    return priced(PRICE.first({"product": product_code, "operation": operation.value, "at": at}))


def priced(row: tuple[Any, ...] | None) -> Pricing:
    """The price in a row of `PRICE`; without one, or without bands, the operation is free."""
    if row is None or row[3] is None:
        return FREE
    version_id, least_minor, most_minor, bands = row
    return Pricing(
        Tariff(
            bands=tuple(fees.Band(from_minor, fixed_minor, Decimal(rate)) for from_minor, fixed_minor, rate in bands),
            least_minor=least_minor,
            most_minor=most_minor,
        ),
        version_id,
    )


def price(*, product_code: str, operation: Operation, amount: Money, at: datetime) -> Price:
    """What an operation of `amount` (zero or more) costs at a moment, in one query."""
    return pricing(product_code=product_code, operation=operation, at=at).price(amount)


def price_lists(products: Iterable[Product], *, at: datetime) -> dict[str, list[Listed]]:
    """Every operation of each product by its code, in two queries; what has no version is free."""
    listed = list(products)
    holding = {
        (version.product_id, version.operation): version
        for version in _holding(at).filter(product__in=listed).prefetch_related("bands")
    }
    return {
        product.code: [
            Listed(operation, product.currency, holding.get((product.code, operation.value))) for operation in Operation
        ]
        for product in listed
    }


def price_list(product: Product, *, at: datetime) -> list[Listed]:
    return price_lists([product], at=at)[product.code]


def open_fees(account: Account) -> Money:
    """What the account could not cover yet of its monthly fees."""
    total = AccountFee.objects.open().filter(account=account).aggregate(total=Sum("amount_minor"))["total"]
    return Money(total or 0, account.currency)


def _holding(at: datetime) -> QuerySet[FeeVersion]:
    return (
        FeeVersion.objects.filter(valid_from__lte=at)
        .order_by("product_id", "operation", "-valid_from", "-pk")
        .distinct("product_id", "operation")
    )
