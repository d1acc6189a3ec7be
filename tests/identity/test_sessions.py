"""One's own sign-ins: seen on the security page, ended one by one (V7.5.2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEvent
from identity import queries, services
from identity.models import ApiSession, User
from tests.conftest import PASSWORD

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 Safari/604.1"


def log_in(user: User, agent: str = FIREFOX) -> Client:
    client = Client(headers={"user-agent": agent})
    assert client.post("/auth/login/", {"login": user.email, "password": PASSWORD}).status_code == 302
    assert client.get("/security/").status_code == 200
    return client


def tokens(user: User) -> Any:
    told = {"email": user.email, "password": PASSWORD}
    return APIClient().post("/api/v1/auth/token", told, format="json", headers={"user-agent": "curl/8"}).json()


def key_of(client: Client) -> int:
    return UserSession.objects.get(session_key=client.session.session_key).pk


def test_the_page_lists_every_living_sign_in_this_one_first(alice: User, bob: User) -> None:
    log_in(bob, "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0")
    log_in(alice, PHONE)
    tokens(alice)
    here = log_in(alice)

    page = here.get("/security/").content.decode().partition("Recent sign-ins")[0]

    assert page.count('action="/security/sessions/') == 3
    assert page.index("Firefox on Linux") < page.index("curl")
    assert page.index("this browser") < page.index("Safari on iPhone")
    assert "Chrome" not in page


def test_a_revoked_browser_is_out_at_its_next_click(alice: User) -> None:
    phone, here = log_in(alice, PHONE), log_in(alice)

    assert here.post(f"/security/sessions/browser/{key_of(phone)}/end/").status_code == 302

    assert phone.get("/security/").status_code == 302
    assert here.get("/security/").status_code == 200
    told = AuditEvent.objects.get(action="identity.session_ended")
    assert (told.actor, told.data["device"]) == (alice, "Safari on iPhone")


def test_a_revoked_sign_in_to_the_api_is_out_with_all_its_tokens(alice: User) -> None:
    issued, here = tokens(alice), log_in(alice)
    caller = APIClient()
    caller.credentials(HTTP_AUTHORIZATION=f"Bearer {issued['access']}")
    assert caller.get("/api/v1/auth/me").status_code == 200

    here.post(f"/security/sessions/api/{ApiSession.objects.get().pk}/end/")

    assert caller.get("/api/v1/auth/me").status_code == 401
    renewed = APIClient().post("/api/v1/auth/token/refresh", {"refresh": issued["refresh"]}, format="json")
    assert renewed.status_code == 401


def test_ending_the_sign_in_that_asks_leads_to_the_log_in(alice: User) -> None:
    here = log_in(alice)

    here.post(f"/security/sessions/browser/{key_of(here)}/end/")

    assert "/auth/login/" in here.get("/security/").headers["Location"]


def test_nobody_ends_somebody_elses_sign_in(alice: User, bob: User) -> None:
    hers, his = log_in(alice), log_in(bob)
    tokens(alice)

    assert his.post(f"/security/sessions/browser/{key_of(hers)}/end/").status_code == 404
    assert his.post(f"/security/sessions/api/{ApiSession.objects.get().pk}/end/").status_code == 404

    assert hers.get("/security/").status_code == 200
    assert ApiSession.objects.get().ended_at is None


@pytest.mark.parametrize("ending", ["password", "silence", "elsewhere"])
def test_what_no_longer_works_is_not_listed(ending: str, alice: User, settings: Any) -> None:
    phone, here = log_in(alice, PHONE), log_in(alice)
    if ending == "password":
        services.set_password(user=alice, password="four other words entirely 7", now=timezone.now())
    elif ending == "silence":
        session = phone.session
        session["seen_at"] = int((timezone.now() - timedelta(seconds=settings.SESSION_IDLE_SECONDS + 5)).timestamp())
        session.save()
    else:
        here.post("/security/sign-out-elsewhere/")

    alice.refresh_from_db()
    listed = queries.open_sessions(alice, current=here.session.session_key or "", now=timezone.now())

    assert [(row.device, row.is_current) for row in listed] == (
        [] if ending == "password" else [("Firefox on Linux", True)]
    )


def test_reading_the_list_writes_nothing(alice: User) -> None:
    phone, here = log_in(alice, PHONE), log_in(alice)
    phone.logout()
    before = list(UserSession.objects.values_list("pk", "last_seen_at"))

    here.get("/security/")

    assert list(UserSession.objects.values_list("pk", "last_seen_at")) == before


def test_the_librarys_own_page_leads_to_ours(alice: User) -> None:
    here = log_in(alice)
    assert here.get("/auth/sessions/").headers["Location"] == "/security/"
    assert here.post("/auth/sessions/").status_code == 405


OWN = "/admin/identity/user/own-sign-ins/"


def test_staff_see_and_end_their_own_sign_ins_in_the_back_office(auditor: User) -> None:
    first, second = (Client(headers={"user-agent": agent}) for agent in (FIREFOX, PHONE))
    for client in (first, second):
        assert client.post("/auth/login/", {"login": auditor.email, "password": PASSWORD}).status_code == 302
        assert client.get("/admin/").status_code == 200
    told = tokens(auditor)
    page = first.get(OWN).content.decode()
    assert page.index("Firefox on Linux (this one)") < page.index("Safari on iPhone")
    assert f'href="{OWN}"' in first.get("/admin/").content.decode()
    assert first.post(OWN, {"end": f"Browser {key_of(second)}"}).status_code == 302
    assert second.get("/admin/").status_code == 302
    living = ApiSession.objects.get(user=auditor, ended_at=None)
    assert first.post(OWN, {"end": f"API {living.pk}"}).status_code == 302
    bearer = APIClient(headers={"authorization": f"Bearer {told['access']}"})
    assert bearer.get("/api/v1/auth/me").status_code == 401
    third = Client(headers={"user-agent": PHONE})
    third.post("/auth/login/", {"login": auditor.email, "password": PASSWORD})
    assert first.post(OWN, {"end": "others"}).status_code == 302
    assert third.get("/admin/").status_code == 302
    assert first.get(OWN).status_code == 200


@pytest.mark.parametrize("what", ["", "Browser", "Browser x", "API 1", "Browser 99999999999999999999", "all"])
def test_nonsense_ends_nothing(auditor: User, login: Any, what: str) -> None:
    assert login(auditor).post(OWN, {"end": what}).status_code == 404


def test_staff_cannot_end_a_sign_in_of_somebody_else(auditor: User, alice: User, login: Any) -> None:
    client = log_in(alice)
    assert login(auditor).post(OWN, {"end": f"Browser {key_of(client)}"}).status_code == 404
    assert client.get("/security/").status_code == 200
    assert client.get(OWN).status_code == 302, "the back office is closed to customers"
