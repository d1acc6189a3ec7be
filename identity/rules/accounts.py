"""Whose account a try to log in meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def account_of(credentials: Mapping[str, Any] | None) -> str:
    """The e-mail address, whichever door named it how, in one spelling; empty when there is none."""
    given = credentials or {}
    name = given.get("email") or given.get("login") or given.get("username")
    return str(name or "").strip().lower()[:254]
