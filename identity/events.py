"""What happened to a user, told to the apps above: the call goes up while the import goes down.

audit and notifications register a listener at start-up. Listeners run in the transaction of what they hear about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from common.db import require_transaction
from identity.models import User


@dataclass(frozen=True, slots=True)
class Event:
    """`action` is stable (`identity.login`); `user` is whom it is about, `actor` who did it (None: nobody known)."""

    action: str
    user: User | None
    actor: User | None
    subject_kind: str = "user"
    subject_id: str = ""
    reason: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


Listener = Callable[[Event], None]
_listeners: dict[str, Listener] = {}


def register(name: str, listener: Listener) -> None:
    """Hear of every event from now on; registering a name again replaces its listener."""
    _listeners[name] = listener


def emit(event: Event) -> None:
    """Tell every listener. Raises NoTransaction outside a transaction."""
    require_transaction()
    for listener in _listeners.values():
        listener(event)


def about(
    user: User,
    action: str,
    *,
    actor: User | None = None,
    reason: str = "",
    data: Mapping[str, Any] | None = None,
) -> None:
    """Tell that something happened to a user, by themselves unless another actor is named."""
    emit(
        Event(
            action=action,
            user=user,
            actor=actor or user,
            subject_id=str(user.public_id),
            reason=reason,
            data=dict(data or {}),
        )
    )
