"""Calling the functions of this room, and turning what they raise into the ledger's errors by SQLSTATE, never by text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import DatabaseError

from common.errors import DomainError
from common.rows import ask
from ledger import errors

ERRORS: Mapping[str, tuple[type[DomainError], str | None]] = {
    "BK001": (errors.InsufficientFunds, None),
    "BK002": (errors.AccountNotUsable, "account_frozen"),
    "BK003": (errors.AccountNotUsable, "account_closed"),
    "BK004": (errors.UnknownAccount, None),
    "BK005": (errors.CurrencyMismatch, None),
    "BK006": (errors.UnbalancedEntry, None),
    "BK007": (errors.ExternalRefReused, None),
    "BK008": (errors.HoldNotActive, None),
    "BK009": (errors.AlreadyReversed, None),
    "BK010": (errors.InvalidAmount, None),
    "BK011": (errors.SameAccount, None),
    "BK012": (errors.UnknownEntry, None),
    "BK013": (errors.UnknownHold, None),
    "BK014": (errors.HoldExceeded, None),
    "BK015": (errors.HoldNotDue, None),
    "BK016": (errors.NotReversible, None),
    "BK017": (errors.StatusNotAllowed, None),
    "BK018": (errors.AccountNotEmpty, None),
    "BK019": (errors.UnknownGlCode, None),
    "BK020": (errors.FloorNotCovered, None),
    "BK021": (errors.SealsAhead, None),
    "BK022": (errors.BatchRefused, None),
    # Beyond what 64 bits hold: the amount is at fault, not the database.
    "22003": (errors.InvalidAmount, None),
}


def _refusal(problem: DatabaseError) -> DomainError | None:
    """The ledger's error for what the database raised; None when it is none of ours."""
    cause = problem.__cause__
    known = ERRORS.get(getattr(cause, "pgcode", None) or "")
    if known is None:
        return None
    error, code = known
    return error(code=code, data=_data(getattr(getattr(cause, "diag", None), "message_detail", None)))


def _data(detail: str | None) -> dict[str, Any]:
    if not detail or not detail.startswith("{"):
        return {}
    return dict(json.loads(detail))


def call(statement: str, parameters: tuple[Any, ...]) -> tuple[Any, ...]:
    """The one row of a function call. Raises the errors of `ERRORS`; anything else propagates."""
    [row] = call_all(statement, parameters)
    return row


def call_all(statement: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Every row of the calls that one statement makes. Raises as `call` does."""
    try:
        return ask(statement, parameters)
    except DatabaseError as problem:
        refusal = _refusal(problem)
        if refusal is None:
            raise
        raise refusal from problem
