from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.utils import timezone
from rest_framework.test import APIClient

from identity import services
from identity.models import ApiClient, ApiSession, User
from notifications.models import MailboxMessage
from tests.conftest import PASSWORD

ME = "/api/v1/auth/me"
GOOD = "seven purple otters juggling"


def sign_in(user: User, **extra: Any) -> Any:
    return APIClient().post("/api/v1/auth/token", {"email": user.email, "password": PASSWORD, **extra})


def bearer(access: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return client


def test_signs_in_and_answers_who_i_am(alice: User) -> None:
    tokens = sign_in(alice).json()
    assert tokens["token_type"] == "Bearer"
    me = bearer(tokens["access"]).get(ME).json()
    assert (me["email"], me["roles"], me["id"]) == (alice.email, ["customer"], str(alice.public_id))
    assert me["pin_is_set"] is False


def test_says_the_same_for_a_wrong_password_and_an_unknown_address(alice: User) -> None:
    answers = [
        APIClient().post("/api/v1/auth/token", {"email": email, "password": "wrong one"})
        for email in (alice.email, "nobody@example.com")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json()["code"] == answers[1].json()["code"] == "bad_credentials"
    assert answers[0].json()["detail"] == answers[1].json()["detail"]


def test_five_wrong_passwords_lock_this_address_but_not_another(alice: User) -> None:
    client = APIClient()
    for _ in range(5):
        client.post("/api/v1/auth/token", {"email": alice.email, "password": "wrong one"})
    locked = client.post("/api/v1/auth/token", {"email": alice.email, "password": PASSWORD})
    assert (locked.status_code, locked.json()["code"]) == (429, "locked_out")
    assert int(locked.headers["Retry-After"]) > 0
    elsewhere = APIClient(REMOTE_ADDR="203.0.113.9")
    assert elsewhere.post("/api/v1/auth/token", {"email": alice.email, "password": PASSWORD}).status_code == 200


def test_a_refresh_token_is_no_access_token(alice: User) -> None:
    tokens = sign_in(alice).json()
    assert bearer(tokens["refresh"]).get(ME).status_code == 401


def test_a_refresh_token_works_once_and_its_second_use_ends_the_sign_in(alice: User) -> None:
    first = sign_in(alice).json()
    second = APIClient().post("/api/v1/auth/token/refresh", {"refresh": first["refresh"]})
    assert second.status_code == 200
    assert bearer(second.json()["access"]).get(ME).status_code == 200
    again = APIClient().post("/api/v1/auth/token/refresh", {"refresh": first["refresh"]})
    assert (again.status_code, again.json()["code"]) == (401, "sign_in_ended")
    assert bearer(second.json()["access"]).get(ME).status_code == 401


def test_signing_out_kills_access_and_refresh(alice: User) -> None:
    tokens = sign_in(alice).json()
    assert bearer(tokens["access"]).post("/api/v1/auth/logout").status_code == 204
    assert bearer(tokens["access"]).get(ME).status_code == 401
    assert APIClient().post("/api/v1/auth/token/refresh", {"refresh": tokens["refresh"]}).status_code == 401


def test_tokens_die_with_the_password_and_with_the_user(alice: User, bob: User) -> None:
    of_alice, of_bob = sign_in(alice).json(), sign_in(bob).json()
    services.set_password(user=alice, password=GOOD, now=timezone.now())
    assert bearer(of_alice["access"]).get(ME).status_code == 401
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert bearer(of_bob["access"]).get(ME).status_code == 401
    assert APIClient().post("/api/v1/auth/token/refresh", {"refresh": of_bob["refresh"]}).status_code == 401


def test_a_living_refresh_token_is_stored_nowhere(alice: User) -> None:
    from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

    sign_in(alice)
    assert OutstandingToken.objects.count() == 0
    assert ApiSession.objects.filter(user=alice, ended_at=None).count() == 1


@pytest.mark.parametrize("change", [{"aud": "other"}, {"iss": "other"}])
def test_refuses_tokens_of_another_issuer_or_audience(alice: User, change: dict[str, str]) -> None:
    import jwt
    from django.conf import settings

    claims = jwt.decode(sign_in(alice).json()["access"], options={"verify_signature": False})
    forged = jwt.encode({**claims, **change}, settings.SECRET_KEY, algorithm="HS256")
    assert bearer(forged).get(ME).status_code == 401
    assert bearer(jwt.encode(claims, "", algorithm="none")).get(ME).status_code == 401
    assert bearer(jwt.encode(claims, settings.SECRET_KEY, algorithm="HS512")).get(ME).status_code == 401
    assert bearer(jwt.encode(claims, settings.SECRET_KEY, algorithm="HS256")).get(ME).status_code == 200


def test_a_token_that_was_good_ends_at_its_time(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = bearer(sign_in(alice).json()["access"])
    assert client.get(ME).status_code == 200
    later = timezone.now() + timedelta(minutes=6)
    monkeypatch.setattr(timezone, "now", lambda: later)
    answer = client.get(ME)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid")


def test_asks_for_the_code_and_takes_each_one_once(alice: User, totp: Callable[[User], str]) -> None:
    code = totp(alice)
    missing = sign_in(alice)
    assert (missing.status_code, missing.json()["code"]) == (401, "second_factor_required")
    assert sign_in(alice, otp=code).status_code == 200
    assert (sign_in(alice, otp=code).status_code, sign_in(alice, otp=code).json()["code"]) == (422, "wrong_code")


def test_five_wrong_codes_are_looked_at_and_no_more(alice: User, totp: Callable[[User], str]) -> None:
    code = totp(alice)
    wrong = "000000" if code != "000000" else "000001"
    assert [sign_in(alice, otp=wrong).status_code for _ in range(6)] == [422] * 5 + [429]
    assert sign_in(alice, otp=code).status_code == 429


def test_staff_without_a_second_factor_get_no_token_where_it_is_required(teller: User, settings: Any) -> None:
    settings.STAFF_MFA_REQUIRED = True
    answer = sign_in(teller)
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_not_set_up")
    Authenticator.objects.all().delete()


def test_an_unverified_address_gets_no_token(alice: User) -> None:
    alice.emailaddress_set.update(verified=False)
    assert sign_in(alice).json()["code"] == "email_not_verified"


def test_registering_answers_alike_for_known_and_unknown_addresses(
    alice: User, django_capture_on_commit_callbacks: Any
) -> None:
    answers = []
    for email in (alice.email, "new@example.com"):
        with django_capture_on_commit_callbacks(execute=True):
            body = {"email": email, "password": GOOD, "full_name": "Nia New"}
            answers.append(APIClient().post("/api/v1/auth/register", body))
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].content == answers[1].content
    assert MailboxMessage.objects.filter(recipient=alice.email).count() == 1
    mail = MailboxMessage.objects.get(recipient="new@example.com")
    assert re.search(r"/auth/confirm-email/[^\s/]+/", mail.text)
    made = User.objects.get(email="new@example.com")
    assert list(made.groups.values_list("name", flat=True)) == ["customer"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"password": "short"}, "password"),
        ({"password": "Archer Newman 1234", "full_name": "Archer Newman"}, "password"),
        ({"full_name": "  "}, "full_name"),
        ({"email": "no address"}, "email"),
    ],
)
def test_registering_says_what_is_wrong(db: None, change: dict[str, str], field: str) -> None:
    body = {"email": "new@example.com", "password": GOOD, "full_name": "Nia New", **change}
    answer = APIClient().post("/api/v1/auth/register", body)
    assert answer.status_code in {400, 422}
    assert [row["field"] for row in answer.json()["errors"]] == [field]
    assert not User.objects.filter(email="new@example.com").exists()


