"""What would happen if an account closed now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from accounts import obstacles
from accounts.models import Account, AccountFee
from accounts.queries.interest import accrual
from common.money import Money
from ledger import queries as ledger


@dataclass(frozen=True, slots=True)
class Settlement:
    """The account's last figures: balance, interest up to the closing day, open fees, and the rest that is paid out.

    The closing day itself earns nothing. A `rest` below zero is what has to be paid in first. `obstacles` say what of other
    apps still needs the account.
    """

    account: Account
    posted: Money
    held: Money
    interest: Money
    overdraft_interest: Money
    fees: tuple[AccountFee, ...]
    obstacles: tuple[str, ...]

    @property
    def rest(self) -> Money:
        owed = sum(fee.amount_minor for fee in self.fees) + self.overdraft_interest.amount_minor
        return self.posted + self.interest - Money(owed, self.account.currency)


def settlement(account: Account, *, now: datetime) -> Settlement:
    """How the account would be settled today. What decides about money is asked again under the lock."""
    balance = ledger.balance(account.ledger_account_id)
    due = accrual(account, until=now.astimezone(UTC).date())
    fees = AccountFee.objects.open().filter(account=account).select_related("account").order_by("period")
    return Settlement(
        account=account,
        posted=Money(balance.posted, account.currency),
        held=Money(balance.held, account.currency),
        interest=Money(due.earned_minor, account.currency),
        overdraft_interest=Money(due.owed_minor, account.currency),
        fees=tuple(fees),
        obstacles=obstacles.found(account.pk),
    )
