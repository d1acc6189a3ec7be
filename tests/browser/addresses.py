"""The addresses of the bank by name, found in the URLconf itself, so that none can be forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from django.urls import URLPattern, URLResolver, get_resolver, reverse


def _walk(patterns: list[URLPattern | URLResolver], prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from _walk(entry.url_patterns, route, inner)
        elif entry.name:
            yield space + entry.name, route


def routes() -> dict[str, str]:
    """Every route of the bank by its full name, such as `accounts:detail`."""
    return dict(_walk(get_resolver().url_patterns))


def address(name: str, things: Mapping[str, object]) -> str:
    """The address of a name, perhaps with a query (`payments:history?page=2`); `things` has values for parameters."""
    name, _, query = name.partition("?")
    wanted = re.findall(r"<(?:\w+:)?(\w+)>", routes()[name])
    return reverse(name, kwargs={key: things[key] for key in wanted}) + (f"?{query}" if query else "")
