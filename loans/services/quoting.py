"""What a loan would cost, without an application."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from common.money import Money
from loans import queries
from loans.models import LoanProduct
from loans.queries import Offer
from loans.rules import offering
from loans.services import tranches
from loans.services.applications import require_in_range


def quote(
    *,
    product: LoanProduct,
    amount: str,
    instalments: int,
    rate: Decimal,
    day: date,
    parts: Sequence[tranches.Wanted] = (),
) -> Offer:
    """Schedule and APR of a wish, `amount` being decimal text, at a yearly rate, paid out on `day`. Writes nothing.

    Raises InvalidAmount, AmountOutOfRange, TermOutOfRange, InvalidTranches, InvalidTerms.
    """
    wanted = Money.parse(amount, product.currency)
    require_in_range(product, amount=wanted, instalments=instalments)
    later = tranches.read(product, amount=wanted, instalments=instalments, parts=parts)
    fields = offering.terms_fields(
        queries.product_terms(product),
        amount_minor=wanted.amount_minor,
        instalments=instalments,
        annual_rate=rate,
        later=later,
    )
    return queries.offer_of(offering.terms_on(fields, day))
