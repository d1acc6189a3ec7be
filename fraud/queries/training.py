"""The trainings that people asked for."""

from __future__ import annotations

from fraud.models import Training

SHOWN = 3


def latest_trainings() -> list[Training]:
    """The newest first, with who asked and what came of each."""
    found = Training.objects.select_related("requested_by", "version").order_by("-requested_at", "-pk")
    return list(found[:SHOWN])
