"""What lending refuses."""

from __future__ import annotations

from common.errors import Conflict, Forbidden, Invalid, NotFound


class InvalidTerms(Invalid):
    """The terms cannot make a loan; `field` names the one at fault, such as `fees[0].percent`."""

    code = "invalid_loan_terms"
    message = "These loan terms are not valid."


class InvalidEvent(Invalid):
    """Something that is said to have happened to the loan cannot have."""

    code = "invalid_loan_event"
    message = "This cannot be done to the loan."


class LoanClosed(Conflict):
    code = "loan_closed"
    message = "This loan is closed."


class UnknownProduct(NotFound):
    code = "unknown_loan_product"
    message = "We do not offer this loan."


class UnknownApplication(NotFound):
    code = "unknown_loan_application"
    message = "We could not find this application."


class UnknownLoan(NotFound):
    code = "unknown_loan"
    message = "We could not find this loan."


class UnknownRestructure(NotFound):
    code = "unknown_restructure"
    message = "We could not find this proposal."


class AmountOutOfRange(Invalid):
    """`data` has the limits in minor units."""

    code = "loan_amount_out_of_range"
    message = "We do not lend this amount."


class TermOutOfRange(Invalid):
    code = "loan_term_out_of_range"
    message = "We do not lend for this long."


class InvalidTranches(Invalid):
    """The parts that a loan would be paid out in do not fit the product or the amount."""

    code = "invalid_tranches"
    message = "This loan is not paid out in these parts."


class Incomplete(Conflict):
    """`field` is the first answer that is missing."""

    code = "loan_application_incomplete"
    message = "An answer is missing."


class KycRequired(Forbidden):
    code = "kyc_required"
    message = "Confirm who you are first; then you can ask for a loan."


class OpenApplication(Conflict):
    code = "loan_application_open"
    message = "You have an application that is not decided yet."


class NotPossibleNow(Conflict):
    """The application or loan has moved on."""

    code = "loan_state"
    message = "This is no longer possible: it has moved on meanwhile."


class OwnDecision(Forbidden):
    code = "own_decision"
    message = "Nobody decides about an own loan. Ask a colleague."


class RelatedDecision(Forbidden):
    code = "related_decision"
    message = "You and this customer are connected. Ask a colleague."


class SecondOfficerNeeded(Forbidden):
    code = "second_officer_needed"
    message = "You have recommended this loan. A second officer decides."


class OfferExpired(Conflict):
    code = "loan_offer_expired"
    message = "This offer has run out. Please apply again."


class CoolingOffOver(Conflict):
    code = "cooling_off_over"
    message = "The days in which you could withdraw are over. You can pay the loan off instead."


class TooMuch(Invalid):
    """`data["payoff_minor"]` is what is owed."""

    code = "more_than_payoff"
    message = "This is more than you owe."


class NotEnoughMoney(Conflict):
    code = "insufficient_funds"
    message = "The account does not hold enough for this."


class QuoteChanged(Conflict):
    """`data["payoff_minor"]` is the new figure."""

    code = "payoff_changed"
    message = "The pay-off has changed since you saw it. Look at the new amount first."


class NothingDue(Conflict):
    code = "nothing_due"
    message = "Nothing is due now. You can make an extra payment."


class ReasonRequired(Invalid):
    code = "reason_required"
    message = "Give a reason."


class ClientIdReused(Invalid):
    code = "client_id_reused"
    message = "This request was used for another payment."
