"""Visits pages and asks axe-core what it finds there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from django.urls import resolve

from tests.browser.addresses import address

LOOKS = {
    "light, 1280 px": ("light", {"width": 1280, "height": 900}),
    "dark, 390 px": ("dark", {"width": 390, "height": 844}),
}
AXE = Axe()
# Colours on their way from light to dark would be measured half way. A made sheet is not bound by the page's policy.
AT_ONCE = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("*, ::before, ::after { transition-property: none !important; animation: none !important }");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""


class Visitor:
    """One person who looks at every page twice: light on a desktop, dark on a phone. Collects violations."""

    def __init__(self, new_page: Callable[..., Any], *, answers: tuple[int, ...] = ()) -> None:
        self.page = new_page(answers=answers)
        self.found: list[str] = []

    def visit(self, names: Iterable[str], things: Mapping[str, object] | None = None) -> None:
        """Open each name's page; one that does not answer 200 under its own name is a complaint as well."""
        for name in names:
            path = address(name, things or {})
            answer = self.page.goto(path)
            arrived = resolve(urlsplit(self.page.url).path).view_name
            if answer.status != 200 or arrived != name.partition("?")[0]:
                self.found.append(f"{path} answered {answer.status} at {self.page.url}")
            self.look(name)

    def look(self, name: str) -> None:
        """Judge the page as it is now, in both looks."""
        prepare(self.page)
        for look, (scheme, size) in LOOKS.items():
            self.page.emulate_media(color_scheme=scheme)
            self.page.set_viewport_size(size)
            self.found += [f"{name} ({look}): {violation}" for violation in violations(self.page)]


def prepare(page: Any) -> None:
    """Bring axe into the page, once, and stop what moves."""
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(AXE.axe_script)
        page.evaluate(AT_ONCE)


def violations(page: Any, *, without: Iterable[str] = ()) -> list[str]:
    """What axe finds on the page as it is now, each with up to three places; `without` names rules to leave out."""
    prepare(page)
    options = {"resultTypes": ["violations"], "rules": {rule: {"enabled": False} for rule in without}}
    found = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{violation['id']} ({violation['help']}): " + "; ".join(node["html"][:160] for node in violation["nodes"][:3])
        for violation in found["violations"]
    ]
