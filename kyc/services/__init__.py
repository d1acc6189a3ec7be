"""Writing services of KYC. Every change of state happens here, under a lock on the application's row."""

from __future__ import annotations

from kyc.errors import (
    AlreadyApproved,
    ApplicationNotFound,
    DocumentNotFound,
    DocumentRefused,
    FinallyRejected,
    Incomplete,
    InvalidDetails,
    NotEditable,
    NotPending,
    OwnApplication,
    QuotaReached,
    ReasonMissing,
    ScannerDown,
    StorageDown,
)
from kyc.services.applications import save_personal, start_or_resume, start_with, submit
from kyc.services.decisions import (
    approve,
    expire_applications,
    read_preview_as_staff,
    reject,
    reveal_number,
    view_as_staff,
)
from kyc.services.retention import purge_applications
from kyc.services.uploads import add_document, remove_document, sweep_files

__all__ = [
    "AlreadyApproved",
    "ApplicationNotFound",
    "DocumentNotFound",
    "DocumentRefused",
    "FinallyRejected",
    "Incomplete",
    "InvalidDetails",
    "NotEditable",
    "NotPending",
    "OwnApplication",
    "QuotaReached",
    "ReasonMissing",
    "ScannerDown",
    "StorageDown",
    "add_document",
    "approve",
    "expire_applications",
    "purge_applications",
    "read_preview_as_staff",
    "reject",
    "remove_document",
    "reveal_number",
    "save_personal",
    "start_or_resume",
    "start_with",
    "submit",
    "sweep_files",
    "view_as_staff",
]
