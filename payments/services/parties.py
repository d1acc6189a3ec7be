"""Who pays and who is paid: found, locked and checked before any money moves."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from accounts import queries as accounts
from accounts.errors import UnknownAccount
from accounts.models import Account, Status
from common.db import require_transaction
from common.money import CurrencyMismatch, Money
from identity.models import User
from kyc import queries as kyc
from kyc.queries import Person
from payments.errors import (
    AccountNotFound,
    AccountNotUsable,
    DescriptionTooLong,
    OwnDecision,
    PayeeCannotReceive,
    PayeeCurrencyDiffers,
    PayeeIsOwnAccount,
    PayeeNameMissing,
    SameAccount,
    UnknownPayee,
)
from payments.models import Payment
from payments.queries import Lookup
from payments.rules.payees import NameCheck, check_name

NAME_MAX = 140


def lock_debit_side(*, owner_id: int) -> dict[UUID, Account]:
    """Lock every account of a customer, by primary key, and return them.

    Limits count all of a customer's payments, so all of them wait here for each other: parallel requests cannot each be
    counted before the others are written. Needs a transaction.
    """
    require_transaction()
    return {account.pk: account for account in accounts.lock_accounts(owner_id=owner_id)}


def lock_debit_side_first(*, owner_id: int) -> None:
    """The same lock, for a payment that asks about everything at once: taken before that question, in its trip."""
    require_transaction()
    accounts.lock_accounts_first(owner_id=owner_id)


def accounts_of(*, owner_id: int) -> dict[UUID, Account]:
    """The same accounts, for a look without a lock."""
    rows = Account.objects.select_related("owner", "product").filter(owner_id=owner_id).order_by("pk")
    return {account.pk: account for account in rows}


def pick(candidates: dict[UUID, Account], account_id: UUID, *, field: str) -> Account:
    """The account among the actor's own. Raises AccountNotFound."""
    return require_own(candidates.get(account_id), field=field)


def require_usable(account: Account, *, field: str) -> None:
    """Raise AccountNotUsable unless the account is active: money may leave it."""
    require_receiving(account, field=field)
    if account.status == Status.DORMANT:
        raise AccountNotUsable(
            "This account is dormant, because it was not used for a long time. Reactivate it first.",
            code="account_dormant",
            field=field,
        )


def require_receiving(account: Account, *, field: str) -> None:
    """Raise AccountNotUsable unless money may come to the account."""
    if account.status == Status.FROZEN:
        raise AccountNotUsable("This account is frozen.", code="account_frozen", field=field)
    if account.status == Status.CLOSED:
        raise AccountNotUsable("This account is closed.", code="account_closed", field=field)


def amount_for(account: Account, *, amount: str, currency: str) -> Money:
    """Parse the amount in the account's currency; a currency named beside it must be that one.

    Raises InvalidAmount, CurrencyMismatch.
    """
    if currency and currency != account.currency:
        raise CurrencyMismatch(f"This account is held in {account.currency}.", field="currency")
    return Money.parse(amount, account.currency)


def find_account(number: str, *, field: str) -> Account:
    """Any account by its number, for staff and integrators. Raises AccountNotFound."""
    try:
        return accounts.find_by_number(number)
    except UnknownAccount as unknown:
        raise AccountNotFound(unknown.text, field=field, data=unknown.data) from unknown


def find_own_account(*, actor: User, number: str, field: str) -> Account:
    """The actor's own account by its number. Raises AccountNotFound, also when it is somebody else's."""
    account = find_account(number, field=field)
    if account.owner_id != actor.pk:
        raise AccountNotFound(field=field)
    return account


def find_payee(*, actor: User, number: str, currency: str = "") -> Account:
    """Somebody else's account that can take money, in this currency if one is given.

    Raises UnknownPayee, PayeeIsOwnAccount, PayeeCannotReceive, PayeeCurrencyDiffers, each beside `payee_number`.
    """
    return _payee(lambda: accounts.find_by_number(number), actor=actor, currency=currency)


def found_payee(found: Lookup, *, actor: User, currency: str) -> Account:
    """As `find_payee`, where the number was looked up already."""
    return _payee(lambda: found.payee, actor=actor, currency=currency)


