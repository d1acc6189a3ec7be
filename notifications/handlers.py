"""What happens to a login is told to its owner; identity stands below and cannot call up."""

from __future__ import annotations

from identity import events
from notifications import services

KIND_OF_ACTION = {
    "identity.pin_set": "pin_set",
    "identity.pin_locked": "pin_locked",
    "identity.password_changed": "password_changed",
    "identity.email_changed": "email_changed",
    "identity.second_factor_added": "second_factor_added",
    "identity.second_factor_removed": "second_factor_removed",
    "identity.recovery_codes_made": "recovery_codes_made",
}


def hear(event: events.Event) -> None:
    """Write the message into the outbox, in the transaction in which it happened."""
    if event.user is None:
        return
    kind = KIND_OF_ACTION.get(event.action, "")
    if event.action == "identity.signed_in" and event.data.get("new_device"):
        kind = "new_sign_in"
    if kind:
        services.notify(user_id=event.user.pk, kind=kind, data=event.data)


def connect() -> None:
    events.register("notifications", hear)
