"""What leaves the bank by accident: log lines, error pages, and answers that tell who is known."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.password_validation import CommonPasswordValidator, validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.test import Client
from pythonjsonlogger.json import JsonFormatter
from rest_framework.test import APIClient

from bankportal import settings as written
from common.logs import ContextFilter
from common.rest import ApiView
from identity.models import User
from identity.permissions import Role
from tests.conftest import PASSWORD, make_user
from tests.payments.factories import give_pin
from tests.security.test_every_route import ROUTES, address

CANARY = "canary-of-the-inside"


@pytest.fixture
def lines() -> Iterator[Callable[[], list[str]]]:
    """What an installation would have written to its log, as the settings say it is written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(written.LOGGING["formatters"]["json"]["format"]))
    handler.addFilter(ContextFilter())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: stream.getvalue().splitlines()
    root.removeHandler(handler)
    root.setLevel(before)


# --- Logs (V16.2.5, V16.4.1) ------------------------------------------------------------------------------------------


def test_no_secret_reaches_the_log(
    alice: User, login: Callable[[User], Client], lines: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    give_pin(alice)
    secrets = {"password": "Kanarienvogel im Bergwerk 51", "pin": "739155", "code": "604172", "number": "L9CANARY71"}
    client = login(alice)
    client.raise_request_exception = False
    Client().post("/auth/login/", {"login": alice.email, "password": secrets["password"]})
    APIClient().post("/api/v1/auth/token", {"email": alice.email, "password": secrets["password"]}, format="json")
    APIClient().post("/api/v1/auth/token", {"email": secrets["password"], "password": "x", "otp": secrets["code"]})
    token = APIClient().post("/api/v1/auth/token", {"email": alice.email, "password": PASSWORD}, format="json").json()
    client.post("/security/pin/", {"pin": secrets["pin"], "again": "1", "password": secrets["password"]})
    client.post(f"/transfer/review/{uuid4()}/", {"pin": secrets["pin"]})
    client.post("/kyc/personal/", {"document_number": secrets["number"]})
    APIClient().get("/api/v1/auth/me", headers={"authorization": f"Bearer {token['access']}x"})
    APIClient().get("/api/v1/auth/me", headers={"x-api-key": "canarykey.canarysecret"})
    monkeypatch.setattr("identity.services.change_pin", _burst)
    failed = client.post(
        "/security/pin/", {"pin": secrets["pin"], "again": secrets["pin"], "password": secrets["password"]}
    )

    assert failed.status_code == 500
    log = "\n".join(lines())
    assert "RuntimeError" in log, "the failure itself is logged"
    told = [*secrets.values(), token["access"], token["refresh"], "canarysecret", PASSWORD]
    assert [secret for secret in told if secret in log] == []


def _burst(*args: Any, **kwargs: Any) -> None:
    raise RuntimeError("unforeseen")


@pytest.mark.django_db
@pytest.mark.parametrize("evil", ['a\r\n{"levelname": "INFO"}', "a\x1b[31mred", "a\x00b", "a\u2028b", "a" * 5000])
def test_a_name_with_control_characters_stays_one_line_of_json(evil: str, lines: Callable[[], list[str]]) -> None:
    Client().post("/auth/login/", {"login": evil, "password": "x"})
    APIClient().post("/api/v1/auth/token", {"email": evil, "password": "x"}, format="json")
    Client().get("/no-such-page/", {"q": evil}, headers={"user-agent": "x\x1b[31m", "x-request-id": "y\x1b[31m"})
    logging.getLogger("common.test").warning("told: %s", evil)

    assert lines()
    for line in lines():
        assert isinstance(json.loads(line), dict)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", line)


# --- Errors (V16.5.1) -------------------------------------------------------------------------------------------------


class Anything(dict[str, str]):
    """A value for every parameter; nothing of it is looked up."""

    def __missing__(self, name: str) -> str:
        return "1" if name in {"page", "browser_id", "credit_id", "year"} else str(uuid4())


class Bursting:
    """Middleware that lets every page fail where its view would begin."""

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: Any) -> None:
        if not request.path.startswith("/api/v1/"):
            raise RuntimeError(CANARY)


def test_every_page_and_operation_fails_with_an_answer_of_ours(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def burst(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError(CANARY)

    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.Bursting"]
    monkeypatch.setattr(ApiView, "initial", burst)
    client = Client()
    client.raise_request_exception = False
    wrong = []
    for route in ROUTES:
        answer = client.get(address(route, Anything()))
        if answer.status_code == 405:
            answer = client.post(address(route, Anything()))
        is_api = route.startswith("api/")
        shape = "application/problem+json" if is_api else "text/html; charset=utf-8"
        text = answer.content.decode()
        hidden = CANARY not in text and "Traceback" not in text and "RuntimeError" not in text
        if (answer.status_code, answer.headers["Content-Type"], hidden) != (500, shape, True):
            wrong.append((route, answer.status_code, answer.headers["Content-Type"]))
        elif is_api:
            assert set(answer.json()) >= {"status", "code", "detail", "request_id"}

    assert wrong == []


# --- Who is known, and weak passwords (V6.2.4, V6.3.8) ----------------------------------------------------------------


def test_the_three_thousand_most_common_passwords_are_refused() -> None:
    """Each as it is and, so that length alone does not decide, each by the list itself."""
    common = CommonPasswordValidator()
    top = sorted(common.passwords)[:3000]
    assert len(common.passwords) >= 15_000
    refused = 0
    for password in top:
        with pytest.raises(ValidationError):
            common.validate(password)
        with pytest.raises(ValidationError):
            validate_password(password)
        refused += 1

    assert refused == 3000


def plain(answer: Any) -> str:
    """A page without what differs by chance: tokens, ids, and the address that was typed."""
    text = re.sub(r'(csrfmiddlewaretoken" value=|nonce=|X-CSRFToken": )"[^"]*"', r"\1", answer.content.decode())
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "ID", text)
    return re.sub(r"[0-9a-f]{32}@example\.com", "ADDRESS", text)


FORMS: dict[str, dict[str, str]] = {
    "/auth/login/": {"login": "@", "password": "wrong horse battery staple"},
    "/auth/password/reset/": {"email": "@"},
    "/auth/signup/": {"email": "@", "password1": "five green apples on Tuesday", "full_name": "Some Name"},
}


@pytest.mark.parametrize("url", FORMS)
def test_forms_answer_alike_for_known_and_unknown_addresses(url: str, db: None) -> None:
    # Nobody's before: letters to one address are limited, and that limit outlives a test.
    known_address, unknown_address = (f"{uuid4().hex}@example.com" for _ in range(2))
    make_user(known_address, Role.CUSTOMER)
    answers = []
    for account in (known_address, unknown_address):
        told = {name: value.replace("@", account) if value == "@" else value for name, value in FORMS[url].items()}
        answers.append(Client().post(url, told, follow=True))

    known, unknown = answers
    assert known.status_code == unknown.status_code
    assert known.redirect_chain == unknown.redirect_chain
    assert plain(known) == plain(unknown)
