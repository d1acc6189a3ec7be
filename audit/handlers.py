"""The trail listens to identity, which stands below and cannot call up."""

from __future__ import annotations

from audit import services
from identity import events


def hear(event: events.Event) -> None:
    """Write what happened to a user into the trail, in the transaction in which it happened."""
    services.record(
        actor=event.actor,
        action=event.action,
        subject_kind=event.subject_kind,
        subject_id=event.subject_id,
        reason=event.reason,
        data=event.data,
    )


def connect() -> None:
    events.register("audit", hear)
