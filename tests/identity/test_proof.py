"""What asks again who somebody is: changes of log-in data, and a new password where there is a second factor (V6.4.3, V7.5.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.test import Client

from identity.models import User
from notifications.models import MailboxMessage
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
GOOD = "seven quiet rivers 42 north"
# Each with what changes it, and whether a second factor is there before.
CHANGES: dict[str, tuple[dict[str, str], bool]] = {
    "/auth/email/": ({"email": "new.alice@example.com", "action_add": ""}, False),
    "/auth/2fa/totp/activate/": ({"code": "123456"}, False),
    "/auth/2fa/totp/deactivate/": ({}, True),
    "/auth/2fa/recovery-codes/generate/": ({}, True),
}


@pytest.mark.parametrize("minutes", [None, 0, 6])
@pytest.mark.parametrize("url", CHANGES)
def test_log_in_data_changes_only_soon_after_a_proof(
    url: str, minutes: int | None, alice: User, totp: Callable[[User], str]
) -> None:
    """`minutes` since the proof; None for a log-in alone."""
    body, has_factor = CHANGES[url]
    client = logged_in(alice, totp(alice) if has_factor else "")
    if minutes is not None:
        prove(client, minutes=minutes)
    before = state(alice)
    answer = client.post(url, body)
    asked_again = answer.headers.get("Location", "").startswith(("/auth/reauthenticate/", "/auth/2fa/reauthenticate/"))
    assert asked_again == (minutes != 0)
    if asked_again:
        assert state(alice) == before
        assert not MailboxMessage.objects.filter(recipient="new.alice@example.com").exists()


def test_a_new_password_by_mail_still_needs_the_second_factor(alice: User, totp: Callable[[User], str]) -> None:
    code = totp(alice)
    client = Client()
    choose_new_password(client, alice)
    assert client.get("/overview/").status_code == 302, "a new password logs nobody in"
    answer = client.post("/auth/login/", {"login": alice.email, "password": GOOD})
    assert answer.headers["Location"].startswith("/auth/2fa/authenticate/")
    assert client.get("/overview/").status_code == 302
    client.post("/auth/2fa/authenticate/", {"code": code})
    assert client.get("/overview/").status_code == 200


def test_the_link_to_a_new_password_works_once_and_for_an_hour(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    link = choose_new_password(client, alice)
    assert "Location" not in Client().get(link).headers, "used"
    alice.refresh_from_db()
    client.post("/auth/password/reset/", {"email": alice.email})
    link = latest_link(alice)
    assert "Location" in Client().get(link).headers, "fresh"
    # The generator's own clock: naive local time.
    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self: datetime.now() + timedelta(seconds=3602))
    assert "Location" not in Client().get(link).headers, "over"


def logged_in(user: User, code: str) -> Client:
    client = Client()
    client.post("/auth/login/", {"login": user.email, "password": PASSWORD})
    if code:
        client.post("/auth/2fa/authenticate/", {"code": code})
    assert client.get("/overview/").status_code == 200
    return client


def prove(client: Client, *, minutes: int) -> None:
    """Type the password again, so many minutes ago."""
    assert client.post("/auth/reauthenticate/", {"password": PASSWORD}).status_code == 302
    session = client.session
    methods = session["account_authentication_methods"]
    session["account_authentication_methods"] = [{**each, "at": each["at"] - minutes * 60} for each in methods]
    session.save()


def choose_new_password(client: Client, user: User) -> str:
    client.post("/auth/password/reset/", {"email": user.email})
    link = latest_link(user)
    form = client.get(link).headers["Location"]
    assert client.post(form, {"password1": GOOD, "password2": GOOD}).status_code == 302
    return link


def latest_link(user: User) -> str:
    mail = MailboxMessage.objects.filter(recipient=user.email).latest("sent_at")
    link = re.search(r"/auth/password/reset/key/[^\s]+/", mail.text)
    assert link
    return link[0]


def state(user: User) -> tuple[object, ...]:
    user.refresh_from_db()
    kept = Authenticator.objects.filter(user=user).order_by("pk").values_list("type", "created_at")
    return (user.email, *kept)
