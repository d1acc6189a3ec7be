"""What a payment would cost."""

from __future__ import annotations

from datetime import datetime

from accounts.models import Account
from accounts.queries import fees
from accounts.rules.fees import Operation
from common.money import Money
from payments.models import Channel, Kind, Source
from payments.rules.costs import Cost, cost_without_fee, operation_of


class Costs:
    """What payments out of one account cost at one moment; each operation's price is looked up once."""

    def __init__(self, debit: Account, *, channel: Channel, at: datetime) -> None:
        self._debit, self._channel, self._at = debit, channel, at
        self._known: dict[Operation, fees.Pricing] = {}

    def of(self, amount: Money, *, kind: Kind, source: Source = Source.NONE) -> Cost:
        """The amount, and what its operation costs on the product of the account that pays."""
        operation = operation_of(kind=kind, channel=self._channel, source=source)
        if operation is None:
            return cost_without_fee(amount=amount)
        if operation not in self._known:
            self._known[operation] = fees.pricing(product_code=self._debit.product_id, operation=operation, at=self._at)
        return cost_at(self._known[operation], amount)


def cost_at(pricing: fees.Pricing, amount: Money) -> Cost:
    """What a payment of this amount costs where this is the price of its operation."""
    price = pricing.price(amount)
    return Cost(amount=amount, fee=price.fee, fee_note=price.note, fee_version_id=price.version_id)


def cost_of(
    debit: Account, amount: Money, *, kind: Kind, channel: Channel, at: datetime, source: Source = Source.NONE
) -> Cost:
    """The cost of one payment."""
    return Costs(debit, channel=channel, at=at).of(amount, kind=kind, source=source)