def _payee(find: Callable[[], Account], *, actor: User, currency: str) -> Account:
    try:
        account = find()
    except UnknownAccount as unknown:
        raise UnknownPayee(unknown.text, field="payee_number", data=unknown.data) from unknown
    require_payable(account, actor=actor, currency=currency)
    return account


def require_payable(account: Account, *, actor: User, currency: str) -> None:
    """Raise PayeeIsOwnAccount, PayeeCannotReceive or PayeeCurrencyDiffers, as `find_payee` does."""
    field = "payee_number"
    if account.owner_id == actor.pk:
        raise PayeeIsOwnAccount(field=field)
    if not account.can_receive:
        raise PayeeCannotReceive(field=field)
    if currency and account.currency != currency:
        raise PayeeCurrencyDiffers(
            f"This account takes {account.currency} only, and you pay from an account in {currency}.", field=field
        )


def require_own(account: Account | None, *, field: str) -> Account:
    """The account that was found among the customer's own. Raises AccountNotFound."""
    if account is None:
        raise AccountNotFound(field=field)
    return account


def pick_own_payee(candidates: dict[UUID, Account], *, debit: Account, credit_account_id: UUID) -> Account:
    """As `require_own_payee`, out of all accounts of the customer."""
    return require_own_payee(candidates.get(credit_account_id), debit=debit)


def require_own_payee(found: Account | None, *, debit: Account) -> Account:
    """The other account of a transfer between own accounts.

    Raises AccountNotFound, SameAccount, AccountNotUsable, PayeeCurrencyDiffers, each beside `credit_account`.
    """
    field = "credit_account"
    credit = require_own(found, field=field)
    if credit.pk == debit.pk:
        raise SameAccount(field=field)
    require_receiving(credit, field=field)
    if credit.currency != debit.currency:
        raise PayeeCurrencyDiffers(
            f"This account takes {credit.currency} only, and you pay from an account in {debit.currency}.", field=field
        )
    return credit


def check_payee_name(*, typed: str, payee: Account) -> NameCheck:
    """Compare the typed name with the legal name of the account's owner. Raises PayeeNameMissing."""
    return compare_names(typed=typed, actual=accounts.owner_display_name(payee))


def compare_names(*, typed: str, actual: str) -> NameCheck:
    """Compare what was typed with a name. Raises PayeeNameMissing."""
    return check_name(typed=clean_name(typed), actual=actual)


def clean_name(typed: str) -> str:
    """A payee's name in one line, for both sides read it. Raises PayeeNameMissing beside `payee_name`."""
    name = " ".join(typed.split())
    if not name:
        raise PayeeNameMissing(field="payee_name")
    if len(typed) > NAME_MAX:
        raise PayeeNameMissing(f"Use {NAME_MAX} characters or fewer.", code="payee_name_too_long", field="payee_name")
    if not name.isprintable():
        raise PayeeNameMissing(
            "This name holds characters that cannot be seen. Type it again.",
            code="invalid_payee_name",
            field="payee_name",
        )
    return name


def checked(customer: User) -> Person | None:
    """What the bank has checked about a customer; None before the first identity check."""
    return kyc.person(customer.pk)


def home_country(customer: User) -> str:
    """Where the customer lives, as alpha-2 code; empty when unknown."""
    return kyc.home_country(customer.pk)


def base_amount(amount: Money) -> int | None:
    """The amount in minor units of the bank's base currency; None without a reference rate."""
    return accounts.to_base(amount)


def require_uninvolved(actor: User, payment: Payment) -> None:
    """Four eyes: raise OwnDecision for whoever entered the payment and for the owners of its accounts."""
    owners = {account.owner_id for account in (payment.debit_account, payment.credit_account) if account is not None}
    if actor.pk == payment.initiated_by_id or actor.pk in owners:
        raise OwnDecision


def clean_description(text: str) -> str:
    """One line of up to 140 characters. Raises DescriptionTooLong."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    if len(line) > NAME_MAX:
        raise DescriptionTooLong(field="description")
    return line
