"""What a browser is told with each answer, and what the cookies look like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from identity.models import User
from tests.conftest import PASSWORD

OPEN_PAGES = ["/", "/auth/login/", "/auth/signup/", "/auth/password/reset/", "/livez", "/no-such-page/", "/api/schema/"]
CUSTOMER_PAGES = ["/overview/", "/accounts/", "/activity/", "/transfer/", "/notifications/", "/profile/", "/security/"]
API_PAGES = ["/api/v1/auth/me", "/api/v1/accounts/", "/api/v1/products/", "/api/v1/transactions/history"]
LIBRARY_PAGES = ["/admin/", "/api/docs/", "/api/redoc/"]
EVIL = {"HTTP_ORIGIN": "https://evil.example"}


def assert_safe_headers(response: Any) -> None:
    hsts = response.headers["Strict-Transport-Security"]
    assert int(hsts.split("max-age=")[1].split(";")[0]) >= 31_536_000
    assert "includeSubDomains" in hsts
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert "object-src 'none'" in response.headers["Content-Security-Policy"]
    assert "base-uri 'none'" in response.headers["Content-Security-Policy"]
    assert not [name for name in response.headers if name.lower().startswith("access-control-")]


@pytest.mark.django_db
@pytest.mark.parametrize("url", [*OPEN_PAGES, *CUSTOMER_PAGES, *API_PAGES])
def test_a_stranger_gets_every_safety_header_and_a_strict_policy(url: str) -> None:
    response = Client().get(url, **EVIL)

    assert_safe_headers(response)
    assert "unsafe-" not in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("url", [*CUSTOMER_PAGES, *API_PAGES])
def test_a_customer_gets_them_too_and_no_page_is_kept(url: str, alice: User, login: Callable[[User], Client]) -> None:
    response = login(alice).get(url, **EVIL)

    assert_safe_headers(response)
    assert "unsafe-" not in response.headers["Content-Security-Policy"]
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize("url", LIBRARY_PAGES)
def test_pages_of_libraries_stay_within_their_wider_policy(
    url: str, administrator: User, login: Callable[[User], Client]
) -> None:
    response = login(administrator).get(url, **EVIL)

    assert response.status_code == 200
    assert_safe_headers(response)
    scripts = response.headers["Content-Security-Policy"].split("script-src ")[1].split(";")[0]
    assert "unsafe-inline" not in scripts
    assert ("unsafe-eval" in scripts) is (url == "/admin/")
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.django_db
def test_a_null_origin_gets_no_permission_either() -> None:
    response = Client().options("/api/v1/accounts/", HTTP_ORIGIN="null", HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST")

    assert_safe_headers(response)


def test_every_cookie_is_bound_to_this_host_and_hidden_from_scripts(alice: User, settings: Any) -> None:
    client = Client()
    client.get("/auth/login/")

    answer = client.post("/auth/login/", {"login": alice.email, "password": PASSWORD})

    assert answer.status_code == 302
    assert {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME} <= set(client.cookies)
    for name, cookie in client.cookies.items():
        assert name.startswith("__Host-")
        assert cookie["secure"]
        assert cookie["httponly"]
        assert cookie["samesite"] in {"Lax", "Strict"}
        assert cookie["path"] == "/"
        assert not cookie["domain"]
