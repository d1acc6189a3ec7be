"""What operations cost at a moment: the newest version that holds by then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet, Sum

from accounts.models import Account, AccountFee, FeeBand, FeeVersion, Product
from accounts.rules import fees
from accounts.rules.fees import Operation, Tariff
from common.money import Money
from common.rows import Rows

_PRICE = Rows(
    """
    SELECT {version}, {band}
      FROM (SELECT newest.* FROM accounts_feeversion newest
             WHERE newest.product_id = %(product)s AND newest.operation = %(operation)s AND newest.valid_from <= %(at)s
             ORDER BY newest.valid_from DESC, newest.id DESC LIMIT 1) version
      JOIN accounts_feeband band ON band.fee_id = version.id ORDER BY band.from_minor
    """,
    version=FeeVersion,
    band=FeeBand,
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


def pricing(*, product_code: str, operation: Operation, at: datetime) -> Pricing:
    """The price of an operation at a moment, for any number of amounts, in one query."""
    found = _PRICE.all({"product": product_code, "operation": operation.value, "at": at})
    if not found:
        return Pricing(None, None)
    version: FeeVersion = found[0][0]
    bands: list[FeeBand] = [band for _, band in found]
    tariff = Tariff(
        bands=tuple(fees.Band(band.from_minor, band.fixed_minor, band.rate) for band in bands),
        least_minor=version.least_minor,
        most_minor=version.most_minor,
    )
    return Pricing(tariff, version.pk)


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
