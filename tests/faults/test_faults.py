"""Each part of the bank is killed while people use it: what they see, and that nothing is lost or doubled."""

from __future__ import annotations

import io
import time

import pytest
import requests
from PIL import Image

from bankportal.bench.stack import Customer, Stack, until
from tests.patience import PATIENCE

PROBLEM = "application/problem+json"
DETAILS = {
    "first_name": "Asha",
    "last_name": "Rao",
    "date_of_birth": "1990-04-12",
    "nationality": "DE",
    "document_kind": "PASSPORT",
    "document_country": "DE",
    "document_number": "C01X00T47",
    "document_expiry": "2042-01-31",
    "address": "Lindenstrasse 12",
    "city": "Berlin",
    "postcode": "10969",
    "home_country": "DE",
    "phone": "+493012345678",
    "occupation": "EMPLOYED",
    "source_of_funds": "SALARY",
    "expected_monthly": "1K_TO_3K",
}


@pytest.fixture
def mira(bank: Stack) -> Customer:
    return bank.customer("mira@demo.example")


@pytest.fixture
def jonas(bank: Stack) -> Customer:
    return bank.customer("jonas@demo.example")


def test_without_the_broker_the_portal_works_and_messages_wait(bank: Stack, mira: Customer, jonas: Customer) -> None:
    assert until(lambda: bank.waiting() == 0, seconds=PATIENCE)
    told = bank.query("SELECT count(*) FROM notifications_message")[0][0]

    bank.kill("valkey")

    started = time.monotonic()
    assert bank.get("/").status_code == 200
    overview = mira.portal().get(f"{bank.url}/overview/", timeout=PATIENCE)
    assert overview.status_code == 200
    paid = mira.pay(jonas, "12.34")
    assert paid.status_code == 201, paid.text
    assert paid.json()["status"] == "COMPLETED"
    assert time.monotonic() - started < 60, "nobody waits long for a broker that is gone"
    assert bank.waiting() == 2, "one for each of the two"
    status, parts = bank.readiness()
    assert (status, parts["broker"], parts["database"]) == (503, False, True)
    assert bank.get("/livez").status_code == 200

    bank.start("valkey")

    assert until(lambda: bank.waiting() == 0, seconds=PATIENCE), bank.log("worker")[-2000:]
    assert bank.query("SELECT count(*) FROM notifications_message")[0][0] == told + 2


def test_without_the_database_people_read_so_and_it_comes_back_by_itself(bank: Stack, mira: Customer) -> None:
    portal = mira.portal()

    bank.kill("postgres")

    page = portal.get(f"{bank.url}/overview/", timeout=PATIENCE)
    assert page.status_code == 503
    assert page.headers["Content-Type"].startswith("text/html")
    assert "not reachable" in page.text
    assert page.headers["Retry-After"] == "5"
    assert "Traceback" not in page.text
    answer = mira.get("/api/v1/accounts/")
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == PROBLEM
    assert answer.json()["code"] == "unavailable"
    assert answer.json()["request_id"]
    status, parts = bank.readiness()
    assert (status, parts["database"]) == (503, False)
    assert bank.get("/livez").status_code == 200
    assert bank.get("/health").status_code == 503

    bank.start("postgres")

    assert until(lambda: bank.readiness()[0] == 200, seconds=PATIENCE)
    assert portal.get(f"{bank.url}/overview/", timeout=PATIENCE).status_code == 200
    assert mira.get("/api/v1/accounts/").status_code == 200
    # Ends with an error when anything differs.
    bank.run("manage.py", "verify_ledger")


def test_a_worker_killed_while_it_relays_loses_and_doubles_nothing(bank: Stack) -> None:
    assert until(lambda: bank.waiting() == 0, seconds=PATIENCE)
    events = 250
    bank.run(
        "-c",
        "import django; django.setup()\n"
        "from django.utils import timezone\n"
        "from identity.models import User\n"
        "from notifications.models import OutboxEvent\n"
        "now, user = timezone.now(), User.objects.get(email='jonas@demo.example')\n"
        "data = {'account': 'Relay Trial', 'url': '/'}\n"
        "OutboxEvent.objects.bulk_create(OutboxEvent(user=user, kind='account_opened', data=data, created_at=now,\n"
        f"    next_attempt_at=now) for _ in range({events}))\n",
    )
    assert until(lambda: bank.waiting() < events, seconds=PATIENCE), bank.log("worker")[-2000:]

    bank.kill("worker")

    assert 0 < bank.waiting() < events, "killed in the middle of it"
    bank.start("worker")
    assert until(lambda: bank.waiting() == 0, seconds=PATIENCE), bank.log("worker")[-2000:]

    per_event = bank.query(
        "SELECT count(m.id) FROM notifications_outboxevent e LEFT JOIN notifications_message m ON m.event_id = e.id "
        "WHERE e.data->>'account' = 'Relay Trial' GROUP BY e.id"
    )
    assert [count for (count,) in per_event] == [1] * events
    mails = "SELECT count(*) FROM notifications_mailboxmessage WHERE subject LIKE '%Relay Trial%'"
    assert bank.query(mails) == [(events,)]


def test_without_a_place_for_files_an_upload_says_so_and_keeps_nothing(bank: Stack) -> None:
    newcomer = bank.customer(bank.newcomer)
    application = newcomer.post("/api/v1/kyc/applications", json=DETAILS)
    assert application.status_code == 201, application.text
    picture = io.BytesIO()
    Image.effect_noise((900, 600), 40).convert("RGB").save(picture, "JPEG")

    def upload() -> requests.Response:
        file = ("passport.jpg", picture.getvalue(), "image/jpeg")
        address = f"/api/v1/kyc/applications/{application.json()['id']}/documents"
        return newcomer.post(address, data={"kind": "IDENTITY"}, files={"file": file})

    with bank.no_storage():
        answer = upload()
        assert answer.status_code == 503, answer.text
        assert answer.headers["Content-Type"] == PROBLEM
        assert answer.json()["code"] == "kyc_storage_unavailable"
        assert bank.query("SELECT count(*) FROM kyc_document") == [(0,)]
        status, parts = bank.readiness()
        assert (status, parts["storage"], parts["database"]) == (503, False, True)

    answer = upload()
    assert answer.status_code == 201, answer.text
    assert bank.query("SELECT count(*) FROM kyc_document") == [(1,)]
