"""Model versions: kept as they were sealed, nominated by one person, promoted by another, rolled back by one click."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime
from typing import Any

from django.db.models import Max

from audit import services as audit
from common.db import lock_advisory, require_transaction, use_case
from fraud.errors import (
    ModelNotFound,
    ModelNotProven,
    ModelStateConflict,
    ModelUnusable,
    ReasonMissing,
    SameNominatorAndPromoter,
)
from fraud.models import ModelComparison, ModelFile, ModelState, ModelVersion
from fraud.rules.learning.artifact import BrokenArtifact, Sealed
from fraud.services.comparing import FEWEST_OF_EACH, MATURE, compared
from fraud.services.ruleset import touch_ruleset
from fraud.services.unsealing import opened
from identity import services as identity
from identity.models import User

logger = logging.getLogger(__name__)

_NUMBERS_LOCK = 4603


def keep(*, sealed: Sealed, trained_by: User | None, now: datetime) -> ModelVersion:
    """Store a training's result as a challenger, in the caller's transaction. Raises NoTransaction."""
    require_transaction()
    lock_advisory(namespace=_NUMBERS_LOCK, key=1)
    latest = ModelVersion.objects.aggregate(latest=Max("number"))["latest"] or 0
    version = ModelVersion.objects.create(
        number=latest + 1,
        manifest=sealed.manifest,
        signature=sealed.signature,
        created_at=now,
        trained_by=trained_by,
    )
    ModelFile.objects.bulk_create(
        ModelFile(version=version, name=name, data=data) for name, data in sealed.files.items()
    )
    _record(version, trained_by, "fraud.model_trained")
    return version


def nominate(*, actor: User, version_id: uuid.UUID, reason: str, now: datetime) -> ModelVersion:
    """Ask for a challenger to become champion; it is compared with the present one for those who decide.

    Raises PermissionMissing, ReasonMissing, ModelNotFound, ModelStateConflict, ModelUnusable.
    """
    identity.require(actor, "fraud_edit_rules")
    _need(reason)
    with use_case():
        version = _locked(version_id, ModelState.CHALLENGER)
        _try(version)
        if ModelVersion.objects.filter(state=ModelState.NOMINATED).exists():
            raise ModelStateConflict("Another model is already waiting for approval.")
        version.state = ModelState.NOMINATED
        version.nominated_by, version.nominated_at = actor, now
        version.save(update_fields=["state", "nominated_by", "nominated_at"])
        compared(version, now=now)
        _record(version, actor, "fraud.model_nominated", reason=reason)
    return version


def promote(*, actor: User, version_id: uuid.UUID, reason: str, now: datetime, despite: str = "") -> ModelVersion:
    """Put a nominated model in charge; every process follows at its next payment.

    `despite` is why it shall be so although the labels say it is worse, or are too few to tell. Raises PermissionMissing,
    ReasonMissing, ModelNotFound, ModelStateConflict, SameNominatorAndPromoter, ModelUnusable, ModelNotProven.
    """
    identity.require(actor, "fraud_approve_rules")
    _need(reason)
    with use_case():
        version = _locked(version_id, ModelState.NOMINATED)
        if version.nominated_by_id == actor.pk:
            raise SameNominatorAndPromoter
        _try(version)
        comparison = compared(version, now=now)
        if comparison is not None and not despite.strip():
            _need_proof(comparison)
        _replace_champion(now)
        version.state = ModelState.CHAMPION
        version.promoted_by, version.promoted_at = actor, now
        version.save(update_fields=["state", "promoted_by", "promoted_at"])
        touch_ruleset(now=now)
        proof = {"comparison": comparison.pk if comparison else None, "despite": despite.strip()}
        _record(version, actor, "fraud.model_promoted", reason=reason, **proof)
    return version


def turn_down(*, actor: User, version_id: uuid.UUID, reason: str) -> ModelVersion:
    """Send a nominated model back among the challengers. Raises as `promote`."""
    identity.require(actor, "fraud_approve_rules")
    _need(reason)
    with use_case():
        version = _locked(version_id, ModelState.NOMINATED)
        version.state = ModelState.CHALLENGER
        version.nominated_by = version.nominated_at = None
        version.save(update_fields=["state", "nominated_by", "nominated_at"])
        _record(version, actor, "fraud.model_turned_down", reason=reason)
    return version


def roll_back(*, actor: User, reason: str, now: datetime) -> ModelVersion:
    """The champion before this one takes over again at once.

    It was promoted by two people then, so one is enough now. Raises PermissionMissing, ReasonMissing,
    ModelStateConflict when there is none, ModelUnusable.
    """
    identity.require(actor, "fraud_approve_rules")
    _need(reason)
    with use_case():
        _replace_champion(now)
        former = (
            ModelVersion.objects.select_for_update(of=("self",))
            .filter(state=ModelState.RETIRED, promoted_at__isnull=False, retired_at__lt=now)
            .order_by("-retired_at", "-number")
            .first()
        )
        if former is None:
            raise ModelStateConflict("There is no earlier champion to go back to.")
        _try(former)
        former.state = ModelState.CHAMPION
        former.save(update_fields=["state"])
        touch_ruleset(now=now)
        _record(former, actor, "fraud.model_rolled_back", reason=reason)
    return former


def _replace_champion(now: datetime) -> None:
    for former in ModelVersion.objects.select_for_update(of=("self",)).filter(state=ModelState.CHAMPION):
        former.state = ModelState.RETIRED
        former.retired_at = now
        former.save(update_fields=["state", "retired_at"])


def _locked(version_id: uuid.UUID, state: ModelState) -> ModelVersion:
    version = ModelVersion.objects.select_for_update(of=("self",)).filter(pk=version_id).first()
    if version is None:
        raise ModelNotFound
    if version.state != state:
        raise ModelStateConflict(data={"state": version.state})
    return version


def _try(version: ModelVersion) -> None:
    try:
        opened(version)
    except BrokenArtifact as error:
        logger.exception("model version cannot be opened", extra={"model": version.number})
        raise ModelUnusable(f"This model cannot be used: {error}.") from error


def _need_proof(comparison: ModelComparison) -> None:
    """Raises ModelNotProven with what is known."""
    if comparison.low is None or comparison.high is None:
        raise ModelNotProven(
            f"Only {comparison.frauds} frauds and {comparison.others} other payments have labels that neither model knew "
            f"and that are {MATURE.days} days old; {FEWEST_OF_EACH} of each are needed to compare. Say why it shall take over all the same."
        )
    if comparison.high < 0.0:
        raise ModelNotProven(
            f"On {comparison.frauds + comparison.others} labelled payments its average precision is lower than the champion's, "
            f"by {-comparison.high:.3f} to {-comparison.low:.3f}. Say why it shall take over all the same."
        )


def _need(reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing


def _record(version: ModelVersion, actor: User | None, action: str, *, reason: str = "", **data: Any) -> None:
    audit.record(
        actor=actor,
        action=action,
        subject_kind="fraud_model",
        subject_id=version.pk,
        reason=reason,
        data={"number": version.number, **data},
    )
