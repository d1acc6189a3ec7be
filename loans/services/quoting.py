"""What a loan would cost, without an application."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from common.money import Money
from loans import queries
from loans.models import LoanProduct
from loans.queries import Offer
from loans.rules import offering
from loans.services.applications import require_in_range


def quote(*, product: LoanProduct, amount: str, instalments: int, rate: Decimal, day: date) -> Offer:
    """Schedule and APR of a wish, `amount` being decimal text, at a yearly rate, paid out on `day`. Writes nothing.

    Raises InvalidAmount, AmountOutOfRange, TermOutOfRange, InvalidTerms.
    """
    wanted = Money.parse(amount, product.currency)
    require_in_range(product, amount=wanted, instalments=instalments)
    fields = offering.terms_fields(
        queries.product_terms(product), amount_minor=wanted.amount_minor, instalments=instalments, annual_rate=rate
    )
    return queries.offer_of(offering.terms_on(fields, day))
