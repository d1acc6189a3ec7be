"""The identity check through the API."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from kyc.models import Application, Document, State
from tests.kyc import files
from tests.kyc.factories import DETAILS
from tests.kyc.helpers import COLORS, draft, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_process")]
ROOT = "/api/v1/kyc"


def send(client: Any, application_id: str, kind: str, data: bytes) -> Any:
    file = SimpleUploadedFile("x.jpg", data, content_type="image/jpeg")
    return client.post(
        f"{ROOT}/applications/{application_id}/documents", {"kind": kind, "file": file}, format="multipart"
    )


def test_onboards_a_customer(alice: Any, api: Any) -> None:
    client = api(alice)
    made = client.post(f"{ROOT}/applications", {"first_name": "Alice"})
    assert made.status_code == 201
    key = made.json()["id"]
    patched = client.patch(f"{ROOT}/applications/{key}", {k: str(v) for k, v in DETAILS.items()})
    assert patched.status_code == 200
    assert patched.json()["document_number"] == "•••••• 471"
    early = client.post(f"{ROOT}/applications/{key}/submit")
    assert (early.status_code, early.json()["code"]) == (409, "kyc_incomplete")
    for kind, color in COLORS.items():
        assert send(client, key, kind, files.picture(color=color)).status_code == 201
    assert len(client.get(f"{ROOT}/applications/{key}/documents").json()) == 3
    assert client.post(f"{ROOT}/applications/{key}/submit").json()["state"] == "PENDING"
    listed = client.get(f"{ROOT}/applications").json()
    assert listed["count"] == 1
    assert "internal_comment" not in listed["results"][0]
    again = client.patch(f"{ROOT}/applications/{key}", {"city": "Rome"})
    assert (again.status_code, again.json()["code"]) == (409, "kyc_not_editable")


def test_faults_come_all_at_once_and_change_nothing(alice: Any, api: Any) -> None:
    answer = api(alice).post(
        f"{ROOT}/applications", {"nationality": "XX", "phone": "12", "date_of_birth": "2020-01-01"}
    )
    assert answer.status_code == 422
    assert {row["field"] for row in answer.json()["data"]["errors"]} == {"nationality", "phone", "date_of_birth"}
    assert not Application.objects.exists()


def test_ignores_fields_that_are_not_the_customers(alice: Any, api: Any) -> None:
    answer = api(alice).post(f"{ROOT}/applications", {"city": "Rome", "state": "APPROVED", "user": 1, "decided_by": 1})
    assert answer.status_code == 201
    assert Application.objects.get().state == State.DRAFT


def test_refuses_a_file_that_lies(alice: Any, api: Any) -> None:
    application = draft(alice)
    answer = send(api(alice), str(application.pk), "IDENTITY", files.HTML)
    assert (answer.status_code, answer.json()["code"]) == (422, "kyc_document_type")
    assert answer.json()["errors"][0]["field"] == "file"


def test_downloads_and_removes_own_documents(alice: Any, api: Any) -> None:
    document = upload(alice, draft(alice))
    client = api(alice)
    taken = client.get(f"{ROOT}/documents/{document.pk}")
    assert taken["Content-Disposition"].startswith("attachment")
    assert taken["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert client.delete(f"{ROOT}/documents/{document.pk}").status_code == 204
    assert not Document.objects.exists()


CALLS = [
    ("get", "applications/{application}"),
    ("patch", "applications/{application}"),
    ("get", "applications/{application}/documents"),
    ("post", "applications/{application}/documents"),
    ("post", "applications/{application}/submit"),
    ("get", "documents/{document}"),
    ("delete", "documents/{document}"),
]


@pytest.mark.parametrize("person", ["charlie", "teller", "officer", "auditor", "administrator"])
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_everybody_else_finds_nothing(
    person: str, method: str, path: str, alice: Any, api: Any, request: pytest.FixtureRequest
) -> None:
    application = draft(alice)
    document = upload(alice, application)
    client = api(request.getfixturevalue(person))
    url = f"{ROOT}/{path.format(application=application.pk, document=document.pk)}"
    if path.endswith("documents") and method == "post":
        assert send(client, str(application.pk), "IDENTITY", files.picture()).status_code == 404
    else:
        assert getattr(client, method)(url).status_code == 404
    assert Document.objects.filter(pk=document.pk).exists()


@pytest.mark.parametrize(("method", "path"), [*CALLS, ("get", "applications"), ("post", "applications")])
def test_nobody_gets_in_without_a_token(method: str, path: str, db: None, api: Any) -> None:
    url = f"{ROOT}/{path.format(application=uuid.uuid4(), document=uuid.uuid4())}"
    assert getattr(api(None), method)(url).status_code == 401
