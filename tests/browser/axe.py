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
# Colours on their way from light to dark would be measured half way; each that ends may start those of its children.
SETTLED = """async () => {
  do {
    for (const change of document.getAnimations()) change.finish();
    await new Promise(requestAnimationFrame);
  } while (document.getAnimations().length);
}"""


class Visitor:
    """One person who looks at every page twice: light on a desktop, dark on a phone. Collects violations."""

    def __init__(self, new_page: Callable[..., Any], *, answers: tuple[int, ...] = ()) -> None:
        self.page = new_page(answers=answers)
        self.page.emulate_media(reduced_motion="reduce")
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
        for look, (scheme, size) in LOOKS.items():
            self.page.emulate_media(color_scheme=scheme)
            self.page.set_viewport_size(size)
            self.page.evaluate(SETTLED)
            self.found += [f"{name} ({look}): {violation}" for violation in violations(self.page)]


def violations(page: Any, *, context: Mapping[str, Any] | None = None) -> list[str]:
    """What axe finds on the page as it is now, each with up to three places. `context` as in axe's own `run`."""
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(AXE.axe_script)
    found = page.evaluate("context => axe.run(context || document, {resultTypes: ['violations']})", context)
    return [
        f"{violation['id']} ({violation['help']}): " + "; ".join(node["html"][:160] for node in violation["nodes"][:3])
        for violation in found["violations"]
    ]
