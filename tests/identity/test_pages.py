from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from identity import queries
from identity.models import User
from notifications.models import MailboxMessage, OutboxEvent
from tests.conftest import PASSWORD

GOOD = "seven purple otters juggling"


@pytest.mark.parametrize("path", ["/profile/", "/security/", "/security/pin/"])
def test_pages_open_for_customers_only(alice: User, teller: User, login: Any, path: str) -> None:
    assert login(alice).get(path).status_code == 200
    assert Client().get(path).headers["Location"].startswith("/auth/login/")
    assert login(teller).get(path).headers["Location"] == "/admin/"


def test_sign_up_verification_and_log_in(db: None) -> None:
    client = Client()
    # allauth counts mails to an address in the cache, which outlives a test.
    email = f"{uuid.uuid4().hex}@example.com"
    body = {"full_name": "Nia New", "email": email.upper(), "password1": GOOD}
    assert client.post("/auth/signup/", body).status_code == 302
    user = User.objects.get(email=email)
    assert (user.full_name, user.password_changed_at is not None) == ("Nia New", True)
    login = {"login": email, "password": GOOD}
    assert client.post("/auth/login/", login).headers["Location"] == "/auth/confirm-email/"
    link = re.search(r"/auth/confirm-email/[^\s/]+/", MailboxMessage.objects.order_by("sent_at")[0].text)
    assert link
    client.get(link[0])
    assert not user.emailaddress_set.get().verified, "a mail scanner that opens the link must not confirm it"
    client.post(link[0])
    assert user.emailaddress_set.get().verified
    response = client.post("/auth/login/", login)
    assert response.headers["Location"] == "/overview/"
    assert client.get("/security/").status_code == 200


def test_sign_up_answers_alike_for_a_known_address(alice: User) -> None:
    answers = []
    for email in (alice.email, "new@example.com"):
        body = {"full_name": "Nia New", "email": email, "password1": GOOD}
        answers.append(Client().post("/auth/signup/", body))
    assert [(answer.status_code, answer.headers["Location"]) for answer in answers] == [
        (302, "/auth/confirm-email/")
    ] * 2
    assert User.objects.filter(email=alice.email).count() == 1


@pytest.mark.parametrize("password", ["short", "alicearcher99alice", "bankportal-password", "123456789012345"])
def test_sign_up_refuses_weak_passwords(db: None, password: str) -> None:
    body = {"full_name": "Alice Archer", "email": "a@example.com", "password1": password}
    response = Client().post("/auth/signup/", body)
    assert response.status_code == 200
    assert not User.objects.exists()


def test_password_reset_by_mail_ends_sessions(alice: User, login: Any) -> None:
    other, client = login(alice), Client()
    assert client.post("/auth/password/reset/", {"email": alice.email}).status_code == 302
    unknown = client.post("/auth/password/reset/", {"email": "nobody@example.com"})
    assert unknown.status_code == 302
    mail = MailboxMessage.objects.get(recipient=alice.email)
    link = re.search(r"/auth/password/reset/key/[^\s]+/", mail.text)
    assert link
    form = client.get(link[0]).headers["Location"]
    assert client.post(form, {"password1": GOOD, "password2": GOOD}).status_code == 302
    alice.refresh_from_db()
    assert alice.check_password(GOOD)
    assert other.get("/security/").status_code == 302


def test_a_password_change_keeps_this_session_and_ends_the_others(alice: User, login: Any) -> None:
    here, there = login(alice), login(alice)
    body = {"oldpassword": PASSWORD, "password1": GOOD, "password2": GOOD}
    here.post("/auth/password/change/", body)
    assert here.get("/security/").status_code == 200
    assert there.get("/security/").status_code == 302


def test_signing_out_elsewhere_keeps_this_session(alice: User, login: Any) -> None:
    here, there = login(alice), login(alice)
    assert here.post("/security/sign-out-elsewhere/").status_code == 302
    assert here.get("/security/").status_code == 200
    assert there.get("/security/").status_code == 302


