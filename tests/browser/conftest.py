"""A real Chromium on a live server. Where there is none, the suite is skipped and the last lines of the run say so."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client

from identity.models import User

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Playwright's loop runs in the test's thread; Django would take every query there for one made from async code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    reason = os.environ.get("BANKPORTAL_NO_BROWSER") or ("" if CHROMIUM.exists() else f"{CHROMIUM} is missing")
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if reason:
                item.add_marker(pytest.mark.skip(reason=f"NO BROWSER: {reason}"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium: Any, live_server: Any, transactional_db: None, settings: Any) -> Iterator[Callable[..., Any]]:
    """`new_page(javascript=False)`: a page of a fresh visitor. A policy violation or a script error fails the test."""
    settings.BASE_URL = live_server.url
    for kind in ("SESSION", "CSRF"):
        # The live server speaks plain HTTP, over which `__Host-` cookies cannot be set.
        setattr(settings, f"{kind}_COOKIE_SECURE", False)
        setattr(settings, f"{kind}_COOKIE_NAME", kind.lower())
    contexts: list[Any] = []
    complaints: list[str] = []

    def make(*, javascript: bool = True, phone: bool = False, dark: bool = False) -> Any:
        context = chromium.new_context(
            base_url=live_server.url,
            java_script_enabled=javascript,
            viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 900},
            color_scheme="dark" if dark else "light",
            locale="en-GB",
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"script error on {page.url}: {error}"))
        page.on(
            "console",
            lambda message: (
                complaints.append(f"{page.url}: {message.text}")
                if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text
                else None
            ),
        )
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page: Any, user: User) -> None:
    """Give the page a session of a user, without the login form. Needs `new_page`'s cookie settings."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    name = settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": settings.BASE_URL}])


def newest_link(address: str, pattern: str) -> str:
    """The newest link in the mail to an address that matches the pattern."""
    for message in reversed(mail.outbox):
        if address in message.to:
            found = re.search(pattern, str(message.body))
            if found:
                return found.group(0)
    raise AssertionError(f"no mail to {address} with {pattern}")
