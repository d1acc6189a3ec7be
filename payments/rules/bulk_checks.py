"""What the check of a file may say about one of its rows."""

from __future__ import annotations

from enum import StrEnum


class Check(StrEnum):
    OK = "OK"
    NAME_CLOSE = "NAME_CLOSE"
    NAME_NO_MATCH = "NAME_NO_MATCH"
    OTHER_BANK = "OTHER_BANK"
    UNKNOWN_PAYEE = "UNKNOWN_PAYEE"
    OWN_ACCOUNT = "OWN_ACCOUNT"
    NOT_USABLE = "NOT_USABLE"
    WRONG_CURRENCY = "WRONG_CURRENCY"
    DUPLICATE = "DUPLICATE"
    OVER_LIMIT = "OVER_LIMIT"
    NO_MONEY = "NO_MONEY"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Check.OK: "Ready",
    Check.NAME_CLOSE: "Name is close",
    Check.NAME_NO_MATCH: "Name does not match",
    Check.OTHER_BANK: "Ready, other bank",
    Check.UNKNOWN_PAYEE: "Unknown account",
    Check.OWN_ACCOUNT: "Your own account",
    Check.NOT_USABLE: "Cannot receive",
    Check.WRONG_CURRENCY: "Another currency",
    Check.DUPLICATE: "Repeats a row",
    Check.OVER_LIMIT: "Over your limit",
    Check.NO_MONEY: "Not enough money",
}
# What is paid when the customer confirms; the names are the customer's to judge, as in a single transfer.
PAYABLE = (Check.OK, Check.NAME_CLOSE, Check.NAME_NO_MATCH, Check.OTHER_BANK)
WARNINGS = (Check.NAME_CLOSE, Check.NAME_NO_MATCH)
# How a refusal reads in a check, by its code.
_BY_CODE = {
    "unknown_payee": Check.UNKNOWN_PAYEE,
    "own_account": Check.OWN_ACCOUNT,
    "payee_account_not_usable": Check.NOT_USABLE,
    "currency_mismatch": Check.WRONG_CURRENCY,
    "limit_exceeded": Check.OVER_LIMIT,
    "no_reference_rate": Check.OVER_LIMIT,
    "insufficient_funds": Check.NO_MONEY,
}
_BY_MATCH = {
    "MATCH": Check.OK,
    "CLOSE": Check.NAME_CLOSE,
    "NO_MATCH": Check.NAME_NO_MATCH,
    "": Check.OTHER_BANK,
}


def of_refusal(code: str) -> Check:
    """The check of a row that a payment was refused for. Raises KeyError for a refusal that no row can cause."""
    return _BY_CODE[code]


def of_name(match: str) -> Check:
    """The check of a row that can be paid, by the outcome of its name check; empty for an account at another bank."""
    return _BY_MATCH[match]
