"""What fraud calls when somebody has decided about a held payment."""

from __future__ import annotations

from fraud import subjects
from payments import services
from payments.services.orders import SUBJECT_KIND


def register() -> None:
    """Called once, when the apps are ready."""
    subjects.register(SUBJECT_KIND, release=services.release_held, decline=services.decline_held)
