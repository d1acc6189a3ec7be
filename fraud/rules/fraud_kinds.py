"""What kinds of fraud people tell apart when they confirm one. Pure."""

from __future__ import annotations

from enum import StrEnum


class FraudKind(StrEnum):
    TAKEOVER = "TAKEOVER"
    MULE = "MULE"
    CARD_TESTING = "CARD_TESTING"
    SMURFING = "SMURFING"
    PAYEE_SCAM = "PAYEE_SCAM"
    OTHER = "OTHER"


# Each with what tells it apart, for whoever decides.
WORDS: dict[str, str] = {
    FraudKind.TAKEOVER: "Takeover: somebody else used the account",
    FraudKind.MULE: "Mule: the account passes on stolen money",
    FraudKind.CARD_TESTING: "Card testing: stolen cards tried with small amounts",
    FraudKind.SMURFING: "Smurfing: a large sum in many small parts",
    FraudKind.PAYEE_SCAM: "Payee scam: the customer was deceived into paying",
    FraudKind.OTHER: "Another kind",
}


def short(kind: str) -> str:
    """The kind alone, such as “Card testing”; a kind that nobody gave is “Not told”."""
    return WORDS[kind].partition(":")[0] if kind in WORDS else "Not told"
