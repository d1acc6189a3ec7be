"""Documents: checked apart, written anew, stored under random names, attached to a draft under its lock."""

from __future__ import annotations

import hashlib
import logging
import uuid
from datetime import datetime

from django.db import IntegrityError, transaction

from audit import services as audit
from common.db import use_case
from identity.models import User
from kyc import queries, scanner, storage
from kyc.errors import DocumentNotFound, DocumentRefused, QuotaReached, StorageDown
from kyc.models import Application, Document, StoredFile
from kyc.rules import documents, filenames, headers, isolation, limits
from kyc.services.applications import SUBJECT, lock_draft, require_draft

logger = logging.getLogger(__name__)


def add_document(
    *, actor: User, application_id: uuid.UUID, kind: str, data: bytes, name: str, now: datetime
) -> Document:
    """Check a file in a process of its own, store what was written anew, and attach it to the draft.

    `name` is what the customer called it. Raises DocumentRefused, QuotaReached, ScannerDown, StorageDown, NotEditable,
    ApplicationNotFound.
    """
    if kind not in Document.Kind.values:
        raise DocumentRefused("Say what this document is.", code="kyc_document_kind")
    documents.check_length(len(data))
    early = queries.get_application_for(actor=actor, application_id=application_id)
    require_draft(early, now)
    _require_room(early, 0)
    _require_harmless(actor, application_id, data)
    clean = isolation.sanitise(data)
    if kind == Document.Kind.SELFIE and clean.content_type == headers.PDF:
        raise DocumentRefused("Send your photo as a JPEG, PNG or WebP picture.", code="kyc_document_kind")
    stored_name = _store(clean, now)
    try:
        return _attach(actor, application_id, kind, clean, stored_name, hashlib.sha256(data).hexdigest(), name, now)
    except BaseException:
        _discard(stored_name)
        raise


def remove_document(*, actor: User, document_id: uuid.UUID, now: datetime) -> Application:
    """Take a document off the actor's draft; its file is deleted after commit. Returns the application.

    Raises DocumentNotFound, NotEditable.
    """
    with use_case():
        document = Document.objects.filter(pk=document_id, application__user=actor).first()
        if document is None:
            raise DocumentNotFound
        application = lock_draft(actor, document.application_id, now)
        # Under the lock: another request may have removed it meanwhile.
        deleted, _ = Document.objects.filter(pk=document_id).delete()
        if not deleted:
            raise DocumentNotFound
        audit.record(
            actor=actor,
            action="kyc.document_removed",
            subject_kind=SUBJECT,
            subject_id=application.pk,
            data={"document": str(document_id), "kind": document.kind},
        )
        stored_name = document.stored_id
        transaction.on_commit(lambda: _discard(stored_name), robust=True)
        return application


def sweep_files(*, now: datetime) -> int:
    """Delete stored files that no document names: uploads cut short, documents removed. Returns how many."""
    orphans = StoredFile.objects.filter(document=None, created_at__lte=now - limits.ORPHAN_LIFETIME)
    return sum(_discard(name) for name in list(orphans.values_list("name", flat=True)))


def _require_harmless(actor: User, application_id: uuid.UUID, data: bytes) -> None:
    malware = scanner.find_malware(data)
    if not malware:
        return
    with use_case():
        audit.record(
            actor=actor,
            action="kyc.malware_refused",
            subject_kind=SUBJECT,
            subject_id=application_id,
            data={"found": malware[:200], "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)},
        )
    raise DocumentRefused(
        "Our virus scanner refused this file. Check your device, and send another one.", code="kyc_document_malware"
    )


def _require_room(application: Application, size: int) -> None:
    taken = queries.usage(application)
    if taken.count >= limits.MAX_DOCUMENTS:
        raise QuotaReached(f"An application holds at most {limits.MAX_DOCUMENTS} documents. Remove one first.")
    if taken.size + size > limits.MAX_TOTAL_BYTES:
        raise QuotaReached(
            f"All documents together may have {limits.MAX_TOTAL_BYTES // 1024 // 1024} MB. Remove one first."
        )


def _store(clean: documents.CleanDocument, now: datetime) -> str:
    """Write the file under a random name, outside any transaction: the store may be far away."""
    name = f"kyc/{uuid.uuid4()}.{headers.SUFFIXES[clean.content_type]}"
    with use_case():
        StoredFile.objects.create(name=name, created_at=now)
    storage.save(name, clean.data)
    return name


def _attach(
    actor: User,
    application_id: uuid.UUID,
    kind: str,
    clean: documents.CleanDocument,
    stored_name: str,
    source_sha256: str,
    name: str,
    now: datetime,
) -> Document:
    try:
        with use_case():
            application = lock_draft(actor, application_id, now)
            _require_room(application, len(clean.data))
            document = Document.objects.create(
                application=application,
                kind=kind,
                stored_id=stored_name,
                content_type=clean.content_type,
                size=len(clean.data),
                pages=clean.pages,
                sha256=hashlib.sha256(clean.data).hexdigest(),
                source_sha256=source_sha256,
                original_name=filenames.sanitise(name),
                uploaded_at=now,
            )
            audit.record(
                actor=actor,
                action="kyc.document_added",
                subject_kind=SUBJECT,
                subject_id=application.pk,
                data={"document": str(document.pk), "kind": kind, "sha256": document.sha256, "size": document.size},
            )
            return document
    except IntegrityError as error:
        if "kyc_document_once_per_application" not in str(error):
            raise
        raise DocumentRefused("You have added this file already.", code="kyc_document_twice") from error


def _discard(stored_name: str) -> int:
    """Delete a file that no document names, then its row; the sweep tries again where the store does not answer."""
    try:
        storage.delete(stored_name)
    except StorageDown:
        logger.warning("document store does not answer; the sweep will delete", extra={"stored_name": stored_name})
        return 0
    return StoredFile.objects.filter(name=stored_name, document=None).delete()[0]
