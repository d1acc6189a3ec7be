"""What payments refuses. `payments.services` re-exports these; callers catch `services.X`."""

from __future__ import annotations

from common.errors import Conflict, Forbidden, Invalid, NotFound


class PaymentNotFound(NotFound):
    code = "payment_not_found"
    message = "We could not find this payment."


class ReviewNotFound(NotFound):
    code = "review_not_found"
    message = "We could not find this review."


class AccountNotFound(NotFound):
    code = "account_not_found"
    message = "We could not find this account."


class UnknownPayee(Invalid):
    code = "unknown_payee"
    message = "No account has this number. Check it with the payee."


class PayeeIsOwnAccount(Invalid):
    code = "own_account"
    message = "This is an account of your own. Use the transfer between your accounts."


class SameAccount(Invalid):
    code = "same_account"
    message = "Choose two different accounts."


class PayeeCurrencyDiffers(Invalid):
    code = "currency_mismatch"
    message = "This account is held in another currency."


class PayeeNameMissing(Invalid):
    code = "payee_name_missing"
    message = "Enter the name of the person or company you pay."


class DescriptionTooLong(Invalid):
    code = "description_too_long"
    message = "Use 140 characters or fewer."


class InvalidIban(Invalid):
    code = "invalid_iban"
    message = "This is not a valid IBAN."


class SimulationOff(Invalid):
    code = "simulation_off"
    message = "A location can be chosen in a sandbox only."


class PayeeCannotReceive(Conflict):
    """The payee's account is frozen or closed."""

    code = "payee_account_not_usable"
    message = "This account cannot receive money at the moment."


class AccountNotUsable(Conflict):
    """The actor's own account is frozen or closed (code `account_frozen` or `account_closed`)."""

    code = "account_not_usable"
    message = "This account cannot be used at the moment."


class NotEnoughMoney(Conflict):
    code = "insufficient_funds"
    message = "There is not enough money in this account for the amount and the fee."


class ClientIdReused(Conflict):
    code = "client_id_reused"
    message = "This request number was already used for another payment."


class LimitExceeded(Conflict):
    """`data` has the limit's name, `limit_minor`, `left_minor` and their currency."""

    code = "limit_exceeded"
    message = "This is above one of your limits."


class LimitTooHigh(Invalid):
    code = "limit_too_high"
    message = "This is above the bank's limit."


class NoReferenceRate(Conflict):
    code = "no_reference_rate"
    message = "We have no rate for this currency today and cannot compare the amount with your limits."


class OwnLimits(Forbidden):
    code = "four_eyes"
    message = "Ask a colleague to change your own limits."


class CustomerNotFound(Invalid):
    code = "customer_not_found"
    message = "No customer logs in with this address."


class PayeeNotFound(NotFound):
    code = "payee_not_found"
    message = "We could not find this payee."


class PayeeSaved(Conflict):
    code = "payee_saved"
    message = "You have already saved this payee."


class TooManyPayees(Conflict):
    code = "too_many_payees"
    message = "You have saved as many payees as we keep. Remove one first."


class StandingOrderNotFound(NotFound):
    code = "standing_order_not_found"
    message = "We could not find this standing order."


class StandingOrderOver(Conflict):
    code = "standing_order_over"
    message = "This standing order has ended."


class TooManyStandingOrders(Conflict):
    code = "too_many_standing_orders"
    message = "You have as many standing orders as we keep. Cancel one first."


class InvalidSchedule(Invalid):
    code = "invalid_schedule"
    message = "Choose other days."


class ReviewExpired(Conflict):
    code = "review_expired"
    message = "This review has expired. Start the payment again."


class ReviewUsed(Conflict):
    """The review was confirmed before; `data` has the payment's id."""

    code = "review_used"
    message = "You have already confirmed this payment."


class ReviewOutdated(Conflict):
    code = "review_outdated"
    message = "The fee has changed since you reviewed this payment. Please review it again."


class NotHeld(Conflict):
    code = "payment_not_held"
    message = "This payment is no longer waiting for a decision."


class HoldExpired(Conflict):
    code = "payment_expired"
    message = "The time to decide this payment has passed."


class NotReversible(Conflict):
    code = "payment_not_reversible"
    message = "Only a completed payment can be reversed, and only once."


class OwnDecision(Forbidden):
    code = "four_eyes"
    message = "Somebody else has to decide this: you are a party to the payment or you entered it."


class SandboxOnly(Forbidden):
    code = "sandbox_only"
    message = "The funding source exists in a sandbox only."


class ScopeMissing(Forbidden):
    code = "scope_missing"
    message = "This API client does not have the scope for this."


class ReasonMissing(Invalid):
    code = "reason_missing"
    message = "Give a reason."


class BulkFileNotFound(NotFound):
    code = "bulk_file_not_found"
    message = "We could not find this file."


class BulkNotAllowed(Forbidden):
    code = "bulk_not_allowed"
    message = "Files of payments are paid from business accounts."


class BulkFileUnreadable(Invalid):
    """`data` has `problems` (row, column, text), twenty at most, and how many `more` there are."""

    code = "bulk_file_unreadable"
    message = "We cannot read this file."


class BulkFileOver(Conflict):
    code = "bulk_file_over"
    message = "This file was confirmed or cancelled before."


class BulkFileStarted(Conflict):
    code = "bulk_file_started"
    message = "The payments of this file have started, so it cannot be cancelled any more."


class BulkFileExpired(Conflict):
    code = "bulk_file_expired"
    message = "This check has expired. Upload the file again."


class BulkFileDiffers(Conflict):
    code = "bulk_file_differs"
    message = "This is not the file that was checked. Look at the check again."


class BulkFileNotPayable(Conflict):
    code = "bulk_file_not_payable"
    message = "No row of this file can be paid."


class TooManyBulkFiles(Conflict):
    code = "too_many_bulk_files"
    message = "Several of your files wait for you already. Confirm or cancel one first."


class WholeRefused(Conflict):
    """An all-or-nothing list had a payment that cannot be made; this one is not at fault."""

    code = "whole_refused"
    message = "Not paid, because another payment of the list cannot be made."


class FeeChanged(Conflict):
    code = "fee_changed"
    message = "The fee has changed since the check."


class IntegratorHoldNotFound(NotFound):
    code = "hold_not_found"
    message = "We could not find this hold."


class HoldOver(Conflict):
    """`data` has the status it ended with."""

    code = "hold_over"
    message = "This hold was posted, voided, or has expired."
