"""What else stands in the way of closing an account: apps that build on accounts register a question at start-up.

The call goes up while the import goes down, so this app knows nothing of loans or payment files.
"""

from __future__ import annotations

from typing import Protocol
from uuid import UUID


class Asks(Protocol):
    """One sentence to the owner for each thing that still needs the account. Asked under the account's lock when it closes."""

    def __call__(self, account_id: UUID) -> list[str]: ...


_registered: dict[str, Asks] = {}


def register(name: str, asks: Asks) -> None:
    """Call once, from the owning app's `AppConfig.ready`; a second call with the same name takes its place."""
    _registered[name] = asks


def found(account_id: UUID) -> tuple[str, ...]:
    """Everything that needs this account, by the name it was registered with."""
    return tuple(text for _, asks in sorted(_registered.items()) for text in asks(account_id))
