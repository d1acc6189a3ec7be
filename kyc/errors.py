"""What KYC refuses, and why."""

from __future__ import annotations

from common import errors


class ApplicationNotFound(errors.NotFound):
    code = "kyc_application_not_found"
    message = "We could not find that application."


class DocumentNotFound(errors.NotFound):
    code = "kyc_document_not_found"
    message = "We could not find that document."


class AlreadyApproved(errors.Conflict):
    code = "kyc_already_approved"
    message = "Your identity is already confirmed."


class FinallyRejected(errors.Conflict):
    code = "kyc_finally_rejected"
    message = "We declined your application for good, so you cannot start another one."


class NotEditable(errors.Conflict):
    code = "kyc_not_editable"
    message = "This application can no longer be changed."


class NotPending(errors.Conflict):
    code = "kyc_not_pending"
    message = "This application is not waiting for a decision; somebody may have decided it a moment ago."


class OwnApplication(errors.Forbidden):
    code = "kyc_own_application"
    message = "You may not decide your own application."


class InvalidDetails(errors.Invalid):
    """`data["errors"]` lists every field at fault; `field` is the first of them."""

    code = "kyc_invalid_details"
    message = "Some details need another value."


class Incomplete(errors.Conflict):
    """`data["missing"]` lists what has to be there before the application can be sent."""

    code = "kyc_incomplete"
    message = "Your application is not complete yet."


class ReasonMissing(errors.Invalid):
    code = "kyc_reason_missing"
    message = "Give the customer a reason."


class DocumentRefused(errors.Invalid):
    """The file is not one that we keep; the text names the cause."""

    code = "kyc_document_refused"
    message = "We cannot accept this file."

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        super().__init__(message, code=code, field="file")


class QuotaReached(errors.Conflict):
    code = "kyc_document_quota"
    message = "This application holds as many documents as it may."


class StorageDown(errors.Unavailable):
    code = "kyc_storage_unavailable"
    message = "We cannot reach the document store right now. Please try again shortly."


class ScannerDown(errors.Unavailable):
    code = "kyc_scanner_unavailable"
    message = "We cannot check files right now. Please try again shortly."