def test_setting_the_pin_goes_back_to_where_it_was_asked(alice: User, login: Any) -> None:
    body = {"pin": "8305", "again": "8305", "password": PASSWORD, "next": "/transfer/"}
    assert login(alice).post("/security/pin/", body).headers["Location"] == "/transfer/"
    assert queries.has_pin(alice)
    body["next"] = "https://evil.example/"
    assert login(alice).post("/security/pin/", body).headers["Location"] == "/security/"


def test_the_pin_page_says_what_is_wrong_and_repeats_no_secret(alice: User, login: Any) -> None:
    body = {"pin": "8305", "again": "8306", "password": PASSWORD}
    response = login(alice).post("/security/pin/", body)
    assert response.status_code == 422
    assert "The two PINs differ." in response.text
    assert "8305" not in response.text
    assert not queries.has_pin(alice)


def test_five_wrong_passwords_show_the_locked_page(alice: User) -> None:
    client = Client()
    for _ in range(5):
        client.post("/auth/login/", {"login": alice.email, "password": "wrong"})
    response = client.post("/auth/login/", {"login": alice.email, "password": PASSWORD})
    assert (response.status_code, "Retry-After" in response.headers) == (429, True)
    elsewhere = Client(REMOTE_ADDR="203.0.113.9")
    assert elsewhere.post("/auth/login/", {"login": alice.email, "password": PASSWORD}).status_code == 302


def test_a_new_device_is_told_to_its_owner_and_a_known_one_is_not(alice: User) -> None:
    def told_after(**client: str) -> int:
        Client(**client).post("/auth/login/", {"login": alice.email, "password": PASSWORD})
        return OutboxEvent.objects.filter(user=alice, kind="new_sign_in").count()

    assert told_after(HTTP_USER_AGENT="Firefox") == 0, "the first log-in ever"
    assert told_after(HTTP_USER_AGENT="Firefox") == 0
    assert told_after(HTTP_USER_AGENT="Another") == 1
    assert told_after(HTTP_USER_AGENT="Another") == 1
    assert told_after(HTTP_USER_AGENT="Firefox", REMOTE_ADDR="203.0.113.77") == 2


def test_a_first_sign_in_to_the_api_is_told_to_somebody_who_used_the_browser_only(alice: User) -> None:
    sign_in = {"email": alice.email, "password": PASSWORD}
    Client(HTTP_USER_AGENT="Firefox").post("/auth/login/", {"login": alice.email, "password": PASSWORD})
    for told in (1, 1):
        answer = Client(HTTP_USER_AGENT="curl").post("/api/v1/auth/token", sign_in, content_type="application/json")
        assert answer.status_code == 200
        assert OutboxEvent.objects.filter(user=alice, kind="new_sign_in").count() == told


def test_the_session_key_changes_at_log_in(alice: User) -> None:
    client = Client()
    client.get("/auth/login/")
    session = client.session
    session["seen"] = 1
    session.save()
    before = session.session_key
    client.cookies["session" if "session" in client.cookies else next(iter(client.cookies))] = before
    client.post("/auth/login/", {"login": alice.email, "password": PASSWORD})
    assert client.session.session_key != before


def test_a_user_who_is_switched_off_is_out_at_once(alice: User, login: Any) -> None:
    client = login(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert client.get("/security/").status_code == 302


def test_sessions_end_after_a_silence_and_after_a_day(alice: User, login: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    from django.utils import timezone

    clock = timezone.now()
    monkeypatch.setattr("identity.middleware.timezone.now", lambda: clock)
    client = login(alice)
    assert client.get("/security/").status_code == 200
    clock += timedelta(seconds=299)
    assert client.get("/security/").status_code == 200
    clock += timedelta(seconds=301)
    assert client.get("/security/").status_code == 302
