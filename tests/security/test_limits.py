"""Settings that keep the bank safe, and inputs that no door may take."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.hashers import identify_hasher, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client, override_settings
from rest_framework.test import APIClient

from accounts.models import Account
from bankportal import settings as written
from bankportal.celery import app as celery_app
from identity.models import User
from ledger import queries as ledger
from payments.models import Payment
from tests.accounts.factories import open_test_account
from tests.payments.factories import PIN, give_pin

AMOUNTS = ["-1", "0", "0.001", "1e309", "NaN", "Infinity", "1,000", str(10**18), "", " ", "٣", "0x10", "1_000"]


def test_passwords_are_kept_with_argon2() -> None:
    assert written.PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")
    with override_settings(PASSWORD_HASHERS=written.PASSWORD_HASHERS):
        assert identify_hasher(make_password("a passphrase of some length")).algorithm == "argon2"


@pytest.mark.parametrize("password", ["fourteen chars", "passwordpassword", "12345678901234567890", "1q2w3e4r5t6y"])
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password)


@pytest.mark.parametrize("password", ["correct horse battery staple 9", "x7 " * 30, "zwölf Bären über Füße 雪"])
def test_long_passphrases_of_any_script_are_taken(password: str) -> None:
    validate_password(password)


def test_nothing_that_travels_is_pickled() -> None:
    assert written.SESSION_SERIALIZER.endswith("JSONSerializer")
    assert list(celery_app.conf.accept_content) == ["json"]
    assert celery_app.conf.task_serializer == "json"
    assert celery_app.conf.result_serializer == "json"


def test_sessions_end() -> None:
    assert written.SESSION_IDLE_SECONDS <= 300
    assert written.SESSION_ABSOLUTE_SECONDS <= 12 * 3600
    assert written.SESSION_EXPIRE_AT_BROWSER_CLOSE
    assert written.DEBUG is False


def too_long(url: str, limit: int) -> Any:
    """A post that says it is one byte over the limit; its body is shorter, as when a client hangs up."""
    facts: dict[str, Any] = {"CONTENT_LENGTH": str(limit + 1), "wsgi.input": BytesIO(b"x")}
    return Client().post(url, b"x", content_type="application/octet-stream", **facts)


def test_a_body_over_the_limit_is_refused_before_it_is_read(settings: Any, db: None) -> None:
    answer = too_long("/api/v1/kyc/applications", settings.REQUEST_BODY_MAX_BYTES)

    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "body_too_large"
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize("url", ["/auth/login/", "/kyc/documents/"])
def test_people_get_a_page_about_a_body_over_the_limit(url: str, settings: Any, db: None) -> None:
    answer = too_long(url, settings.REQUEST_BODY_MAX_BYTES)

    assert answer.status_code == 413
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "That file is too large" in answer.content.decode()
    assert f'href="{url}"' in answer.content.decode()


@pytest.mark.parametrize("url", ["/api/v1/kyc/applications", "/auth/login/"])
def test_a_body_without_a_length_is_refused(url: str, db: None) -> None:
    answer = Client().post(url, b"", content_type="application/octet-stream", HTTP_TRANSFER_ENCODING="chunked")

    assert answer.status_code == 411


@pytest.fixture
def purse(alice: User) -> Account:
    give_pin(alice)
    return open_test_account(alice, "CUR-EUR", "1000.00")


@pytest.mark.parametrize("amount", [*AMOUNTS, -1, 0, 10**18, None, True, [], {}])
@pytest.mark.parametrize("door", ["deposit", "withdraw", "transfer"])
def test_no_door_takes_an_amount_that_is_none(
    door: str, amount: Any, alice: User, bob: User, purse: Account, api: Callable[[User], APIClient]
) -> None:
    other = open_test_account(bob, "CUR-EUR", "100.00")
    before, payments = ledger.balance(purse.ledger_account_id), Payment.objects.count()
    bodies: dict[str, dict[str, Any]] = {
        "deposit": {"account_number": purse.number},
        "withdraw": {"debit_account": str(purse.pk), "iban": "DE89370400440532013000", "pin": PIN},
        "transfer": {
            "debit_account": str(purse.pk),
            "payee_number": other.number,
            "payee_name": "Bob Baker",
            "pin": PIN,
        },
    }

    answer = api(alice).post(
        f"/api/v1/transactions/{door}",
        {**bodies[door], "amount": amount},
        format="json",
        headers={"Idempotency-Key": str(uuid.uuid4())},
    )

    assert answer.status_code in {400, 422}
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert any(row["field"] == "amount" for row in answer.json()["errors"])
    assert ledger.balance(purse.ledger_account_id) == before
    assert Payment.objects.count() == payments


@pytest.mark.parametrize("number", [b"NaN", b"1e309", b"Infinity", b"0.001"])
def test_bare_numbers_of_json_are_refused(
    number: bytes, alice: User, purse: Account, api: Callable[[User], APIClient]
) -> None:
    payments = Payment.objects.count()
    body = json.dumps({"account_number": purse.number, "amount": "@"}).encode().replace(b'"@"', number)

    answer = api(alice).post(
        "/api/v1/transactions/deposit",
        body,
        content_type="application/json",
        headers={"Idempotency-Key": str(uuid.uuid4())},
    )

    assert answer.status_code in {400, 422}
    assert Payment.objects.count() == payments


def test_an_unforeseen_error_tells_nothing(alice: User, login: Callable[[User], Client], monkeypatch: Any) -> None:
    def burst(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("canary-of-the-inside")

    monkeypatch.setattr("payments.api.transactions.History.get", burst)
    client = login(alice)
    client.raise_request_exception = False

    answer = client.get("/api/v1/transactions/history")

    assert answer.status_code == 500
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json()["status"] == 500
    assert b"canary" not in answer.content
    assert b"Traceback" not in answer.content


def test_a_caller_cannot_choose_its_own_address(db: None, rf: Any, settings: Any) -> None:
    from common.middleware import client_ip

    spoofed = {"REMOTE_ADDR": "203.0.113.9", "HTTP_X_FORWARDED_FOR": "10.0.0.1, 10.0.0.2"}
    assert client_ip(rf.get("/", **spoofed)) == "203.0.113.9"
    settings.TRUSTED_PROXY_COUNT = 1
    assert client_ip(rf.get("/", **spoofed)) == "10.0.0.2"
