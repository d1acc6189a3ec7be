"""What a caller tells about one payment, and what it gets back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """What may happen now: the payment goes through, waits for a person, or is refused."""

    APPROVED = "APPROVED"
    FLAGGED = "FLAGGED"
    BLOCKED = "BLOCKED"


class TransferType(StrEnum):
    OWN = "OWN"
    INTERNAL = "INTERNAL"
    WITHDRAWAL = "WITHDRAWAL"
    # Card payments and the like that an outside gateway asks about.
    CARD = "CARD"


class Channel(StrEnum):
    PORTAL = "PORTAL"
    API = "API"
    TELLER = "TELLER"
    # Made by the clock, as the customer arranged before.
    ORDER = "ORDER"
    GATEWAY = "GATEWAY"
    # A row of a file that the customer confirmed as a whole.
    BULK = "BULK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One payment before it happens.

    Amounts are integer minor units; `amount_base_minor` is in the bank's base currency, None without a reference rate.
    `subject_kind` and `subject_id` name the payment in its owner's tables, `customer_id` is the payer's public id,
    `beneficiary_ref` identifies the payee's account. Countries are ISO 3166 alpha-2 or empty when unknown. `at` is
    timezone-aware. Raises ValueError for a naive time, an amount that is not positive, an unknown type or channel.
    The two labels are only shown to analysts: the payer's account and the payee as a person would name them.
    """

    subject_kind: str
    subject_id: uuid.UUID
    customer_id: uuid.UUID
    account_ref: uuid.UUID
    amount_minor: int
    currency: str
    amount_base_minor: int | None
    at: datetime
    transfer_type: str
    channel: str
    beneficiary_ref: str
    ip: str = ""
    country: str = ""
    home_country: str = ""
    device: str = ""
    account_label: str = ""
    beneficiary_label: str = ""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("at must be timezone-aware")
        if self.amount_minor <= 0:
            raise ValueError("amount_minor must be positive")
        TransferType(self.transfer_type)
        Channel(self.channel)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: `code` is the rule's, `text` is fit for the customer, `detail` is for analysts."""

    code: str
    text: str
    detail: str = field(default="", compare=False)


class RiskLevel(StrEnum):
    SAFE = "SAFE"
    SUSPICIOUS = "SUSPICIOUS"
    CRITICAL = "CRITICAL"


class Confidence(StrEnum):
    """How many layers are on the decision's side: all of several, at least two, one."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


SUSPICIOUS_FROM = 0.5
CRITICAL_FROM = 0.8


def risk_level(score: float) -> RiskLevel:
    """Safe below 0.5, suspicious below 0.8, critical from there."""
    if score < SUSPICIOUS_FROM:
        return RiskLevel.SAFE
    return RiskLevel.SUSPICIOUS if score < CRITICAL_FROM else RiskLevel.CRITICAL


@dataclass(frozen=True, slots=True)
class Verdict:
    """`score` runs from 0.0 to 1.0, `layers` says what each layer gave, and `primary_method` which one decided."""

    outcome: Outcome
    score: float
    reasons: tuple[Reason, ...]
    decision_id: uuid.UUID
    layers: Mapping[str, float] = field(default_factory=dict)
    primary_method: str = ""
    confidence: str = ""
    agreement_percent: int | None = None

    @property
    def risk_level(self) -> RiskLevel:
        return risk_level(self.score)
