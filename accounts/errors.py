"""What accounts refuse. `accounts.services` re-exports these; callers catch `services.X`."""

from __future__ import annotations

from common.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable


class UnknownAccount(NotFound):
    """No such account, or not the actor's to know about."""

    code = "unknown_account"
    message = "We do not know this account."


class UnknownProduct(NotFound):
    code = "unknown_product"
    message = "We do not offer this kind of account."


class UnknownCustomer(NotFound):
    code = "unknown_customer"
    message = "There is no active customer with this address."


class AccountFrozen(Conflict):
    code = "account_frozen"
    message = "This account is frozen, so no money can move in or out."


class AccountClosed(Conflict):
    code = "account_closed"
    message = "This account is closed."


class AccountDormant(Conflict):
    """Nobody used it for a long time; its owner wakes it with the PIN."""

    code = "account_dormant"
    message = "This account is dormant, because it was not used for a long time. Reactivate it to move money out."


class AccountNotEmpty(Conflict):
    """It still holds money or reservations; `data` has posted_minor and held_minor."""

    code = "account_not_empty"
    message = "This account still holds money. Move it out first, or choose where it should go."


class AccountInUse(Conflict):
    """A loan or a file of payments still needs it; the text says which."""

    code = "account_in_use"
    message = "Something still needs this account."


class AccountOwes(Conflict):
    """It cannot close before fees, overdraft and its interest are paid; `data` has missing_minor."""

    code = "account_owes"
    message = "This account owes money. Pay it in first."


class ClosingOutdated(Conflict):
    """Something moved since the customer was shown what would happen; `data` has rest_minor."""

    code = "closing_outdated"
    message = "The figures have changed since you saw them. Look at them again, then confirm."


class StatusNotAllowed(Conflict):
    """Freeze what is active, unfreeze what is frozen, close what is active."""

    code = "status_not_allowed"
    message = "The account's present state does not allow this."


class KycRequired(Conflict):
    code = "kyc_required"
    message = "We need to know who you are first. Finish the identity check, then open the account."


class OpeningBelowMinimum(Invalid):
    """`data` has minimum_minor."""

    code = "below_minimum_opening"
    message = "The opening deposit is below the minimum of this product."


class FundingNotAllowed(Forbidden):
    """This source of money is not available to this actor or in this installation."""

    code = "funding_not_allowed"
    message = "The opening deposit cannot come from there."


class NotYourOwn(Forbidden):
    """Staff decide about other people's accounts, never about their own."""

    code = "own_account"
    message = "You cannot decide about your own account. Ask a colleague."


class ReasonRequired(Invalid):
    code = "reason_required"
    message = "Give a reason. It stays on record."


class UnknownFee(NotFound):
    code = "unknown_fee"
    message = "There is no such fee."


class FeeNotOwed(Conflict):
    """It was waived before, or asked for nothing."""

    code = "fee_not_owed"
    message = "This fee is not owed, so there is nothing to waive."


class InvalidFee(Invalid):
    """Bands, bounds or the day do not make a fee."""

    code = "invalid_fee"
    message = "This is not a fee."


class InvalidNickname(Invalid):
    code = "invalid_nickname"
    message = "Use up to 40 letters, digits and spaces."


class PeriodNotAllowed(Invalid):
    code = "period_not_allowed"
    message = "Choose a period of up to 366 days that starts before it ends."


class StatementTooLong(Invalid):
    """More postings than this format can hold; `data` has postings and longest."""

    code = "statement_too_long"
    message = "This period has too many postings for this format. Choose a shorter one or another format."


class UnknownStatement(NotFound):
    """No statement was issued for this month."""

    code = "unknown_statement"
    message = "There is no statement for this month."


class StatementDamaged(Unavailable):
    """The stored file is gone or is not the one that was issued."""

    code = "statement_damaged"
    message = "This statement cannot be shown right now. We have been told."


class StoreDown(Unavailable):
    code = "statements_unavailable"
    message = "Statements cannot be reached right now. Please try again shortly."


class ClientIdReused(Conflict):
    """The client id opened another account before."""

    code = "client_id_reused"
    message = "This request was already used to open another account."
