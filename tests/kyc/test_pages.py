"""The wizard with JavaScript off, and every page as stranger, staff and nobody."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from identity import services as identity
from identity.permissions import Role
from kyc import services
from kyc.models import Application, Document, State
from tests.conftest import make_user
from tests.kyc import files
from tests.kyc.factories import DETAILS
from tests.kyc.helpers import COLORS, draft, pending, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_process")]


def send(client: Any, kind: str, data: bytes, name: str = "scan.jpg") -> Any:
    # The browser's claim about the type counts for nothing.
    upload = SimpleUploadedFile(name, data, content_type="image/png")
    return client.post(reverse("kyc:documents"), {"kind": kind, "file": upload})


def test_a_customer_walks_through_without_javascript(alice: Any, login: Any) -> None:
    client = login(alice)
    page = client.get(reverse("kyc:start"))
    assert page.status_code == 200
    assert not Application.objects.exists(), "a GET begins nothing"
    assert client.post(reverse("kyc:start")).url == reverse("kyc:personal")
    answer = client.post(reverse("kyc:personal"), {**DETAILS, "date_of_birth": "2015-01-01"})
    assert answer.status_code == 422
    assert "18 or older" in answer.content.decode()
    answer = client.post(reverse("kyc:personal"), DETAILS)
    assert answer.url == reverse("kyc:documents")
    assert client.get(reverse("kyc:start")).url == reverse("kyc:documents"), "it goes on where it was left"
    for kind, color in COLORS.items():
        assert send(client, kind, files.picture(color=color)).url == reverse("kyc:documents")
    assert b"Check your application" in client.get(reverse("kyc:documents")).content
    review = client.get(reverse("kyc:review")).content.decode()
    assert "•••••• 471" in review
    assert DETAILS["document_number"] not in review
    assert client.post(reverse("kyc:review")).url == reverse("kyc:status")
    assert "We are checking" in client.get(reverse("kyc:status")).content.decode()
    assert Application.objects.get().state == State.PENDING
    for name in ("personal", "documents", "review"):
        assert client.get(reverse(f"kyc:{name}")).status_code == 302, "nothing can be changed any more"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (files.SVG, "This is an SVG"),
        (files.HTML, "This is a web page"),
        (files.pdf(21), "at most 20"),
        (b"", "This file is empty"),
    ],
)
def test_a_refused_file_names_its_cause(alice: Any, login: Any, data: bytes, told: str) -> None:
    draft(alice)
    answer = send(login(alice), "IDENTITY", data, "card.png")
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not Document.objects.exists()


def test_a_rejected_customer_reads_why_and_starts_again(alice: Any, officer: Any, login: Any) -> None:
    application = pending(alice)
    services.reject(
        actor=officer,
        application_id=application.pk,
        kind="RETRY",
        public_reason="The address is cut off.",
        internal_comment="Looks odd to me.",
        now=timezone.now(),
    )
    client = login(alice)
    page = client.get(reverse("kyc:status")).content.decode()
    assert "The address is cut off." in page
    assert "odd" not in page
    assert "Apply again" in page
    assert client.post(reverse("kyc:start")).status_code == 302
    assert Application.objects.filter(state=State.DRAFT).count() == 1


def test_a_finally_rejected_customer_has_no_way_on(alice: Any, officer: Any, login: Any) -> None:
    application = pending(alice)
    services.reject(
        actor=officer, application_id=application.pk, kind="FINAL", public_reason="Forged card.", now=timezone.now()
    )
    client = login(alice)
    assert "This decision is final" in client.get(reverse("kyc:status")).content.decode()
    assert client.post(reverse("kyc:start")).url == reverse("kyc:status")
    assert Application.objects.count() == 1


def test_a_document_leaves_only_as_a_harmless_attachment(alice: Any, login: Any) -> None:
    document = upload(alice, draft(alice))
    for name in ("document", "thumbnail"):
        answer = login(alice).get(reverse(f"kyc:{name}", args=[document.pk]))
        assert answer.status_code == 200
        assert answer["Content-Type"] == "image/jpeg"
        assert answer["Content-Disposition"].startswith("attachment; filename=")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert answer["Cache-Control"] == "private, no-store"


def test_removing_is_a_post(alice: Any, login: Any) -> None:
    document = upload(alice, draft(alice))
    client = login(alice)
    assert client.get(reverse("kyc:remove", args=[document.pk])).status_code == 405
    assert client.post(reverse("kyc:remove", args=[document.pk])).status_code == 302
    assert not Document.objects.exists()


def test_a_stranger_finds_no_document(alice: Any, charlie: Any, login: Any) -> None:
    document = upload(alice, draft(alice))
    client = login(charlie)
    assert client.get(reverse("kyc:document", args=[document.pk])).status_code == 404
    assert client.get(reverse("kyc:thumbnail", args=[document.pk])).status_code == 404
    assert client.post(reverse("kyc:remove", args=[document.pk])).status_code == 404
    assert Document.objects.exists()


PAGES = ["start", "personal", "documents", "review", "status"]


@pytest.mark.parametrize("name", PAGES)
def test_pages_ask_for_a_login(name: str, db: None, client: Any) -> None:
    assert client.get(reverse(f"kyc:{name}")).url.startswith(reverse("account_login"))


@pytest.mark.parametrize("person", ["teller", "officer", "auditor", "administrator"])
@pytest.mark.parametrize("name", PAGES)
def test_staff_belong_to_the_back_office(name: str, person: str, login: Any, request: pytest.FixtureRequest) -> None:
    assert login(request.getfixturevalue(person)).get(reverse(f"kyc:{name}")).url == reverse("admin:index")


@pytest.mark.parametrize("name", PAGES)
def test_pages_have_no_inline_code(name: str, alice: Any, login: Any) -> None:
    application = draft(alice)
    for kind in COLORS:
        upload(alice, application, kind)
    html = login(alice).get(reverse(f"kyc:{name}"), follow=True).content.decode()
    assert " style=" not in html
    assert " onclick=" not in html


# --- Back office ---------------------------------------------------------------------------------------------------

QUEUE = "admin:kyc_application_changelist"
ROLES = {"officer": 200, "auditor": 200, "teller": 403, "administrator": 403}


@pytest.mark.parametrize(("person", "status"), ROLES.items())
def test_the_queue_and_the_review_follow_the_permission_table(
    person: str, status: int, alice: Any, login: Any, request: pytest.FixtureRequest
) -> None:
    application = pending(alice)
    document = application.documents.first()
    client = login(request.getfixturevalue(person))
    assert client.get(reverse(QUEUE)).status_code == status
    assert client.get(reverse("admin:kyc_application_change", args=[application.pk])).status_code == status
    assert client.get(reverse("admin:kyc_document_download", args=[document.pk])).status_code == status
    assert client.get(reverse("admin:kyc_document_preview", args=[document.pk, 1])).status_code == status


@pytest.mark.parametrize("name", ["queue", "review", "download", "preview", "number", "approve"])
def test_a_customer_has_no_way_into_the_back_office(name: str, alice: Any, charlie: Any, login: Any) -> None:
    application = pending(alice)
    document = application.documents.first()
    url = {
        "queue": reverse(QUEUE),
        "review": reverse("admin:kyc_application_change", args=[application.pk]),
        "download": reverse("admin:kyc_document_download", args=[document.pk]),
        "preview": reverse("admin:kyc_document_preview", args=[document.pk, 1]),
        "number": reverse("admin:kyc_application_number", args=[application.pk]),
        "approve": reverse("admin:kyc_application_approve", args=[application.pk]),
    }[name]
    assert login(charlie).get(url).status_code in {302, 403, 404}


def test_the_queue_shows_pending_first_come_first_served(
    alice: Any, bob: Any, charlie: Any, officer: Any, login: Any, django_assert_max_num_queries: Any
) -> None:
    draft(charlie, last_name="Cole")
    pending(alice, last_name="Archer")
    pending(bob, last_name="Baker")
    client = login(officer)
    with django_assert_max_num_queries(15):
        page = client.get(reverse(QUEUE)).content.decode()
    assert page.index("Archer") < page.index("Baker")
    assert "Cole" not in page
    assert "Cole" in client.get(reverse(QUEUE), {"state": "ALL"}).content.decode()


def test_the_query_count_of_the_queue_does_not_grow(
    alice: Any, bob: Any, officer: Any, login: Any, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = login(officer)
    pending(alice)
    client.get(reverse(QUEUE))
    with CaptureQueriesContext(connection) as one:
        client.get(reverse(QUEUE))
    pending(bob)
    with django_assert_num_queries(len(one)):
        client.get(reverse(QUEUE))


def test_an_officer_reviews_and_approves(alice: Any, officer: Any, login: Any) -> None:
    application = pending(alice)
    client = login(officer)
    page = client.get(reverse("admin:kyc_application_change", args=[application.pk])).content.decode()
    assert "•••••• 471" in page
    assert DETAILS["document_number"] not in page
    assert page.count("/page/1/") == 3
    url = reverse("admin:kyc_application_approve", args=[application.pk])
    assert client.get(url).status_code == 200
    application.refresh_from_db()
    assert application.state == State.PENDING, "a GET decides nothing"
    assert client.post(url, {"reason": ""}).status_code == 422
    assert client.post(url, {"reason": "Compared card and face."}).status_code == 302
    application.refresh_from_db()
    assert (application.state, application.decided_by) == (State.APPROVED, officer)
    assert client.post(url, {"reason": "Once more."}).status_code == 422


def test_an_officer_declines_with_two_texts(alice: Any, officer: Any, login: Any) -> None:
    application = pending(alice)
    url = reverse("admin:kyc_application_reject", args=[application.pk])
    told = {"kind": "RETRY", "public_reason": "The photo of the card is blurred.", "reason": "Second try."}
    assert login(officer).post(url, told).status_code == 302
    application.refresh_from_db()
    assert (application.state, application.internal_comment) == (State.REJECTED, "Second try.")


def test_an_auditor_sees_and_decides_nothing(alice: Any, auditor: Any, login: Any) -> None:
    application = pending(alice)
    client = login(auditor)
    page = client.get(reverse("admin:kyc_application_change", args=[application.pk])).content.decode()
    assert "approve/" not in page
    for name in ("approve", "reject"):
        url = reverse(f"admin:kyc_application_{name}", args=[application.pk])
        told = {"kind": "RETRY", "public_reason": "Because I want to.", "reason": "Because."}
        assert client.post(url, told).status_code == 403
    application.refresh_from_db()
    assert application.state == State.PENDING
    number = client.post(reverse("admin:kyc_application_number", args=[application.pk]), {"reason": "Curious"})
    assert number.status_code == 403
    assert not AuditEvent.objects.filter(action="kyc.number_revealed").exists()
    assert AuditEvent.objects.filter(action="identity.decision_refused", actor=auditor).count() == 3


def test_lending_sees_how_far_an_application_is_but_no_papers(alice: Any, login: Any) -> None:
    application = pending(alice)
    document = application.documents.first()
    lender = make_user("lending@bank.example", Role.LENDING)
    client = login(lender)
    page = client.get(reverse("admin:kyc_application_change", args=[application.pk])).content.decode()
    assert "/kyc/application/document/" not in page
    assert "Show the whole number" not in page
    assert client.get(reverse("admin:kyc_document_download", args=[document.pk])).status_code == 403
    assert client.get(reverse("admin:kyc_document_preview", args=[document.pk, 1])).status_code == 403
    assert client.post(reverse("admin:kyc_application_number", args=[application.pk])).status_code == 403
    with pytest.raises(identity.PermissionMissing):
        services.view_as_staff(actor=lender, document_id=document.pk, purpose="download")
    assert not AuditEvent.objects.filter(action="kyc.document_viewed").exists()


def test_staff_looks_are_on_the_trail_and_previews_are_drawn(alice: Any, officer: Any, login: Any) -> None:
    application = pending(alice)
    document = application.documents.get(kind="IDENTITY")
    client = login(officer)
    shown = client.get(reverse("admin:kyc_document_preview", args=[document.pk, 1]))
    assert shown["Content-Disposition"].startswith("inline")
    assert shown["Content-Security-Policy"] == "sandbox; default-src 'none'"
    taken = client.get(reverse("admin:kyc_document_download", args=[document.pk]))
    assert taken["Content-Disposition"].startswith("attachment")
    assert client.get(reverse("admin:kyc_document_preview", args=[document.pk, 9])).status_code in {200, 404}
    looks = AuditEvent.objects.filter(action="kyc.document_viewed", actor=officer, subject_id=str(document.pk))
    assert looks.count() == 3


def test_the_number_is_shown_once_for_a_reason(alice: Any, officer: Any, login: Any) -> None:
    application = pending(alice)
    client = login(officer)
    url = reverse("admin:kyc_application_number", args=[application.pk])
    assert client.get(url).status_code == 405
    assert client.post(url, {"reason": ""}).status_code == 422
    assert DETAILS["document_number"] in client.post(url, {"reason": "Compare with the card"}).content.decode()
    assert AuditEvent.objects.filter(action="kyc.number_revealed").count() == 1
