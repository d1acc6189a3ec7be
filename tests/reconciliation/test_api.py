"""Reconciliation through the API: for staff who may, and for nobody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Account
from identity.models import User
from identity.permissions import ROLE_PERMISSIONS, Role
from reconciliation.models import Line, Match, OutsideStatement
from tests.conftest import make_user
from tests.reconciliation.test_services import account, csv, settle  # noqa: F401 (a fixture)

pytestmark = pytest.mark.django_db
Api = Callable[..., Any]
ROOT = "/api/v1/reconciliation/"


def upload(client: Any, data: bytes, **more: str) -> Any:
    body = {"file": SimpleUploadedFile("march.csv", data), "source": "csv", "currency": "EUR", **more}
    return client.post(f"{ROOT}statements/", body, format="multipart")


def test_staff_import_look_match_and_take_back(administrator: User, account: Account, api: Api) -> None:  # noqa: F811
    keys = [settle(account, 100_00, 5), settle(account, 100_00, 7)]
    client = api(administrator)
    made = upload(client, csv("2026-03-06,100.00,,Which one?"))
    assert (made.status_code, made.json()["matched"], made.json()["again"]) == (201, 0, False)
    assert upload(client, csv("2026-03-06,100.00,,Which one?")).json()["again"]
    assert [row["line_count"] for row in client.get(f"{ROOT}statements/").json()["results"]] == [1]
    (line,) = client.get(f"{ROOT}lines/?matched=no").json()["results"]
    assert (line["amount"], line["is_matched"]) == ("100.00", False)
    body = {"lines": [line["id"]], "postings": [{"entry": keys[0][0], "no": keys[0][1]}], "reason": "Seen on paper"}
    matched = client.post(f"{ROOT}matches/", body, format="json")
    assert (matched.status_code, matched.json()["rule"]) == (201, "MANUAL")
    assert client.post(f"{ROOT}matches/", body, format="json").json()["code"] == "already_matched"
    assert client.get(f"{ROOT}lines/?matched=no").json()["results"] == []
    undo = f"{ROOT}matches/{matched.json()['id']}/undo"
    assert client.post(undo, {"reason": "Wrong one"}, format="json").json()["undone_at"]
    assert client.post(undo, {"reason": "Wrong one"}, format="json").status_code == 404
    assert client.post(f"{ROOT}rules", {"currency": "EUR"}, format="json").json() == {"matched": 0}


def test_the_rules_find_what_was_booked_since(administrator: User, account: Account, api: Api) -> None:  # noqa: F811
    client = api(administrator)
    assert upload(client, csv("2026-03-06,250.00,,Deposit")).json()["matched"] == 0
    settle(account, 250_00, 5)
    assert client.post(f"{ROOT}rules", {"currency": "EUR"}, format="json").json() == {"matched": 1}


def test_refuses_what_is_no_statement(administrator: User, api: Api) -> None:
    client = api(administrator)
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]><Document>&b;</Document>'
    assert upload(client, bomb, source="camt053").json()["code"] == "unreadable_statement"
    assert upload(client, csv("2026-03-06,1.00,,x"), currency="XXX").status_code == 400
    assert upload(client, csv("2026-03-06,1.00,,x"), source="pdf").status_code == 400
    assert client.post(f"{ROOT}matches/", {"lines": [], "postings": []}, format="json").status_code == 400
    assert not OutsideStatement.objects.exists()


@pytest.mark.parametrize("role", sorted(Role))
def test_who_may_do_what(role: Role, api: Api) -> None:
    client = api(make_user(f"{role.value}@desk.example", role))
    held = ROLE_PERMISSIONS[role]
    for address in ("statements/", "lines/"):
        assert client.get(ROOT + address).status_code == (200 if "ledger_view" in held else 403), address
    allowed = "ledger_reconcile" in held
    assert upload(client, csv("2026-03-06,250.00,,Deposit")).status_code == (201 if allowed else 403)
    assert client.post(f"{ROOT}rules", {"currency": "EUR"}, format="json").status_code == (200 if allowed else 403)
    body = {"lines": [str(uuid4())], "postings": [{"entry": 1, "no": 1}], "reason": "For the test"}
    assert client.post(f"{ROOT}matches/", body, format="json").status_code == (404 if allowed else 403)
    undo = client.post(f"{ROOT}matches/{uuid4()}/undo", {"reason": "For the test"}, format="json")
    assert undo.status_code == (404 if allowed else 403)
    assert Line.objects.count() == (1 if allowed else 0)
    assert not Match.objects.exists()
