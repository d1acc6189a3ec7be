"""Reading services of KYC. Other apps ask here whether, and as whom, a person is known."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Now

from common import encryption
from common.geography import country_name
from common.rows import Prepared
from identity.models import User
from kyc import storage
from kyc.errors import ApplicationNotFound, DocumentNotFound
from kyc.models import Application, Document, RejectionKind, State
from kyc.rules import isolation, limits, numbers, personal

REQUIRED_KINDS = (Document.Kind.IDENTITY, Document.Kind.ADDRESS, Document.Kind.SELFIE)

# The same rows as `_ever_approved`: who somebody is, for `Person`.
PERSON = Prepared(
    """
    SELECT first_name, last_name, home_country, address, postcode, city FROM kyc_application
     WHERE user_id = %(user)s AND (state = 'APPROVED' OR state = 'EXPIRED' AND decided_at IS NOT NULL)
     ORDER BY decided_at DESC, id DESC LIMIT 1
    """
)


@dataclass(frozen=True, slots=True)
class Person:
    """What the bank has checked about somebody. `home_country` is an alpha-2 code or empty."""

    first_name: str
    last_name: str
    home_country: str
    address: str
    postcode: str
    city: str

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Usage:
    """What the documents of an application take of its quota; `size` is in bytes."""

    count: int
    size: int


@dataclass(frozen=True, slots=True)
class Check:
    """One line of what the bank found out by itself; `outcome` is OK, WARNING or INFO."""

    label: str
    outcome: str
    text: str


def is_approved(user_id: int) -> bool:
    """Whether the user's identity is confirmed at this moment."""
    return Application.objects.filter(user_id=user_id, state=State.APPROVED, expires_at__gt=Now()).exists()


def is_waiting(user_id: int) -> bool:
    """Whether an application of the user waits for the bank's decision."""
    return Application.objects.filter(user_id=user_id, state=State.PENDING).exists()


def person(user_id: int) -> Person | None:
    """Who somebody is by the latest approval, also one that has expired since; None before the first."""
    row = PERSON.first({"user": user_id})
    return Person(*row) if row else None


def legal_name(user_id: int) -> str:
    """The name under which the bank knows a person: that of the latest approval, else the one given at sign-up."""
    known = person(user_id)
    if known:
        return known.full_name
    return User.objects.filter(pk=user_id).values_list("full_name", flat=True).first() or ""


def legal_names(user_ids: Collection[int]) -> dict[int, str]:
    """The checked names of many people in one query; who was never approved is left out."""
    rows = _ever_approved().filter(user_id__in=user_ids).only("user_id", "first_name", "last_name")
    return {row.user_id: row.full_name for row in rows.order_by("decided_at", "id")}


def home_country(user_id: int) -> str:
    """ISO alpha-2 country of the latest approved address, or empty."""
    known = person(user_id)
    return known.home_country if known else ""


def postal_address(user_id: int) -> tuple[str, ...]:
    """The lines of the latest approved address as a letter carries them, the name left out; empty when there is none."""
    known = person(user_id)
    if known is None:
        return ()
    town = f"{known.postcode} {known.city}".strip()
    country = country_name(known.home_country) if known.home_country else ""
    return tuple(line for line in (known.address, town, country) if line)


def _ever_approved() -> QuerySet[Application]:
    return Application.objects.filter(Q(state=State.APPROVED) | Q(state=State.EXPIRED, decided_at__isnull=False))


def application_for(actor: User) -> Application | None:
    """The actor's latest application, or None."""
    return Application.objects.filter(user=actor).newest_first().first()


def applications_for(actor: User) -> QuerySet[Application]:
    """The actor's own applications, newest first."""
    return Application.objects.filter(user=actor).prefetch_related("documents").newest_first()


def get_application_for(*, actor: User, application_id: uuid.UUID | str) -> Application:
    """The actor's own application. Raises ApplicationNotFound for everybody else's."""
    application = Application.objects.filter(user=actor, pk=application_id).first()
    if application is None:
        raise ApplicationNotFound
    return application


def get_document_for(*, actor: User, document_id: uuid.UUID | str) -> Document:
    """The document, for its owner and for holders of `kyc_document_view`. Raises DocumentNotFound for everybody else."""
    documents = Document.objects.select_related("application")
    if not (actor.is_active and actor.is_staff and actor.has_perm("identity.kyc_document_view")):
        documents = documents.filter(application__user=actor)
    document = documents.filter(pk=document_id).first()
    if document is None:
        raise DocumentNotFound
    return document


def get_own_document(*, actor: User, document_id: uuid.UUID | str) -> Document:
    """The document for its owner alone: staff read through `services.view_as_staff`, which leaves a trace."""
    document = Document.objects.select_related("application").filter(pk=document_id, application__user=actor).first()
    if document is None:
        raise DocumentNotFound
    return document


def documents_of(application: Application) -> list[Document]:
    """An application's documents: identity, address, photo; oldest first."""
    order = {kind.value: place for place, kind in enumerate(REQUIRED_KINDS)}
    found = application.documents.order_by("uploaded_at", "id")
    return sorted(found, key=lambda document: order[document.kind])


