"""Opening an account: who may, on what terms, and the opening deposit, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4, uuid5

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts import queries
from accounts.errors import (
    ClientIdReused,
    FundingNotAllowed,
    KycRequired,
    NotYourOwn,
    OpeningBelowMinimum,
    UnknownCustomer,
)
from accounts.models import Account, Product
from accounts.rules import numbers
from accounts.rules.funding import FundingKind, FundingSource, cash
from accounts.services import steps
from audit import services as audit
from common.db import as_use_case, require_transaction
from common.errors import Forbidden
from common.money import CurrencyMismatch, Money, display
from identity import services as identity
from identity.models import User
from kyc import queries as kyc
from ledger import queries as ledger_queries
from ledger import services as ledger

GL_CUSTOMER_DEPOSITS = "2100"
GL_CASH = "1000"
GL_SETTLEMENT = "1100"
# Among a million accounts a new number meets an old one once in a million times; five times in a row is no chance.
NUMBER_TRIES = 5


@dataclass(frozen=True, slots=True)
class OpeningReview:
    """What opening would do. `payer_after` is what the paying account would then hold (None: not an own account)."""

    product: Product
    opening: Money
    payer: queries.Holding | None
    payer_after: Money | None


@dataclass(frozen=True, slots=True)
class OpenedAccount:
    """`replayed`: the client id had opened this account before, and nothing was done now."""

    account: Account
    replayed: bool


def open_at_counter(
    *, actor: User, owner_email: str, product_code: str, amount: str, client_id: UUID, now: datetime
) -> OpenedAccount:
    """A teller opens an account for a customer who pays cash; `amount` is decimal text in the product's currency.

    Raises UnknownCustomer and what `open_account` raises.
    """
    identity.require(actor, "account_open_for_customer")
    owner = User.objects.filter(email=owner_email.strip().lower(), is_active=True).first()
    if owner is None:
        raise UnknownCustomer(field="email")
    product = queries.get_product(product_code)
    return open_account(
        actor=actor,
        owner=owner,
        product_code=product.code,
        opening=Money.parse(amount, product.currency),
        source=cash(),
        client_id=client_id,
        now=now,
    )


def review_opening(
    *, actor: User, owner: User, product_code: str, opening: Money, source: FundingSource
) -> OpeningReview:
    """Check an opening without doing it, for the page before the last click; `open_account` checks again.

    Raises what `open_account` raises, and InsufficientFunds for an own account that holds too little.
    """
    _require_may_open(actor, owner, source)
    product = queries.get_product(product_code)
    _require_acceptable(owner, product, opening)
    if source.account_id is None:
        return OpeningReview(product=product, opening=opening, payer=None, payer_after=None)
    payer = queries.holding_of(queries.get_debitable_for(actor=owner, account_id=source.account_id))
    _require_same_currency(payer.account, opening.currency)
    if payer.available < opening:
        raise ledger.InsufficientFunds(field="amount")
    return OpeningReview(product=product, opening=opening, payer=payer, payer_after=payer.posted - opening)


def open_account_within(
    *,
    actor: User,
    owner: User,
    product_code: str,
    opening: Money,
    source: FundingSource,
    client_id: UUID,
    now: datetime,
) -> OpenedAccount:
    """Open an account of `owner` and pay the opening deposit into it, all in one transaction of its own.

    The same `client_id` of the same owner again returns the account it opened. Raises KycRequired, UnknownProduct,
    CurrencyMismatch, OpeningBelowMinimum, FundingNotAllowed, ClientIdReused; PermissionMissing for staff without
    `account_open_for_customer`; for an own account as the source also UnknownAccount, AccountFrozen, AccountClosed and
    the ledger's InsufficientFunds.

    Inside the caller's transaction; `open_account` opens one.
    """
    require_transaction()
    _require_may_open(actor, owner, source)
    known = _opened_before(owner, client_id)
    if known is not None:
        return _replay(known, product_code, opening, source)
    product = queries.get_product(product_code)
    _require_acceptable(owner, product, opening)
    funding = _lock_funding(owner, source, opening.currency)
    # A second caller with the same client id waits in this call until the first one has ended.
    ledger_account = ledger.open_account(
        gl_code=GL_CUSTOMER_DEPOSITS,
        currency=product.currency,
        name=product.name,
        floor=min(product.floor_minor, 0),
        external_ref=_ref(owner, client_id, "account"),
    )
    known = _opened_before(owner, client_id)
    if known is not None:
        return _replay(known, product_code, opening, source)
    account = _insert_with_free_number(
        Account(
            owner=owner,
            product=product,
            currency=product.currency,
            ledger_account_id=ledger_account,
            client_id=client_id,
            opening_minor=opening.amount_minor,
            opening_source=source.kind.value,
            opening_account_id=source.account_id,
            opened_by=actor,
            opened_at=now,
            active_at=now,
            interest_rate=product.interest_rate,
            overdraft_rate=product.overdraft_rate,
            day_count=product.day_count,
            compounding=product.compounding,
        )
    )
    ledger.post_transfer(
        external_ref=_ref(owner, client_id, "opening"),
        debit_account_id=funding,
        credit_account_id=ledger_account,
        amount_minor=opening.amount_minor,
        kind="opening_deposit",
        description=f"Opening deposit, {product.name}",
        source_kind="account",
        source_id=account.pk,
        booked_at=now,
    )
    if product.floor_minor > 0:
        # A minimum balance can only hold once the opening deposit is in.
        ledger.set_floor(account_id=ledger_account, floor=product.floor_minor)
    audit.record(
        actor=actor,
        action="account.opened",
        subject_kind="account",
        subject_id=account.pk,
        data={
            "number": account.number,
            "product": product.code,
            "opening_minor": opening.amount_minor,
            "source": source.kind.value,
        },
    )
    steps.tell_owner(account, "account_opened", amount=display(opening))
    return OpenedAccount(account=account, replayed=False)


open_account = as_use_case(open_account_within)


def _require_may_open(actor: User, owner: User, source: FundingSource) -> None:
    if actor.pk != owner.pk or source.kind is FundingKind.CASH:
        identity.require(actor, "account_open_for_customer")
        if actor.pk == owner.pk:
            raise NotYourOwn()
    if source.kind is FundingKind.SANDBOX and not settings.SANDBOX:
        raise FundingNotAllowed(field="source")


def _require_acceptable(owner: User, product: Product, opening: Money) -> None:
    if not kyc.is_approved(owner.pk):
        raise KycRequired()
    if not owner.is_active:
        raise Forbidden("This user is not active.", code="owner_inactive")
    if opening.currency != product.currency:
        raise CurrencyMismatch(field="amount", data={"expected": product.currency, "got": opening.currency})
    if opening < product.min_opening:
        raise OpeningBelowMinimum(
            f"{product.name} opens with at least {display(product.min_opening)}.",
            field="amount",
            data={"minimum_minor": product.min_opening_minor},
        )


def _lock_funding(owner: User, source: FundingSource, currency: str) -> int:
    """The ledger account that pays the opening deposit; an own account is locked before any ledger row."""
    if source.kind is FundingKind.SANDBOX:
        return ledger_queries.internal_account(GL_SETTLEMENT, currency)
    if source.kind is FundingKind.CASH:
        return ledger_queries.internal_account(GL_CASH, currency)
    assert source.account_id is not None
    account = steps.lock_debitable_for(actor=owner, account_id=source.account_id)
    _require_same_currency(account, currency)
    return account.ledger_account_id


def _require_same_currency(account: Account, currency: str) -> None:
    if account.currency != currency:
        raise CurrencyMismatch(
            "That account holds another currency.", field="source", data={"expected": currency, "got": account.currency}
        )


def _opened_before(owner: User, client_id: UUID) -> Account | None:
    return Account.objects.select_related("product").filter(owner=owner, client_id=client_id).first()


def _replay(account: Account, product_code: str, opening: Money, source: FundingSource) -> OpenedAccount:
    first = (account.product_id, Money(account.opening_minor, account.currency))
    paid_by = (account.opening_source, account.opening_account_id)
    if (first, paid_by) != ((product_code, opening), (source.kind.value, source.account_id)):
        raise ClientIdReused()
    return OpenedAccount(account=account, replayed=True)


def _insert_with_free_number(account: Account) -> Account:
    for _ in range(NUMBER_TRIES):
        account.number = numbers.from_uuid(uuid4())
        try:
            with transaction.atomic():
                account.save(force_insert=True)
        except IntegrityError:
            if not Account.objects.filter(number=account.number).exists():
                raise
        else:
            return account
    raise RuntimeError("no free account number in several tries: is the source of randomness broken?")


def _ref(owner: User, client_id: UUID, purpose: str) -> UUID:
    """A ledger reference that another customer's client id cannot meet."""
    return uuid5(steps.NAMESPACE, f"{purpose}:{owner.public_id}:{client_id}")
