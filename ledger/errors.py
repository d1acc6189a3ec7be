"""What the ledger refuses. `ledger.services` re-exports these; callers catch `services.X`."""

from __future__ import annotations

from common.errors import Conflict, Invalid, NotFound


class InsufficientFunds(Conflict):
    """The account would fall below its floor; `data` has account_id, available_minor and amount_minor."""

    code = "insufficient_funds"
    message = "There is not enough money in this account."


class AccountNotUsable(Conflict):
    """The account is frozen or closed (code `account_frozen` or `account_closed`)."""

    code = "account_not_usable"
    message = "This account cannot be used at the moment."


class AccountNotEmpty(Conflict):
    """An account closes only at zero and without holds."""

    code = "account_not_empty"
    message = "This account still holds money or reservations, so it cannot be closed."


class FloorNotCovered(Conflict):
    """The new floor is above what the account has available."""

    code = "floor_not_covered"
    message = "The account holds less than this limit allows."


class UnknownAccount(NotFound):
    code = "unknown_account"
    message = "We could not find this account."


class UnknownEntry(NotFound):
    code = "unknown_entry"
    message = "We could not find this journal entry."


class UnknownHold(NotFound):
    code = "unknown_hold"
    message = "We could not find this hold."


class UnknownGlCode(NotFound):
    code = "unknown_gl_code"
    message = "The chart of accounts has no such code for this use."


class CurrencyMismatch(Invalid):
    code = "currency_mismatch"
    message = "Both accounts must hold the same currency."


class UnbalancedEntry(Invalid):
    code = "unbalanced_entry"
    message = "A journal entry needs at least two legs that add up to zero in each currency."


class InvalidAmount(Invalid):
    code = "invalid_amount"
    message = "The amount must be above zero and within what the ledger can hold."


class SameAccount(Invalid):
    code = "same_account"
    message = "Debit and credit must be two different accounts."


class ExternalRefReused(Conflict):
    """The reference was used before, with other content."""

    code = "external_ref_reused"
    message = "This reference was already used for something else."


class HoldNotActive(Conflict):
    """The hold was posted, voided or has expired; `data` has its state."""

    code = "hold_not_active"
    message = "This hold is no longer active."


class HoldNotDue(Conflict):
    code = "hold_not_due"
    message = "This hold has not reached its expiry time."


class HoldExceeded(Conflict):
    code = "hold_exceeded"
    message = "A hold can be posted up to its own amount, from its own account."


class AlreadyReversed(Conflict):
    code = "already_reversed"
    message = "This journal entry was already reversed."


class NotReversible(Conflict):
    code = "not_reversible"
    message = "A reversal cannot itself be reversed; post the entry again."


class StatusNotAllowed(Conflict):
    code = "status_not_allowed"
    message = "A closed account stays closed."


class SealsAhead(Conflict):
    """This server's transaction ids run below those of the last seal: it was filled from a dump."""

    code = "seals_ahead"
    message = "The last seal was made by a server that had counted further. Restore the server's files, not a dump."


class HeadsDiffer(Conflict):
    """The file of heads knows a seal that the ledger does not have, or has otherwise; `data` has its number."""

    code = "heads_differ"
    message = "The file of seal heads and the ledger's seals do not agree. Run verify_ledger."


class UnknownSeal(NotFound):
    code = "unknown_seal"
    message = "There is no such seal."


class BatchRefused(Conflict):
    """An all-or-nothing batch had items that cannot be posted; `data` has `outcomes`, one per item."""

    code = "batch_refused"
    message = "Nothing was posted, because some of the transfers cannot be."
