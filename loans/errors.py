"""What lending refuses."""

from __future__ import annotations

from common.errors import Conflict, Invalid


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
