"""What people switch while the engine runs: features, layers, thresholds. Each change is kept and audited."""

from __future__ import annotations

import uuid
from datetime import datetime

from audit import services as audit
from common.db import use_case, use_case_or_part
from common.errors import Invalid
from fraud.errors import BacktestNotFound, BacktestUnfinished, ReasonMissing, UnknownFeature, UnknownSwitch
from fraud.models import (
    AlertBudgetConfig,
    Backtest,
    BacktestKind,
    FeaturesConfig,
    ModelVersionConfig,
    ThresholdConfig,
)
from fraud.rules.features import VECTOR_FEATURES
from fraud.rules.learning.layers import KINDS
from fraud.services.ruleset import touch_ruleset
from identity import services as identity
from identity.models import User

HIGHEST_SHARE = 0.2


def switch_feature(*, actor: User, name: str, enabled: bool, reason: str, now: datetime) -> FeaturesConfig:
    """A feature switched off is unknown to rules and layers from the next payment on.

    Raises PermissionMissing, UnknownFeature, ReasonMissing.
    """
    identity.require(actor, "fraud_switch")
    if name not in VECTOR_FEATURES:
        raise UnknownFeature(field="name")
    _need(reason)
    with use_case_or_part():
        change = FeaturesConfig.objects.create(
            name=name, enabled=enabled, reason=reason.strip(), changed_by=actor, changed_at=now
        )
        _announce(actor, f"fraud.feature_{'enabled' if enabled else 'disabled'}", name, reason, now)
    return change


def switch_layer(*, actor: User, layer: str, enabled: bool, reason: str, now: datetime) -> ModelVersionConfig:
    """A layer switched off says nothing from the next payment on; rules are retired one by one instead.

    Raises PermissionMissing, UnknownSwitch, ReasonMissing.
    """
    identity.require(actor, "fraud_switch")
    if layer not in KINDS:
        raise UnknownSwitch(field="layer")
    _need(reason)
    with use_case():
        change = ModelVersionConfig.objects.create(
            layer=layer, enabled=enabled, reason=reason.strip(), changed_by=actor, changed_at=now
        )
        _announce(actor, f"fraud.layer_{'enabled' if enabled else 'disabled'}", layer, reason, now)
    return change


def set_thresholds(*, actor: User, flag_at: float, block_at: float, reason: str, now: datetime) -> ThresholdConfig:
    """From which score the models' word flags and blocks. Raises PermissionMissing, Invalid, ReasonMissing."""
    identity.require(actor, "fraud_switch")
    if not 0.0 < flag_at < block_at <= 1.0:
        raise Invalid("Flag from a score above 0, and block from a higher one up to 1.", field="flag_at")
    _need(reason)
    with use_case():
        change = ThresholdConfig.objects.create(
            flag_at=flag_at, block_at=block_at, reason=reason.strip(), changed_by=actor, changed_at=now
        )
        _announce(actor, "fraud.thresholds_set", str(change), reason, now)
    return change


def set_budget(
    *, actor: User, flagged_share: float, blocked_share: float, reason: str, now: datetime
) -> AlertBudgetConfig:
    """The shares of traffic that models may hold and refuse, from 0 to 1; thresholds follow with the next recalibration.

    Raises PermissionMissing, Invalid, ReasonMissing.
    """
    identity.require(actor, "fraud_approve_rules")
    if not 0.0 < blocked_share < flagged_share <= HIGHEST_SHARE:
        raise Invalid(
            f"Refuse a share above 0, and hold a larger one of at most {HIGHEST_SHARE:.0%}.", field="flagged_share"
        )
    _need(reason)
    with use_case():
        change = AlertBudgetConfig.objects.create(
            flagged_share=flagged_share,
            blocked_share=blocked_share,
            reason=reason.strip(),
            changed_by=actor,
            changed_at=now,
        )
        _announce(actor, "fraud.budget_set", str(change), reason, now)
    return change


def use_thresholds(*, actor: User, backtest_id: uuid.UUID, reason: str, now: datetime) -> ThresholdConfig:
    """Set the thresholds that a finished backtest tried.

    Raises PermissionMissing, BacktestNotFound, BacktestUnfinished, ReasonMissing.
    """
    identity.require(actor, "fraud_switch")
    tried = Backtest.objects.filter(pk=backtest_id, kind=BacktestKind.THRESHOLDS).first()
    if tried is None or tried.flag_at is None or tried.block_at is None:
        raise BacktestNotFound
    if tried.finished_at is None or tried.error:
        raise BacktestUnfinished
    return set_thresholds(actor=actor, flag_at=tried.flag_at, block_at=tried.block_at, reason=reason, now=now)


def _announce(actor: User, action: str, what: str, reason: str, now: datetime) -> None:
    touch_ruleset(now=now)
    audit.record(
        actor=actor, action=action, subject_kind="fraud_switch", subject_id=what, reason=reason, data={"switch": what}
    )


def _need(reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing
