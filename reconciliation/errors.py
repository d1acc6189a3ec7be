"""What reconciliation refuses. `reconciliation.services` re-exports these."""

from __future__ import annotations

from common.errors import Conflict, Invalid, NotFound


class UnreadableStatement(Invalid):
    """Not a statement in the chosen format, or one with content that we do not open; `data` may have the row."""

    code = "unreadable_statement"
    message = "We cannot read this file in the chosen format."


class StatementTooLarge(Invalid):
    code = "outside_statement_too_large"
    message = "This file is too large. Split it into shorter periods."


class OtherCurrency(Invalid):
    code = "currency_mismatch"
    message = "This statement is in another currency than the account."


class NotBalanced(Invalid):
    """`data` has lines_minor and postings_minor."""

    code = "match_not_balanced"
    message = "The chosen lines and postings do not have the same sum."


class AlreadyMatched(Conflict):
    code = "already_matched"
    message = "One of these was matched meanwhile."


class UnknownLine(NotFound):
    code = "unknown_statement_line"
    message = "We do not know this line."


class UnknownMatch(NotFound):
    code = "unknown_match"
    message = "There is no such match."


class ReasonRequired(Invalid):
    code = "reason_required"
    message = "Give a reason. It stays on record."