def test_the_profile_takes_a_name_and_nothing_else(alice: User, api: Any) -> None:
    answer = api(alice).patch(
        "/api/v1/users/profile", {"full_name": " Alice  Ames ", "is_staff": True, "email": "x@y.z"}
    )
    assert answer.json()["full_name"] == "Alice Ames"
    alice.refresh_from_db()
    assert (alice.full_name, alice.is_staff, alice.email) == ("Alice Ames", False, "alice@example.com")


def test_sets_the_pin_with_the_password(alice: User, api: Any) -> None:
    wrong = api(alice).post("/api/v1/users/pin", {"pin": "8305", "password": "something else"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_password")
    weak = api(alice).post("/api/v1/users/pin", {"pin": "1234", "password": PASSWORD})
    assert (weak.status_code, weak.json()["code"]) == (422, "weak_pin")
    assert api(alice).post("/api/v1/users/pin", {"pin": "8305", "password": PASSWORD}).status_code == 204


@pytest.mark.parametrize("path", [ME, "/api/v1/users/profile"])
def test_strangers_get_nothing(db: None, path: str) -> None:
    assert APIClient().get(path).status_code == 401
    assert APIClient().post("/api/v1/users/pin", {}).status_code == 401


def test_an_api_key_works_until_it_is_revoked_or_its_user_is_gone(administrator: User) -> None:
    issued = services.create_api_client(actor=administrator, name="Till", scopes=["deposits:write"], now=timezone.now())
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=issued.key)
    assert client.get(ME).status_code == 200
    assert issued.key.split(".")[1] not in ApiClient.objects.get().secret_hash
    wrong = APIClient()
    wrong.credentials(HTTP_X_API_KEY=issued.key[:-1] + ("a" if issued.key[-1] != "a" else "b"))
    assert wrong.get(ME).status_code == 401
    services.revoke_api_client(actor=administrator, client_id=issued.client.pk, reason="No longer used")
    assert client.get(ME).status_code == 401
