"""What a payment takes from the account that pays: the amount, and the fee of the operation that it is."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.rules.fees import Operation
from common.money import Money


@dataclass(frozen=True, slots=True)
class Cost:
    """`fee_note` says how the fee was made up, `fee_version_id` names the version of the fee that asked for it."""

    amount: Money
    fee: Money
    fee_note: str = ""
    fee_version_id: int | None = None

    @property
    def total(self) -> Money:
        return self.amount + self.fee


def operation_of(*, kind: str, channel: str, source: str) -> Operation | None:
    """The operation that a payment (its kind, channel and source) is charged as; None for what is always free."""
    if kind not in ("TRANSFER", "WITHDRAWAL"):
        return None
    if channel == "ORDER":
        return Operation.STANDING_ORDER
    if kind == "TRANSFER":
        return Operation.TRANSFER
    return Operation.CASH_WITHDRAWAL if source == "CASH" else Operation.WITHDRAWAL


def cost_without_fee(*, amount: Money) -> Cost:
    """Deposits and transfers between own accounts are free."""
    return Cost(amount=amount, fee=Money(0, amount.currency))
