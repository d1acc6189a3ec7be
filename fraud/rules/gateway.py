"""What an outside gateway tells about a transaction, and the facts this makes. Pure.

A gateway's customers, accounts, payees and devices have names of its own. They become ids in a space of that gateway,
so that nobody can write into the history of another gateway's customers, or of the bank's.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from common.errors import Invalid
from common.money import Money
from fraud.rules.facts import Channel, Facts

SUBJECT_KIND = "gateway"
# A gateway's clock may go a little before ours, and a transaction may have waited to be sent.
AHEAD = timedelta(minutes=5)
BACK = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Gateway:
    """Who asks: the id of the API client, and of its key."""

    client_id: uuid.UUID
    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One transaction as the gateway tells it; `at` None means now, an empty `account_id` the customer's only account."""

    transaction_id: str
    customer_id: str
    beneficiary_id: str
    amount: str
    currency: str
    account_id: str = ""
    beneficiary_name: str = ""
    at: datetime | None = None
    transfer_type: str = "CARD"
    ip: str | None = None
    country: str = ""
    home_country: str = ""
    device: str = ""

    @property
    def money(self) -> Money:
        """Raises Invalid (field `amount` or `currency`)."""
        return Money.parse(self.amount, self.currency)

    @property
    def digest(self) -> str:
        """The same for the same content, so that an id sent again with another content is noticed."""
        return hashlib.sha256(
            json.dumps({name: getattr(self, name) for name in _TOLD}, sort_keys=True, default=str).encode()
        ).hexdigest()


_TOLD = sorted(field.name for field in fields(Told))


def facts_of(
    told: Told, *, gateway: Gateway, subject_id: uuid.UUID, money: Money, amount_base_minor: int | None, now: datetime
) -> Facts:
    """The facts of a transaction that has not been seen before.

    Raises Invalid (field `at`) for a time in the future or too long ago.
    """
    at = told.at or now
    if not now - BACK <= at <= now + AHEAD:
        raise Invalid("This time lies in the future or too long ago.", code="invalid_time", field="at")
    account = told.account_id or told.customer_id
    return Facts(
        subject_kind=SUBJECT_KIND,
        subject_id=subject_id,
        customer_id=customer_of(told, gateway=gateway),
        account_ref=uuid.uuid5(gateway.client_id, f"account {account}"),
        amount_minor=money.amount_minor,
        currency=money.currency,
        amount_base_minor=amount_base_minor,
        at=min(at, now),
        transfer_type=told.transfer_type,
        channel=Channel.GATEWAY,
        beneficiary_ref=f"{gateway.key_id}:{told.beneficiary_id}",
        ip=told.ip or "",
        country=told.country,
        home_country=told.home_country,
        device=f"{gateway.key_id}:{told.device}" if told.device else "",
        account_label=account,
        beneficiary_label=", ".join(part for part in (told.beneficiary_name, told.beneficiary_id) if part),
    )


def customer_of(told: Told, *, gateway: Gateway) -> uuid.UUID:
    """The customer's id in the gateway's own space."""
    return uuid.uuid5(gateway.client_id, f"customer {told.customer_id}")
