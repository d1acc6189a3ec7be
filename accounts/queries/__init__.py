"""Reading accounts, products and rates; statements have a module of their own.

A balance that decides about money is re-read under its lock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.errors import AccountClosed, AccountDormant, AccountFrozen, UnknownAccount, UnknownProduct
from accounts.models import Account, AccountQuerySet, Product, ReferenceRate, Status
from accounts.queries.lines import line_of
from accounts.rules import numbers
from accounts.rules.statements.content import StatementLine
from common.money import Money, from_decimal
from common.rows import Prepared, Rows, Some
from identity.models import User
from kyc import queries as kyc
from ledger import queries as ledger

_FROM = """
  FROM accounts_account account
  JOIN identity_user owner ON owner.id = account.owner_id JOIN accounts_product product ON product.code = account.product_id
"""
_WHOLE = {"account": Account, "owner": User, "product": Product}
_LOCKED_ACCOUNTS = Rows(
    f"SELECT {{account}}, {{owner}}, {{product}} {_FROM} WHERE account.owner_id = %(owner)s"
    " ORDER BY account.id FOR NO KEY UPDATE OF account",
    **_WHOLE,
)
_LOCK_ACCOUNTS = Prepared("SELECT FROM accounts_account WHERE owner_id = %(owner)s ORDER BY id FOR NO KEY UPDATE")
# For questions that go on from it: its columns have these names once.
_IN_A_PAYMENT = Some(Account, "id number owner product currency ledger_account nickname status active_at")
OF_OWNER = Rows(
    "SELECT {account} FROM accounts_account account WHERE account.id = %(account)s AND account.owner_id = %(owner)s",
    account=_IN_A_PAYMENT,
)
# Its id once more by a name that is like no other, for questions that go on from it.
BY_NUMBER = Rows(
    """
    SELECT {account}, {owner}, account.id AS account_key
      FROM accounts_account account JOIN identity_user owner ON owner.id = account.owner_id
     WHERE account.number = %(number)s
    """,
    account=_IN_A_PAYMENT,
    owner=Some(User, "id public_id email full_name is_active"),
)
_OWN_ACCOUNT = Rows(
    """
    SELECT {account}, {product} FROM accounts_account account
      JOIN accounts_product product ON product.code = account.product_id
     WHERE account.id = %(account)s AND account.owner_id = %(owner)s
    """,
    account=Account,
    product=Product,
)


@dataclass(frozen=True, slots=True)
class Holding:
    """An account with its money: `available` is what may leave it now, overdraft included."""

    account: Account
    posted: Money
    held: Money
    available: Money
    floor_minor: int

    @property
    def name(self) -> str:
        """The owner's own name for it, else the product's (loaded with the account)."""
        return self.account.nickname or self.account.product.name

    @property
    def overdraft(self) -> Money | None:
        """The agreed overdraft, where there is one."""
        return Money(-self.floor_minor, self.account.currency) if self.floor_minor < 0 else None

    @property
    def min_balance(self) -> Money | None:
        """The minimum balance, where there is one."""
        return Money(self.floor_minor, self.account.currency) if self.floor_minor > 0 else None


def open_products() -> list[Product]:
    """What can be opened now, by kind and code."""
    return list(Product.objects.filter(is_open=True).order_by("kind", "code"))


def get_product(code: str) -> Product:
    """A product that is open for new accounts. Raises UnknownProduct."""
    product = Product.objects.filter(code=code, is_open=True).first()
    if product is None:
        raise UnknownProduct(field="product")
    return product


def own_accounts(actor: User) -> AccountQuerySet:
    """The actor's own accounts, for filters; oldest first."""
    return Account.objects.owned_by(actor.pk).select_related("product").in_order()


def accounts_for(actor: User) -> list[Holding]:
    """Every account of the actor with its balances, in two queries; closed ones last."""
    return holdings(sorted(own_accounts(actor), key=lambda account: account.status == Status.CLOSED))


def holdings(accounts: Iterable[Account]) -> list[Holding]:
    """Accounts (with their product loaded) joined to their balances, in one query."""
    listed = list(accounts)
    balances = ledger.balances(account.ledger_account_id for account in listed)
    return [_holding(account, balances[account.ledger_account_id]) for account in listed]


def holding_of(account: Account) -> Holding:
    """One account with its balances."""
    return _holding(account, ledger.balance(account.ledger_account_id))


def get_account_for(*, actor: User, account_id: UUID) -> Account:
    """The actor's own account, in any state. Raises UnknownAccount when there is none or it is somebody else's."""
    found = _OWN_ACCOUNT.first({"owner": actor.pk, "account": account_id})
    if found is None:
        raise UnknownAccount()
    account: Account
    account, account.product = found
    return account


