"""The pages of files of payments: upload, check, confirmation, progress, result; and the back office."""

from __future__ import annotations

import csv
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from identity.models import User
from identity.permissions import Role
from payments import services
from payments.models import BulkFile
from payments.rules import bulk_files
from tests.accounts.factories import open_test_account
from tests.conftest import make_user
from tests.payments.bulk import checked, confirmed, csv_of, outcomes, paid, to
from tests.payments.factories import PIN, give_pin, posted

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]


@pytest.fixture
def payee() -> Account:
    return open_test_account(make_user("dora@example.com", Role.CUSTOMER, name="Dora Dean"), amount="10.00")


def upload(client: Client, account: Account, data: bytes, mode: str = "EACH") -> Any:
    file = SimpleUploadedFile("wages.csv", data, content_type="text/csv")
    return client.post("/bulk/new/", {"debit_account": str(account.pk), "file": file, "mode": mode})


def test_a_file_goes_from_upload_to_its_result(firm: Account, payee: Account, login: Login) -> None:
    client = login(firm.owner)
    unknown = ("=HYPERLINK(1)", "BP00000000000000", "1.00", "-1+1")
    answer = upload(client, firm, csv_of([to(payee, "100.00", "Wages"), unknown]))
    assert answer.status_code == 302
    file = BulkFile.objects.get()
    page = client.get(answer["Location"]).content.decode()
    for text in ("Unknown account", "€100.00", "Pay €100.00", "Some rows will not be paid", "€900.00"):
        assert text in page
    assert posted(firm) == 1000_00

    wrong = client.post(answer["Location"], {"sha256": file.sha256, "pin": "0000"})
    assert wrong.status_code == 422
    done = client.post(answer["Location"], {"sha256": file.sha256, "pin": PIN})
    assert done.status_code == 302
    assert "every 2s" in client.get(answer["Location"]).content.decode()
    part = client.get(answer["Location"], headers={"HX-Request": "true"})
    assert b"1 to go" in part.content
    assert "HX-Refresh" not in part.headers

    services.pay_next_rows(file_id=file.pk, now=timezone.now())
    assert client.get(answer["Location"], headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    page = client.get(answer["Location"]).content.decode()
    assert "1 of 2 payments were made, 1 was not made." in page
    assert "every 2s" not in page
    assert "wages.csv" in client.get("/bulk/").content.decode()

    result = client.get(f"/bulk/{file.pk}/result.csv")
    rows = list(csv.DictReader(StringIO(b"".join(result.streaming_content).decode("utf-8-sig"))))
    assert [(row["row"], row["outcome"], row["explanation"]) for row in rows] == [
        ("2", "Completed", ""),
        ("3", "Unknown account", "No account has this number. Check it with the payee."),
    ]
    assert rows[0]["payment id"] == str(file.rows.get(number=2).payment_id)
    assert (rows[1]["name"], rows[1]["reference"]) == ("'=HYPERLINK(1)", "'-1+1")


def test_a_hostile_file_is_refused_with_its_rows_and_columns(firm: Account, login: Login) -> None:
    client = login(firm.owner)
    answer = upload(client, firm, b"name,account,amount\nBo,BP1,none\nBo\tX,BP1,1\n")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Row 2, column amount: " in page
    assert "Row 3, column name: " in page
    assert upload(client, firm, b"name,account,amount\n<script>alert(1)</script>,BP1,x\n").status_code == 422
    for data in (b"", b"x" * (bulk_files.MAX_BYTES + 1)):
        assert upload(client, firm, data).status_code == 422
    assert not BulkFile.objects.exists()


def test_markup_in_a_name_stays_text(firm: Account, login: Login) -> None:
    client = login(firm.owner)
    answer = upload(client, firm, b"name,account,amount\n<script>alert(1)</script>,BP00000000000000,1\n")
    page = client.get(answer["Location"]).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_only_business_accounts_are_offered(firm: Account, alice: User, payee: Account, login: Login) -> None:
    current = open_test_account(alice, "CUR-EUR", "50.00")
    client = login(alice)
    page = client.get("/bulk/new/").content.decode()
    assert (str(firm.pk) in page, str(current.pk) in page) == (True, False)
    refused = upload(client, current, csv_of([to(payee, "1.00")]))
    assert refused.status_code == 422
    assert "business accounts" in refused.content.decode()
    assert "Many at once" in client.get("/transfer/").content.decode()
    stranger = login(payee.owner)
    assert "Many at once" not in stranger.get("/transfer/").content.decode()
    assert "needs a business account" in stranger.get("/bulk/").content.decode()
    assert upload(stranger, firm, csv_of([to(payee, "1.00")])).status_code == 404


def test_a_stranger_finds_nothing(firm: Account, payee: Account, login: Login) -> None:
    file = checked(firm, [to(payee, "1.00")])
    give_pin(payee.owner)
    stranger = login(payee.owner)
    assert stranger.get(f"/bulk/{file.pk}/").status_code == 404
    assert stranger.get(f"/bulk/{file.pk}/result.csv").status_code == 404
    assert stranger.post(f"/bulk/{file.pk}/", {"sha256": file.sha256, "pin": PIN}).status_code == 404
    assert stranger.post(f"/bulk/{file.pk}/cancel/").status_code == 404
    file.refresh_from_db()
    assert file.status == "CHECKED"


def test_cancel_says_what_it_did(firm: Account, payee: Account, login: Login) -> None:
    client = login(firm.owner)
    file = confirmed(checked(firm, [to(payee, "1.00")]))
    page = client.post(f"/bulk/{file.pk}/cancel/", follow=True).content.decode()
    assert "Nothing of it was paid" in page
    again = client.post(f"/bulk/{file.pk}/cancel/", follow=True).content.decode()
    assert "confirmed or cancelled before" in again
    assert outcomes(file) == ["WAITING"]


def test_the_same_content_again_is_pointed_out(firm: Account, payee: Account, login: Login) -> None:
    paid(checked(firm, [to(payee, "1.00")]))
    again = checked(firm, [to(payee, "1.00")])
    assert "very same content" in login(firm.owner).get(f"/bulk/{again.pk}/").content.decode()


def test_an_expired_check_offers_no_pin(firm: Account, payee: Account, login: Login) -> None:
    old = checked(firm, [to(payee, "1.00")], now=timezone.now() - services.bulk.CHECK_LASTS)
    page = login(firm.owner).get(f"/bulk/{old.pk}/").content.decode()
    assert "has expired" in page
    assert 'name="pin"' not in page


def test_a_thousand_rows_come_in_pages_with_few_queries(
    firm: Account, payee: Account, login: Login, django_assert_max_num_queries: Any
) -> None:
    file = checked(firm, [to(payee, "0.01", str(number)) for number in range(1000)])
    client = login(firm.owner)
    with django_assert_max_num_queries(30):
        page = client.get(f"/bulk/{file.pk}/?page=2").content.decode()
    assert "51 to 100 of 1000" in page
    assert "Nothing to look at" in client.get(f"/bulk/{file.pk}/?show=doubtful").content.decode()


def test_the_check_of_a_thousand_rows_takes_few_queries(
    firm: Account, payee: Account, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(30):
        checked(firm, [to(payee, "0.01", str(number)) for number in range(1000)])


def test_limits_for_files_are_shown_to_firms_alone(firm: Account, payee: Account, login: Login) -> None:
    assert "By files of payments" in login(firm.owner).get("/limits/").content.decode()
    assert "By files of payments" not in login(payee.owner).get("/limits/").content.decode()


def test_the_back_office_shows_files_and_rows_and_changes_nothing(
    firm: Account, payee: Account, auditor: User, login: Login
) -> None:
    file = paid(checked(firm, [to(payee, "1.00")]))
    client = login(auditor)
    page = client.get(f"/admin/payments/bulkfile/{file.pk}/change/").content.decode()
    assert "1 of 1 payment was made." in page
    assert file.sha256 in page
    rows = client.get(f"/admin/payments/bulkrow/?file__id__exact={file.pk}").content.decode()
    assert "Dora Dean" in rows
    assert client.post(f"/admin/payments/bulkfile/{file.pk}/change/", {"name": "x"}).status_code in (403, 405)
