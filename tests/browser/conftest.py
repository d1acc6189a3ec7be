"""A real Chromium on a live server. Where there is none, `runner.pytest_plugin` skips the suite and says so."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runner import pytest_plugin

# A page that does not come in this time does not come; a slow machine may need much of it.
MILLISECONDS = 300_000
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
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(pytest_plugin.chromium()), args=FLAGS, timeout=MILLISECONDS
        )
        yield browser
        browser.close()


class Watch:
    """Keeps what a page complains about: script errors, refused files and everything else on the error console.

    Chromium also writes there that a page itself answered 404 or 422; a test that wants that says so with `answers`.
    """

    def __init__(self, answers: tuple[int, ...]) -> None:
        self.answers = answers
        self.complaints: list[str] = []

    def on(self, page: Any) -> None:
        page.on("pageerror", lambda error: self.complaints.append(f"script error on {page.url}: {error}"))
        page.on("console", lambda message: self._console(page, message))

    def _console(self, page: Any, message: Any) -> None:
        text = message.text
        loud = message.type == "error" or re.search("Content.Security.Policy", text)
        wanted = any(f"the server responded with a status of {status} " in text for status in self.answers)
        if loud and not wanted:
            self.complaints.append(f"{page.url}: {text} ({message.location.get('url', '')})")


@pytest.fixture
def new_page(chromium: Any, live_server: Any, transactional_db: None, settings: Any) -> Iterator[Callable[..., Any]]:
    """`new_page(javascript=False)`: a page of a fresh visitor.

    The test fails on a violation of the content policy, a script error or anything else on the page's error console.
    """
    settings.BASE_URL = live_server.url
    # Mail stays in the bank, where the sandbox shows it to its visitors.
    settings.EMAIL_BACKEND = "notifications.mail.MailboxBackend"
    for kind in ("SESSION", "CSRF"):
        # The live server speaks plain HTTP, over which `__Host-` cookies cannot be set.
        setattr(settings, f"{kind}_COOKIE_SECURE", False)
        setattr(settings, f"{kind}_COOKIE_NAME", kind.lower())
    contexts: list[Any] = []
    watches: list[Watch] = []

    def make(*, javascript: bool = True, phone: bool = False, dark: bool = False, answers: tuple[int, ...] = ()) -> Any:
        context = chromium.new_context(
            base_url=live_server.url,
            java_script_enabled=javascript,
            viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 900},
            color_scheme="dark" if dark else "light",
            locale="en-GB",
        )
        context.set_default_timeout(MILLISECONDS)
        contexts.append(context)
        watches.append(Watch(answers))
        page = context.new_page()
        watches[-1].on(page)
        return page

    yield make
    for context in contexts:
        context.close()
    assert [complaint for watch in watches for complaint in watch.complaints] == []