def lock_accounts(*, owner_id: int) -> list[Account]:
    """All accounts of a customer by primary key, with owner and product, locked until the transaction ends.

    Postings and foreign keys may go on meanwhile (FOR NO KEY UPDATE).
    """
    return [_joined(row) for row in _LOCKED_ACCOUNTS.all({"owner": owner_id})]


def lock_accounts_first(*, owner_id: int) -> None:
    """The same locks, taken in the order of `lock_accounts` before the next statement looks at anything, in its trip."""
    _LOCK_ACCOUNTS.run([owner_id], writes=False)


def get_debitable_for(*, actor: User, account_id: UUID) -> Account:
    """The actor's own active account. Raises UnknownAccount, AccountFrozen, AccountClosed, AccountDormant."""
    account = get_account_for(actor=actor, account_id=account_id)
    require_usable(account)
    return account


def find_by_number(number: str) -> Account:
    """The account with this number, however people wrote it, in any state, whoever owns it.

    Raises UnknownAccount; `data["reason"]` is `check_digits` when the number cannot exist.
    """
    return found_by_number(number, BY_NUMBER.first({"number": numbers.normalise(number)}))


def found_by_number(number: str, row: tuple[Any, ...] | None) -> Account:
    """The account in the row of `BY_NUMBER` that was found for a number. Raises UnknownAccount as `find_by_number` does."""
    if not numbers.is_valid(numbers.normalise(number)):
        raise UnknownAccount(
            "This account number has a typing mistake. Check it digit by digit.", data={"reason": "check_digits"}
        )
    if row is None:
        raise UnknownAccount("There is no account with this number.", data={"reason": "unknown"})
    account: Account
    account, account.owner, *_ = row
    return account


def _joined(row: tuple[Any, ...]) -> Account:
    account: Account
    account, account.owner, account.product, *_ = row
    return account


def find_many(given: Iterable[str]) -> dict[str, Account]:
    """The accounts of these numbers by the number as it was given; those that do not exist are left out. One query."""
    wanted = {number: numbers.normalise(number) for number in given}
    rows = Account.objects.select_related("product", "owner").filter(number__in=set(wanted.values()))
    found = {account.number: account for account in rows}
    return {number: found[plain] for number, plain in wanted.items() if plain in found}


def require_usable(account: Account) -> None:
    """Raise AccountFrozen, AccountClosed or AccountDormant unless its owner may move money out of this account."""
    require_receiving(account)
    if account.status == Status.DORMANT:
        raise AccountDormant(data={"account": account.masked_number})


def require_receiving(account: Account) -> None:
    """Raise AccountFrozen or AccountClosed unless money may come to this account."""
    if account.status == Status.FROZEN:
        raise AccountFrozen(data={"account": account.masked_number})
    if account.status == Status.CLOSED:
        raise AccountClosed(data={"account": account.masked_number})


def owner_display_name(account: Account) -> str:
    """Who a payer is told owns the account: the checked legal name, else the name given at sign-up."""
    return kyc.legal_name(account.owner_id) or account.owner.full_name


def owner_display_names(accounts: Iterable[Account]) -> dict[int, str]:
    """`owner_display_name` of many accounts (with their owners loaded) by owner, in one query."""
    given = {account.owner_id: account.owner.full_name for account in accounts}
    return given | (kyc.legal_names(given) if given else {})


def recent_lines(account: Account, *, limit: int = 10) -> list[StatementLine]:
    """The newest postings first."""
    return [line_of(line, account.currency) for line in ledger.recent_lines(account.ledger_account_id, limit=limit)]


def rates_to_base() -> dict[str, ReferenceRate]:
    """Every reference rate by currency; the base currency has none because it needs none."""
    return {rate.currency: rate for rate in ReferenceRate.objects.all()}


def to_base(money: Money, rates: dict[str, ReferenceRate] | None = None) -> int | None:
    """Minor units of the base currency, half to even; None when there is no rate.

    Pass `rates` (from `rates_to_base`) to convert many amounts with one query.
    """
    if money.currency == settings.BASE_CURRENCY:
        return money.amount_minor
    rate = ReferenceRate.objects.filter(currency=money.currency).first() if rates is None else rates.get(money.currency)
    if rate is None:
        return None
    return from_decimal(money.decimal * rate.rate_to_base, settings.BASE_CURRENCY).amount_minor


def _holding(account: Account, balance: ledger.Balance) -> Holding:
    # Customer accounts always have a floor; without one nothing could be said to be available.
    floor = balance.floor or 0
    return Holding(
        account=account,
        posted=Money(balance.posted, account.currency),
        held=Money(balance.held, account.currency),
        available=Money(max(balance.posted - balance.held - floor, 0), account.currency),
        floor_minor=floor,
    )
