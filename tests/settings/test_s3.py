"""Documents in S3 through django-storages, on a stand-in for S3 that keeps the client's own code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from moto import mock_aws
from storages.backends.s3 import S3Storage

from bankportal import env
from identity.models import User
from kyc import services as kyc
from kyc.models import Document, StoredFile
from tests.kyc import files

pytestmark = pytest.mark.django_db
BUCKET = "bank-documents"
ROOT = "/api/v1/kyc"


@pytest.fixture(autouse=True)
def s3(storage: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The bucket, and the storage as the settings build it from the environment."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_STORAGE_BUCKET_NAME", BUCKET)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_S3_REGION_NAME", "eu-central-1")
    with mock_aws():
        client = boto3.client("s3", region_name="eu-central-1")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        options = {**(env.s3_bucket() or {}), "file_overwrite": False}
        settings.STORAGES = settings.STORAGES | {
            "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
        }
        assert isinstance(storages["default"], S3Storage)
        yield client


def keys(s3: Any) -> list[str]:
    return [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def send(client: Any, application_id: str) -> Any:
    file = SimpleUploadedFile("../../passport.jpg", files.picture(), content_type="image/jpeg")
    return client.post(
        f"{ROOT}/applications/{application_id}/documents", {"kind": "IDENTITY", "file": file}, format="multipart"
    )


@pytest.fixture
def draft(alice: User, api: Any) -> tuple[Any, str]:
    client = api(alice)
    return client, client.post(f"{ROOT}/applications", {"first_name": "Alice"}).json()["id"]


def test_stores_serves_and_removes_a_document(
    s3: Any, draft: tuple[Any, str], alice: User, bob: User, api: Any
) -> None:
    client, application_id = draft

    sent = send(client, application_id)

    assert sent.status_code == 201, sent.content
    document = Document.objects.get()
    assert keys(s3) == [document.stored_id]
    assert "passport" not in document.stored_id
    address = f"{ROOT}/documents/{sent.json()['id']}"
    got = client.get(address)
    assert got.status_code == 200
    assert got.content == s3.get_object(Bucket=BUCKET, Key=document.stored_id)["Body"].read()
    assert got.content.startswith(b"\xff\xd8")
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert api(bob).get(address).status_code == 404

    removed = client.delete(address)

    assert removed.status_code in (200, 204)
    assert not Document.objects.exists()


def test_shows_the_owner_a_thumbnail(s3: Any, draft: tuple[Any, str], alice: User) -> None:
    client, application_id = draft
    assert send(client, application_id).status_code == 201
    browser = Client()
    browser.force_login(alice)
    thumbnail = browser.get(f"/kyc/documents/{Document.objects.get().pk}/thumbnail/", secure=True)
    assert thumbnail.status_code == 200
    assert thumbnail.headers["Content-Type"].startswith("image/")


def test_says_so_when_the_bucket_is_gone_and_keeps_nothing(s3: Any, draft: tuple[Any, str]) -> None:
    client, application_id = draft
    s3.delete_bucket(Bucket=BUCKET)

    answer = send(client, application_id)

    assert answer.status_code == 503
    assert answer.json()["code"] == "kyc_storage_unavailable"
    assert not Document.objects.exists()


def test_sweeps_files_that_no_document_names(s3: Any) -> None:
    now: datetime = timezone.now()
    s3.put_object(Bucket=BUCKET, Key="kyc/left-over.jpg", Body=b"x")
    StoredFile.objects.create(name="kyc/left-over.jpg", created_at=now - timedelta(days=30))

    assert kyc.sweep_files(now=now) == 1

    assert keys(s3) == []
    assert not StoredFile.objects.exists()
