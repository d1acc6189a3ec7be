"""How the engine is set up now: the model in charge, its layers, the features and their switches."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from fraud.errors import BacktestNotFound, RuleNotFound
from fraud.models import Backtest, ModelState, ModelVersion, Rule, RuleState
from fraud.queries import switches
from fraud.rules.deciding import Thresholds
from fraud.rules.features import ENTITY_FEATURES, FEATURES, SCHEMA_HASH, VECTOR_FEATURES, Feature


@dataclass(frozen=True, slots=True)
class LayerState:
    name: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class ModelInCharge:
    """The champion's manifest as far as others may read it; without a champion only rules, thresholds and schema."""

    number: int | None
    promoted_at: datetime | None
    window: list[str]
    label_cut_off: str | None
    rows: int | None
    metrics: dict[str, Any]
    libraries: dict[str, str]
    layers: list[LayerState]
    thresholds: Thresholds
    schema_hash: str
    live_rules: list[str]


@dataclass(frozen=True, slots=True)
class FeatureState:
    feature: Feature
    group: str
    enabled: bool


def model_in_charge() -> ModelInCharge:
    """What decides now."""
    champion = ModelVersion.objects.filter(state=ModelState.CHAMPION).first()
    manifest: dict[str, Any] = json.loads(champion.manifest) if champion else {}
    set_now = switches()
    return ModelInCharge(
        number=champion.number if champion else None,
        promoted_at=champion.promoted_at if champion else None,
        window=manifest.get("window", []),
        label_cut_off=manifest.get("label_cut_off"),
        rows=manifest.get("rows"),
        metrics=manifest.get("metrics", {}),
        libraries=manifest.get("libraries", {}),
        layers=[LayerState(name, name not in set_now.layers_off) for name in manifest.get("layers", {})],
        thresholds=set_now.thresholds,
        schema_hash=SCHEMA_HASH,
        live_rules=list(Rule.objects.filter(state=RuleState.LIVE).order_by("code").values_list("code", flat=True)),
    )


def feature_states() -> list[FeatureState]:
    """Every feature that can be switched, in the order of the vector."""
    off = switches().features_off
    return [
        FeatureState(FEATURES[name], "entity" if name in ENTITY_FEATURES else "model", name not in off)
        for name in VECTOR_FEATURES
    ]


def rules(*, state: str = "") -> QuerySet[Rule]:
    """Rules with all their versions, by code, the newest version first; `state` leaves only those."""
    found = Rule.objects.order_by("code", "-version", "id")
    return found.filter(state=state) if state else found


def get_rule(*, rule_id: uuid.UUID) -> Rule:
    """Raises RuleNotFound."""
    rule = Rule.objects.filter(pk=rule_id).first()
    if rule is None:
        raise RuleNotFound
    return rule


def backtests_of(*, rule_id: uuid.UUID) -> QuerySet[Backtest]:
    """What was tried with a rule, the latest first. Raises RuleNotFound."""
    return Backtest.objects.filter(rule=get_rule(rule_id=rule_id)).order_by("-requested_at", "pk")


def get_backtest(*, rule_id: uuid.UUID, backtest_id: uuid.UUID) -> Backtest:
    """Raises BacktestNotFound."""
    asked = Backtest.objects.filter(pk=backtest_id, rule_id=rule_id).first()
    if asked is None:
        raise BacktestNotFound
    return asked
