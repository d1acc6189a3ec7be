"""Tokens that somebody made up, bent or took from elsewhere (V9.1.2, V9.2.x)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.utils import timezone
from rest_framework.test import APIClient

from identity.models import User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def issued(alice: User) -> Any:
    told = {"email": alice.email, "password": PASSWORD}
    return APIClient().post("/api/v1/auth/token", told, format="json").json()


def claims_of(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def asks(token: str) -> Any:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client.get("/api/v1/auth/me")


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(claims: dict[str, Any]) -> str:
    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}."


def unsigned_in_capitals(claims: dict[str, Any]) -> str:
    return f"{part({'alg': 'NoNe', 'typ': 'JWT'})}.{part(claims)}."


def with_another_key(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "x" * 64, algorithm="HS256")


def with_a_key_pair(claims: dict[str, Any]) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return jwt.encode(claims, pem, algorithm="RS256")


def with_another_algorithm(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, settings.SECRET_KEY, algorithm="HS512")


def expired(claims: dict[str, Any]) -> str:
    past = int((timezone.now() - timedelta(minutes=1)).timestamp())
    return jwt.encode({**claims, "exp": past}, settings.SECRET_KEY, algorithm="HS256")


def without_an_end(claims: dict[str, Any]) -> str:
    endless = {name: value for name, value in claims.items() if name != "exp"}
    return jwt.encode(endless, settings.SECRET_KEY, algorithm="HS256")


def of_nobody(claims: dict[str, Any]) -> str:
    someone = {**claims, "sub": "00000000-0000-4000-8000-000000000000"}
    return jwt.encode(someone, settings.SECRET_KEY, algorithm="HS256")


def without_a_sign_in(claims: dict[str, Any]) -> str:
    return jwt.encode({**claims, "sid": None}, settings.SECRET_KEY, algorithm="HS256")


BENT = [
    unsigned,
    unsigned_in_capitals,
    with_another_key,
    with_a_key_pair,
    with_another_algorithm,
    expired,
    without_an_end,
    of_nobody,
    without_a_sign_in,
]


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("bend", BENT, ids=lambda bend: bend.__name__)
def test_a_bent_token_opens_nothing(bend: Callable[[dict[str, Any]], str], issued: Any) -> None:
    assert asks(issued["access"]).status_code == 200

    answer = asks(bend(claims_of(issued["access"])))

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_same_claims_signed_with_our_key_do_work(issued: Any) -> None:
    """The control: what is refused above is refused for its bend, not for being made by hand."""
    again = jwt.encode(claims_of(issued["access"]), settings.SECRET_KEY, algorithm="HS256")
    assert asks(again).status_code == 200


@pytest.mark.parametrize("rubbish", ["", "x", "a.b.c", "é", "." * 5000, "null"])
def test_rubbish_is_a_401_and_no_500(rubbish: str) -> None:
    assert asks(rubbish).status_code == 401


def test_a_token_in_the_address_or_the_body_counts_for_nothing(issued: Any) -> None:
    client = APIClient()
    assert client.get(f"/api/v1/auth/me?token={issued['access']}&access_token={issued['access']}").status_code == 401
    assert client.patch("/api/v1/users/profile", {"access": issued["access"]}, format="json").status_code == 401
