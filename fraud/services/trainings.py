"""Asking for a training. What it does is in `training`, which only workers load: it brings the libraries that fit."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db.models import Q

from audit import services as audit
from common import nudges
from common.db import lock_advisory, use_case
from common.errors import Invalid
from fraud.errors import ReasonMissing, TrainingUnderWay
from fraud.models import ModelVersion, Training
from identity import services as identity
from identity.models import User

LONGEST_DAYS, MOST_TRIALS = 400, 200
# A worker that has said nothing for so long is gone, and another begins anew: one fit of half a million rows takes minutes.
GONE_AFTER = timedelta(minutes=30)
MOST_ATTEMPTS = 3
_LOCK = 4605


def request_training(*, actor: User, days: int, trials: int, reason: str, now: datetime) -> Training:
    """Ask for a challenger that learns from the decisions of the last `days`; `trials` choices are searched beyond the first.

    One at a time. Raises PermissionMissing, ReasonMissing, TrainingUnderWay, and Invalid at its field.
    """
    identity.require(actor, "fraud_edit_rules")
    if not reason.strip():
        raise ReasonMissing
    for field, value, least, most in (("days", days, 7, LONGEST_DAYS), ("trials", trials, 0, MOST_TRIALS)):
        if not least <= value <= most:
            raise Invalid(f"Give a whole number from {least} to {most}.", field=field)
    with use_case():
        lock_advisory(namespace=_LOCK, key=1)
        if Training.objects.filter(finished_at__isnull=True).exists():
            raise TrainingUnderWay
        asked = Training.objects.create(days=days, trials=trials, requested_by=actor, requested_at=now)
        audit.record(
            actor=actor,
            action="fraud.training_requested",
            subject_kind="fraud_training",
            subject_id=asked.pk,
            reason=reason.strip(),
            data={"days": days, "trials": trials},
        )
        nudges.after_commit("fraud.tasks.run_trainings")
    return asked


def claim(*, now: datetime) -> Training | None:
    """What nobody works on becomes the caller's; None when there is nothing.

    What workers died at again and again ends with that as its error.
    """
    free = Q(alive_at__isnull=True) | Q(alive_at__lt=now - GONE_AFTER)
    asked = Training.objects.select_related("requested_by").filter(free, finished_at__isnull=True)
    with use_case():
        found = asked.select_for_update(skip_locked=True, of=("self",)).order_by("requested_at", "pk").first()
        if found is None:
            return None
        if found.attempts == MOST_ATTEMPTS:
            found.error, found.finished_at = f"{MOST_ATTEMPTS} workers died at it.", now
            found.save(update_fields=["error", "finished_at"])
            return None
        found.alive_at, found.said = now, []
        found.attempts += 1
        found.save(update_fields=["alive_at", "said", "attempts"])
    return found


def tell(training_id: uuid.UUID, said: list[str], *, steps: int, moment: datetime) -> None:
    """How far it is."""
    Training.objects.filter(pk=training_id).update(said=said, steps_total=steps, alive_at=moment)


def end(
    training: Training, *, said: list[str], now: datetime, version: ModelVersion | None = None, error: str = ""
) -> None:
    """With a version, or with why there is none."""
    training.version, training.error = version, error[:200]
    training.said, training.finished_at = said, now
    training.save(update_fields=["version", "error", "said", "finished_at"])
