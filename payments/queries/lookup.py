"""Everything that decides about a payment out of an account, in one question under the lock of its debit side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import Any
from uuid import UUID

from accounts.models import Account
from accounts.queries import BY_NUMBER, OF_OWNER, fees, found_by_number
from accounts.rules import numbers
from common.money import Money
from common.rows import Prepared, Together
from identity.models import User
from kyc import queries as kyc
from kyc.queries import Person
from ledger import queries as ledger
from payments.models import Channel, Kind, Source
from payments.queries import limits
from payments.queries.costs import cost_at
from payments.rules.costs import Cost, operation_of
from payments.rules.limits import Limits, Used

# Nobody waits longer for a lock than a request may last.
WAITING_AT_MOST = timedelta(minutes=2)
_REPEATED = Prepared(
    "SELECT payment.id FROM payments_payment payment"
    " WHERE payment.initiated_by_id = %(actor)s AND payment.client_id = %(client_id)s"
)
_Row = tuple[Any, ...]
_Part = tuple[Prepared, Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """What was found. `latest_at` is when the customer's latest payment was made, if that is after the moment asked about.

    `debit` and `credit` are accounts of the owner, None when they are none of theirs or were not asked for. `limits` is None
    where nothing is limited. `used` is what counted at the moment asked about.
    """

    is_repeated: bool
    debit: Account | None
    credit: Account | None
    balance: ledger.Balance | None
    latest_at: datetime | None
    payer: Person | None
    pricing: fees.Pricing
    limits: Limits | None
    used: Used | None
    payee_number: str
    payee_row: _Row | None
    payee_person: Person | None

    def cost(self, amount: Money) -> Cost:
        """What the payment costs."""
        return cost_at(self.pricing, amount)

    @cached_property
    def payee(self) -> Account:
        """The account with the number that was asked for. Raises UnknownAccount."""
        return found_by_number(self.payee_number, self.payee_row)

    @property
    def payee_name(self) -> str:
        """The name that the bank knows of the payee: the checked one, else that given at sign-up."""
        checked = self.payee_person.full_name if self.payee_person else ""
        return checked or self.payee.owner.full_name


@dataclass(frozen=True, kw_only=True)
class Looking:
    """The question about a payment that `actor` wants made out of an account of `owner`, asked under the lock of that side.

    `payee_number`, `iban` or another account of the owner's is who is paid; none of them is when it is paid in cash.
    """

    actor: User
    client_id: UUID
    owner: User
    debit_account_id: UUID
    kind: Kind
    channel: Channel
    now: datetime
    source: Source = Source.NONE
    payee_number: str = ""
    iban: str = ""
    credit_account_id: UUID | None = None

    def ask(self) -> Lookup:
        return self.read(self.question.ask(self.parameters))

    @property
    def question(self) -> Together:
        return _question(bool(self.payee_number), self._is_limited, self.credit_account_id is not None)

    @property
    def _is_limited(self) -> bool:
        return self.channel in limits.LIMITED_CHANNELS and self.kind in limits.LIMITED_KINDS

    @property
    def parameters(self) -> dict[str, Any]:
        operation = operation_of(kind=self.kind, channel=self.channel, source=self.source)
        return {
            "actor": self.actor.pk,
            "client_id": self.client_id,
            "owner": self.owner.pk,
            "debit_account": self.debit_account_id,
            "credit_account": self.credit_account_id,
            "operation": operation.value if operation else None,
            "channel": self.channel.value,
            "number": numbers.normalise(self.payee_number),
            "iban": self.iban,
            "until": self.now + WAITING_AT_MOST,
            **limits.moments(self.now),
        }

    def read(self, found: Mapping[str, _Row | None]) -> Lookup:
        """What the rows of the question say."""
        bank_and_own = limits.bank_and_own(found["limits"] or (None,)) if self._is_limited else None
        used = found.get("used")
        latest = found["latest"]
        return Lookup(
            is_repeated=found["repeated"] is not None,
            debit=_owned(found["debit"], self.owner),
            credit=_owned(found.get("credit"), self.owner),
            balance=ledger.Balance(*found["balance"]) if found["balance"] else None,
            latest_at=latest[0] if latest else None,
            payer=_person(found["payer"]),
            pricing=fees.priced(found["price"]),
            limits=bank_and_own[0].tightened_by(bank_and_own[1]) if bank_and_own else None,
            used=limits.used_of(used) if used else None,
            payee_number=self.payee_number,
            payee_row=found.get("payee"),
            payee_person=_person(found.get("payee_person")),
        )


@cache
def _question(to_number: bool, limited: bool, to_own: bool) -> Together:
    parts: dict[str, _Part] = {
        "repeated": (_REPEATED, {}),
        "debit": (OF_OWNER, {"account": "%(debit_account)s"}),
        "balance": (ledger.BALANCE, {"account": "debit.ledger_account_id"}),
        "latest": (limits.LATEST, {"customer": "%(owner)s", "after": "%(now)s"}),
        "payer": (kyc.PERSON, {"user": "%(owner)s"}),
        "price": (fees.PRICE, {"at": "%(now)s", "product": "debit.product_id"}),
    }
    if to_own:
        parts["credit"] = (OF_OWNER, {"account": "%(credit_account)s"})
    if to_number:
        parts["payee"] = (BY_NUMBER, {})
        parts["payee_person"] = (kyc.PERSON, {"user": "payee.owner_id"})
    if limited:
        of_payer = {"customer": "%(owner)s"}
        parts["limits"] = (limits.LIMITS, of_payer)
        parts["used"] = (
            (limits.USED_WITH_ACCOUNT, of_payer | {"payee": "payee.account_key"})
            if to_number
            else (limits.USED_WITH_IBAN, of_payer)
        )
    return Together(**parts)


def _owned(row: _Row | None, owner: User) -> Account | None:
    if row is None:
        return None
    account: Account = row[0]
    account.owner = owner
    return account


def _person(row: _Row | None) -> Person | None:
    return Person(*row) if row else None
