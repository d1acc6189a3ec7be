"""Applications from draft to decision, and everything that is refused on the way."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from audit.models import AuditEvent
from common import encryption
from common.errors import Forbidden
from kyc import queries, services
from kyc.models import Application, Document, State, StoredFile
from kyc.rules import limits
from notifications.models import OutboxEvent
from tests.kyc import files
from tests.kyc.factories import ApplicationFactory, approve_kyc
from tests.kyc.helpers import draft, pending, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_process")]


def actions() -> list[str]:
    return list(AuditEvent.objects.filter(action__startswith="kyc.").order_by("id").values_list("action", flat=True))


def test_a_person_is_confirmed_and_then_known(alice: Any, officer: Any) -> None:
    application = pending(alice)
    assert not queries.is_approved(alice.pk)
    decided = services.approve(actor=officer, application_id=application.pk, comment="All fine", now=timezone.now())
    assert decided.state == State.APPROVED
    assert queries.is_approved(alice.pk)
    assert queries.legal_name(alice.pk) == "Alice Archer"
    assert queries.home_country(alice.pk) == "DE"
    kinds = list(OutboxEvent.objects.filter(user=alice).order_by("created_at").values_list("kind", flat=True))
    assert kinds == ["kyc_submitted", "kyc_approved"]
    assert actions()[-2:] == ["kyc.submitted", "kyc.approved"]


def test_an_approval_ends_after_two_years_or_with_the_document(alice: Any, bob: Any, officer: Any) -> None:
    now = timezone.now()
    first = services.approve(actor=officer, application_id=pending(alice).pk, now=now)
    assert first.expires_at == now + timedelta(days=730)
    soon = now.date() + timedelta(days=40)
    second = services.approve(actor=officer, application_id=pending(bob, document_expiry=soon).pk, now=now)
    assert second.expires_at is not None
    assert second.expires_at.date() == soon + timedelta(days=1)


def test_a_rejected_person_reads_the_reason_and_tries_again_prefilled(alice: Any, officer: Any) -> None:
    application = pending(alice)
    services.reject(
        actor=officer,
        application_id=application.pk,
        kind="RETRY",
        public_reason="The photo is blurred.",
        internal_comment="secret",
        now=timezone.now(),
    )
    told = OutboxEvent.objects.get(kind="kyc_rejected")
    assert told.data["reason"] == "The photo is blurred."
    assert "secret" not in str(told.data)
    again = services.start_or_resume(actor=alice, now=timezone.now())
    assert again.pk != application.pk
    assert queries.document_number(again) == "L01X00T471"
    assert again.city == "Berlin"


def test_a_final_rejection_ends_it(alice: Any, officer: Any) -> None:
    application = pending(alice)
    services.reject(
        actor=officer, application_id=application.pk, kind="FINAL", public_reason="Forged document.", now=timezone.now()
    )
    with pytest.raises(services.FinallyRejected):
        services.start_or_resume(actor=alice, now=timezone.now())


def test_a_rejection_needs_a_reason(alice: Any, officer: Any) -> None:
    application = pending(alice)
    with pytest.raises(services.ReasonMissing):
        services.reject(
            actor=officer, application_id=application.pk, kind="RETRY", public_reason=" ", now=timezone.now()
        )


@pytest.mark.parametrize("person", ["alice", "charlie", "teller", "auditor", "administrator"])
def test_only_compliance_decides(person: str, alice: Any, request: pytest.FixtureRequest) -> None:
    application = pending(alice)
    actor = request.getfixturevalue(person)
    with pytest.raises(Forbidden):
        services.approve(actor=actor, application_id=application.pk, now=timezone.now())
    with pytest.raises(Forbidden):
        services.reject(
            actor=actor, application_id=application.pk, kind="RETRY", public_reason="No reason", now=timezone.now()
        )


def test_nobody_decides_their_own_application(officer: Any) -> None:
    application = pending(officer)
    with pytest.raises(services.OwnApplication):
        services.approve(actor=officer, application_id=application.pk, now=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Application.objects.filter(pk=application.pk).update(
            state=State.APPROVED, decided_by=officer, decided_at=timezone.now(), expires_at=timezone.now()
        )


@pytest.mark.parametrize(
    ("before", "after"),
    [("APPROVED", "PENDING"), ("APPROVED", "DRAFT"), ("APPROVED", "REJECTED")],
)
def test_the_table_refuses_other_transitions(alice: Any, before: str, after: str) -> None:
    application = approve_kyc(alice)
    assert application.state == before
    with pytest.raises(DatabaseError), transaction.atomic():
        Application.objects.filter(pk=application.pk).update(state=after)


def test_the_table_keeps_details_and_documents_of_a_sent_application(alice: Any) -> None:
    application = pending(alice)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Application.objects.filter(pk=application.pk).update(last_name="Other")
    with pytest.raises(DatabaseError, match="final"), transaction.atomic():
        Document.objects.filter(application=application).first().delete()
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Document.objects.update(sha256="0" * 64)


def test_there_is_one_open_application(alice: Any) -> None:
    first = services.start_or_resume(actor=alice, now=timezone.now())
    assert services.start_or_resume(actor=alice, now=timezone.now()).pk == first.pk
    with pytest.raises(IntegrityError), transaction.atomic():
        ApplicationFactory(user=alice)


def test_an_approved_person_renews_only_near_the_end(alice: Any, officer: Any) -> None:
    current = approve_kyc(alice)
    with pytest.raises(services.AlreadyApproved):
        services.start_or_resume(actor=alice, now=timezone.now())
    Application.objects.filter(pk=current.pk).update(expires_at=timezone.now() + timedelta(days=30))
    application = pending(alice, document_number="NEW12345")
    services.approve(actor=officer, application_id=application.pk, now=timezone.now())
    current.refresh_from_db()
    assert current.state == State.EXPIRED
    assert queries.is_approved(alice.pk)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("date_of_birth", date.today() - timedelta(days=18 * 365), "too_young"),
        ("date_of_birth", date(1850, 1, 1), "too_old"),
        ("date_of_birth", date.today() + timedelta(days=9), "in_the_future"),
        ("document_expiry", date.today(), "document_expired"),
        ("first_name", "R2-D2", "invalid_name"),
        ("last_name", "<script>", "invalid_name"),
        ("last_name", "Arch\u202eer", "hidden_character"),
        ("nationality", "XX", "unknown_country"),
        ("document_number", "12", "malformed_number"),
        ("phone", "030 1234567", "invalid_phone"),
        ("postcode", "<1>", "invalid_postcode"),
        ("occupation", "PIRATE", "invalid_choice"),
    ],
)
def test_refuses_bad_details_and_names_the_field(alice: Any, field: str, value: Any, code: str) -> None:
    application = services.start_or_resume(actor=alice, now=timezone.now())
    with pytest.raises(services.InvalidDetails) as refusal:
        services.save_personal(actor=alice, application_id=application.pk, details={field: value}, now=timezone.now())
    assert refusal.value.field == field
    assert refusal.value.data["errors"][0]["code"] == code


@pytest.mark.parametrize(
    ("country", "good", "bad"),
    [("PL", "44051401359", "44051401358"), ("ES", "54362315K", "54362315Z"), ("PT", "000000000ZZ4", "000000000ZZ3")],
)
def test_checks_the_digit_of_an_identity_number(alice: Any, country: str, good: str, bad: str) -> None:
    with pytest.raises(services.InvalidDetails) as refusal:
        draft(alice, document_country=country, document_number=bad)
    assert refusal.value.data["errors"][0]["code"] == "check_digit"
    assert queries.document_number(draft(alice, document_country=country, document_number=good)) == good


def test_the_number_is_sealed_at_rest_and_bound_to_its_row(alice: Any, bob: Any) -> None:
    application = draft(alice)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(a)::text FROM kyc_application a")
        assert "L01X00T471" not in cursor.fetchone()[0]
    assert application.number_masked == "•••••• 471"
    other = draft(bob)
    other.number_sealed = application.number_sealed
    with pytest.raises(encryption.SealBroken):
        queries.document_number(other)


def test_revealing_the_number_leaves_a_trace(alice: Any, officer: Any, charlie: Any) -> None:
    application = pending(alice)
    assert services.reveal_number(actor=officer, application_id=application.pk, reason="Call back") == "L01X00T471"
    event = AuditEvent.objects.get(action="kyc.number_revealed")
    assert (event.actor_id, event.reason) == (officer.pk, "Call back")
    with pytest.raises(services.ReasonMissing):
        services.reveal_number(actor=officer, application_id=application.pk, reason="")
    with pytest.raises(Forbidden):
        services.reveal_number(actor=charlie, application_id=application.pk, reason="Curious")


def test_a_changed_number_does_not_open_and_is_on_the_trail(alice: Any, officer: Any) -> None:
    application = draft(alice)
    sealed = bytearray(application.number_sealed)
    sealed[-1] ^= 1
    Application.objects.filter(pk=application.pk).update(number_sealed=bytes(sealed))
    with pytest.raises(encryption.SealBroken):
        services.reveal_number(actor=officer, application_id=application.pk, reason="Check")
    assert AuditEvent.objects.filter(action="kyc.seal_broken").exists()


def test_an_incomplete_draft_is_not_sent(alice: Any) -> None:
    application = draft(alice)
    upload(alice, application)
    with pytest.raises(services.Incomplete) as refusal:
        services.submit(actor=alice, application_id=application.pk, now=timezone.now())
    assert refusal.value.data["missing"] == ["documents.address", "documents.selfie"]


def test_documents_live_under_random_names(alice: Any) -> None:
    application = draft(alice)
    document = services.add_document(
        actor=alice,
        application_id=application.pk,
        kind="IDENTITY",
        data=files.picture(),
        name="../../etc/\u202epass\x00wd.exe.jpg",
        now=timezone.now(),
    )
    assert document.stored_id == f"kyc/{document.stored_id[4:40]}.jpg"
    assert "pass" not in document.stored_id
    assert document.original_name == "passwd.exe.jpg"
    assert default_storage.size(document.stored_id) == document.size


def test_a_removed_document_takes_its_file_along(alice: Any, django_capture_on_commit_callbacks: Any) -> None:
    application = draft(alice)
    document = upload(alice, application)
    with django_capture_on_commit_callbacks(execute=True):
        services.remove_document(actor=alice, document_id=document.pk, now=timezone.now())
    assert not default_storage.exists(document.stored_id)
    assert not StoredFile.objects.exists()


def test_the_sweep_finds_what_was_orphaned(alice: Any) -> None:
    application = draft(alice)
    document = upload(alice, application)
    services.remove_document(actor=alice, document_id=document.pk, now=timezone.now())
    assert default_storage.exists(document.stored_id), "the commit of this test never comes"
    assert services.sweep_files(now=timezone.now()) == 0
    assert services.sweep_files(now=timezone.now() + timedelta(hours=2)) == 1
    assert not default_storage.exists(document.stored_id)


def test_a_refused_upload_leaves_nothing(alice: Any) -> None:
    application = draft(alice)
    upload(alice, application)
    with pytest.raises(services.DocumentRefused, match="already"):
        upload(alice, application)
    with pytest.raises(services.DocumentRefused, match="web page"):
        services.add_document(
            actor=alice,
            application_id=application.pk,
            kind="ADDRESS",
            data=files.HTML,
            name="a.png",
            now=timezone.now(),
        )
    assert StoredFile.objects.count() == Document.objects.count() == 1


def test_a_selfie_is_a_picture(alice: Any) -> None:
    application = draft(alice)
    with pytest.raises(services.DocumentRefused, match="photo"):
        services.add_document(
            actor=alice,
            application_id=application.pk,
            kind="SELFIE",
            data=files.pdf(),
            name="me.pdf",
            now=timezone.now(),
        )


def test_the_quota_counts_documents_and_bytes(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    application = draft(alice)
    monkeypatch.setattr(limits, "MAX_DOCUMENTS", 1)
    upload(alice, application)
    with pytest.raises(services.QuotaReached):
        upload(alice, application, "ADDRESS")
    monkeypatch.setattr(limits, "MAX_DOCUMENTS", 10)
    monkeypatch.setattr(limits, "MAX_TOTAL_BYTES", 10)
    with pytest.raises(services.QuotaReached):
        upload(alice, application, "ADDRESS")


def test_strangers_find_nothing(alice: Any, charlie: Any, officer: Any, auditor: Any, teller: Any) -> None:
    application = draft(alice)
    document = upload(alice, application)
    for stranger in (charlie, teller):
        with pytest.raises(services.DocumentNotFound):
            queries.get_document_for(actor=stranger, document_id=document.pk)
    for reader in (alice, officer, auditor):
        assert queries.get_document_for(actor=reader, document_id=document.pk) == document
    with pytest.raises(services.ApplicationNotFound):
        services.save_personal(
            actor=charlie, application_id=application.pk, details={"city": "Rome"}, now=timezone.now()
        )
    with pytest.raises(services.ApplicationNotFound):
        upload(charlie, application)
    with pytest.raises(services.DocumentNotFound):
        services.remove_document(actor=charlie, document_id=document.pk, now=timezone.now())


def test_drafts_and_approvals_expire(alice: Any, bob: Any) -> None:
    services.start_or_resume(actor=alice, now=timezone.now())
    approve_kyc(bob)
    assert services.expire_applications(now=timezone.now()) == 0
    assert services.expire_applications(now=timezone.now() + timedelta(days=400)) == 2
    assert set(Application.objects.values_list("state", flat=True)) == {State.EXPIRED}
    told = OutboxEvent.objects.filter(kind="kyc_expired").values_list("user", flat=True)
    assert list(told) == [bob.pk], "a forgotten draft is no news"
    assert not queries.is_approved(bob.pk)
    assert queries.legal_name(bob.pk) == "Bob Baker"


def test_reviewers_see_the_same_number_and_file_with_another_person(alice: Any, bob: Any) -> None:
    pending(alice)
    second = pending(bob)
    warnings = {c.label for c in queries.checks(second, now=timezone.now()) if c.outcome == "WARNING"}
    assert warnings == {"Same number", "Same file"}
