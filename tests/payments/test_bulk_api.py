"""The API of files of payments, from the upload to the result file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import Account
from identity.permissions import Role
from payments import services
from payments.models import BulkFile
from tests.accounts.factories import open_test_account
from tests.conftest import make_user
from tests.payments.bulk import checked, csv_of, to
from tests.payments.factories import PIN, give_pin, posted

pytestmark = pytest.mark.django_db
Api = Callable[..., Any]


@pytest.fixture
def payee() -> Account:
    return open_test_account(make_user("dora@example.com", Role.CUSTOMER, name="Dora Dean"), amount="10.00")


def upload(client: Any, account: Account, data: bytes, **more: str) -> Any:
    body = {"file": SimpleUploadedFile("wages.csv", data), "debit_account": str(account.pk), **more}
    return client.post("/api/v1/bulk-files/", body, format="multipart")


def confirm(client: Any, file: dict[str, Any], key: str, **overrides: str) -> Any:
    body = {"sha256": file["sha256"], "pin": PIN, **overrides}
    address = f"/api/v1/bulk-files/{file['id']}/confirm"
    return client.post(address, body, format="json", headers={"Idempotency-Key": key})


def test_a_file_goes_from_upload_to_its_result(firm: Account, payee: Account, api: Api) -> None:
    client = api(firm.owner)
    made = upload(client, firm, csv_of([to(payee, "100.00", "Wages"), ("Nobody", "BP00000000000000", "1.00", "")]))
    assert made.status_code == 201, made.content
    file = made.json()
    assert (file["status"], file["counts"]["payable"], file["payable_amount"]) == ("CHECKED", 1, "100.00")
    rows = client.get(f"/api/v1/bulk-files/{file['id']}/rows").json()["results"]
    assert [(row["row"], row["check_code"], row["amount"]) for row in rows] == [
        (2, "OK", "100.00"),
        (3, "UNKNOWN_PAYEE", "1.00"),
    ]
    doubtful = client.get(f"/api/v1/bulk-files/{file['id']}/rows?show=doubtful").json()
    assert [row["row"] for row in doubtful["results"]] == [3]

    key = str(uuid4())
    assert confirm(client, file, str(uuid4()), pin="0000").json()["code"] == "wrong_pin"
    assert confirm(client, file, str(uuid4()), sha256="0" * 64).json()["code"] == "bulk_file_differs"
    assert confirm(client, file, "").json()["code"] == "idempotency_key_missing"
    done = confirm(client, file, key)
    assert (done.status_code, done.json()["status"]) == (200, "CONFIRMED")
    assert confirm(client, file, key).content == done.content
    while services.pay_next_rows(file_id=file["id"], now=timezone.now()):
        pass
    shown = client.get(f"/api/v1/bulk-files/{file['id']}/").json()
    assert (shown["status"], shown["percent"], shown["paid_amount"]) == ("DONE", 100, "100.00")
    assert client.post(f"/api/v1/bulk-files/{file['id']}/cancel").json()["code"] == "bulk_file_started"
    rows = client.get(f"/api/v1/bulk-files/{file['id']}/rows").json()["results"]
    assert (rows[0]["payment_status"], rows[1]["payment"]) == ("COMPLETED", None)
    result = client.get(f"/api/v1/bulk-files/{file['id']}/result")
    assert rows[0]["payment"] in b"".join(result.streaming_content).decode()
    assert [each["id"] for each in client.get("/api/v1/bulk-files/").json()["results"]] == [file["id"]]
    assert posted(payee) == 110_00


def test_an_unreadable_file_names_its_rows_and_columns(firm: Account, api: Api) -> None:
    answer = upload(api(firm.owner), firm, b"name,account,amount\nBo,BP1,x\n,BP1,1\n")
    assert (answer.status_code, answer.json()["code"]) == (422, "bulk_file_unreadable")
    found = [(each["row"], each["column"]) for each in answer.json()["data"]["problems"]]
    assert found == [(2, "amount"), (3, "name")]
    assert not BulkFile.objects.exists()


def test_what_is_no_upload_is_refused(firm: Account, payee: Account, api: Api) -> None:
    client = api(firm.owner)
    answer = client.post("/api/v1/bulk-files/", {"file": "name", "debit_account": str(firm.pk)}, format="multipart")
    assert answer.status_code == 400
    assert client.post("/api/v1/bulk-files/", {}, format="json").status_code == 415
    assert upload(client, firm, b"x" * (1024 * 1024 + 1)).status_code == 400
    assert upload(client, firm, csv_of([to(payee, "1.00")]), mode="SOME").status_code == 400
    current = open_test_account(firm.owner, "CUR-EUR", "50.00")
    refused = upload(client, current, csv_of([to(payee, "1.00")]))
    assert (refused.status_code, refused.json()["code"]) == (403, "bulk_not_allowed")


def test_a_strangers_file_is_not_there(firm: Account, payee: Account, api: Api) -> None:
    file = checked(firm, [to(payee, "1.00")])
    give_pin(payee.owner)
    stranger = api(payee.owner)
    address = f"/api/v1/bulk-files/{file.pk}/"
    assert [stranger.get(address + part).status_code for part in ("", "rows", "result")] == [404, 404, 404]
    assert stranger.post(f"{address}cancel").status_code == 404
    assert confirm(stranger, {"id": file.pk, "sha256": file.sha256}, str(uuid4())).status_code == 404
    assert stranger.get("/api/v1/bulk-files/").json()["results"] == []
    assert upload(stranger, firm, csv_of([to(payee, "1.00")])).status_code == 404


def test_a_waiting_file_can_be_cancelled(firm: Account, payee: Account, api: Api) -> None:
    file = checked(firm, [to(payee, "1.00")])
    answer = api(firm.owner).post(f"/api/v1/bulk-files/{file.pk}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "CANCELLED")