def usage(application: Application) -> Usage:
    """How much of the quota is taken."""
    taken = application.documents.aggregate(count=Count("id"), size=Sum("size"))
    return Usage(count=taken["count"], size=taken["size"] or 0)


def document_number(application: Application) -> str:
    """The identity document's number in full. Raises common.encryption.SealBroken."""
    if not application.number_sealed:
        return ""
    return encryption.unseal(application.number_sealed, context=seal_context(application))


def seal_context(application: Application) -> str:
    return f"kyc.application.document_number:{application.pk}"


def details(application: Application) -> dict[str, Any]:
    """The personal data as the forms and `rules.personal` know it, the number in full."""
    known = {name: getattr(application, name) for name in personal.FIELDS if name != "document_number"}
    return {**known, "document_number": document_number(application)}


def missing(application: Application, *, today: date) -> list[str]:
    """What is lacking before the application can be sent: names of fields, and `documents.identity` and so on."""
    fields = [problem.field for problem in personal.check(details(application), today=today)]
    held = set(application.documents.values_list("kind", flat=True))
    return [*fields, *(f"documents.{kind.lower()}" for kind in REQUIRED_KINDS if kind not in held)]


def may_start(actor: User, *, now: datetime) -> bool:
    """Whether the actor may start another application now."""
    latest = Application.objects.filter(user=actor).newest_first().values("state", "rejection_kind").first()
    if latest and latest["rejection_kind"] == RejectionKind.FINAL:
        return False
    window = now + limits.RENEWAL_WINDOW
    return not Application.objects.filter(
        Q(state__in=[State.DRAFT, State.PENDING]) | Q(state=State.APPROVED, expires_at__gt=window), user=actor
    ).exists()


def read_file(document: Document) -> bytes:
    """The stored bytes. Raises StorageDown when the store does not answer or has lost the file."""
    return storage.read(document.stored_id)


def preview(document: Document, *, page: int, side: int) -> tuple[bytes, str]:
    """A picture of one page, at most `side` pixels a side, and its content type.

    Raises StorageDown, and DocumentRefused when there is no such page.
    """
    return isolation.preview(read_file(document), content_type=document.content_type, page=page, side=side)


def checks(application: Application, *, now: datetime) -> list[Check]:
    """What a reviewer should know: age, check digit, expiry, and the same number or file with another person."""
    today = now.date()
    found = [*_person_checks(application, today), *_number_checks(application), *_duplicate_checks(application)]
    held = set(application.documents.values_list("kind", flat=True))
    lacking = [str(kind.label) for kind in REQUIRED_KINDS if kind not in held]
    text = f"Missing: {', '.join(lacking)}" if lacking else "Identity, address and photo are there"
    return [*found, Check("Documents", "WARNING" if lacking else "OK", text)]


def _person_checks(application: Application, today: date) -> list[Check]:
    results = []
    if application.date_of_birth:
        age = personal.age_on(application.date_of_birth, today)
        results.append(Check("Age", "OK" if age >= limits.MINIMUM_AGE_YEARS else "WARNING", f"{age} years"))
    if application.document_expiry:
        left = (application.document_expiry - today).days
        outcome = "OK" if left > 30 else "WARNING"
        text = f"Valid for {left} more days" if left > 0 else f"Expired {-left} days ago"
        results.append(Check("Document expiry", outcome, text))
    if application.nationality and application.document_country != application.nationality:
        results.append(Check("Nationality", "INFO", "Differs from the country that issued the document"))
    return results


def _number_checks(application: Application) -> list[Check]:
    try:
        number = document_number(application)
    except encryption.SealBroken:
        return [Check("Document number", "WARNING", "Cannot be opened: the stored value was changed")]
    if not number:
        return []
    kind, country = application.document_kind, application.document_country
    found = numbers.check(number=number, country=country, kind=kind)
    texts = {
        "FITS": ("OK", f"The check digit of the {found.scheme} fits"),
        "NO_CHECK_DIGIT": ("INFO", "This document has no check digit that we know; the syntax is right"),
        "DOES_NOT_FIT": ("WARNING", f"The check digit of the {found.scheme} does not fit"),
        "MALFORMED": ("WARNING", "This cannot be a document number"),
    }
    results = [Check("Document number", *texts[found.outcome])]
    if found.birth_date and found.birth_date != application.date_of_birth:
        results.append(Check("Birth date", "WARNING", "The number tells another date of birth"))
    return results


def _duplicate_checks(application: Application) -> list[Check]:
    others = Application.objects.exclude(user_id=application.user_id)
    results = []
    people = 0
    if application.number_digest:
        people = others.filter(number_digest=application.number_digest).values("user_id").distinct().count()
    text = f"The same document number was used by {_people(people)}" if people else "The document number is new to us"
    results.append(Check("Same number", "WARNING" if people else "OK", text))
    hashes = list(application.documents.values_list("source_sha256", flat=True))
    files = others.filter(documents__source_sha256__in=hashes).values("user_id").distinct().count() if hashes else 0
    text = f"The same file was sent by {_people(files)}" if files else "No file was seen with anybody else"
    return [*results, Check("Same file", "WARNING" if files else "OK", text)]


def _people(count: int) -> str:
    return "one other person" if count == 1 else f"{count} other people"
