"""What a payment would cost."""

from __future__ import annotations

from datetime import datetime

from accounts.models import Account
from accounts.queries import fees
from common.money import Money
from payments.models import Channel, Kind, Source
from payments.rules.costs import Cost, cost_without_fee, operation_of


def cost_of(
    debit: Account, amount: Money, *, kind: Kind, channel: Channel, at: datetime, source: Source = Source.NONE
) -> Cost:
    """The amount, and what its operation costs at a moment on the product of the account that pays."""
    operation = operation_of(kind=kind, channel=channel, source=source)
    if operation is None:
        return cost_without_fee(amount=amount)
    price = fees.price(product_code=debit.product_id, operation=operation, amount=amount, at=at)
    return Cost(amount=amount, fee=price.fee, fee_note=price.note, fee_version_id=price.version_id)
