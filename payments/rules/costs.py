"""What a payment takes from the account that pays: the amount and the product's fee."""

from __future__ import annotations

from dataclasses import dataclass

from common.money import Money


@dataclass(frozen=True, slots=True)
class Cost:
    amount: Money
    fee: Money

    @property
    def total(self) -> Money:
        return self.amount + self.fee


def cost_of_transfer(*, amount: Money, product_fee_minor: int) -> Cost:
    """A transfer to somebody else costs the product's flat fee, in minor units of the account's currency."""
    if product_fee_minor < 0:
        raise ValueError("a fee is never negative")
    return Cost(amount=amount, fee=Money(product_fee_minor, amount.currency))


def cost_without_fee(*, amount: Money) -> Cost:
    """Transfers between own accounts, deposits and withdrawals are free."""
    return Cost(amount=amount, fee=Money(0, amount.currency))
