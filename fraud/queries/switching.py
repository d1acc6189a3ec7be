"""What people left on and off in the engine, who did it last, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fraud.models import AlertBudgetConfig, FeaturesConfig, ModelVersionConfig, ThresholdConfig
from fraud.models.registry import ConfigChange
from fraud.rules.features import VECTOR_FEATURES
from fraud.rules.learning.layers import KINDS


@dataclass(frozen=True, slots=True)
class Switch:
    """`change` is the latest, None for what nobody ever touched."""

    name: str
    enabled: bool
    change: ConfigChange | None


def features() -> list[Switch]:
    """Every feature of the vector, in its order."""
    latest = FeaturesConfig.objects.select_related("changed_by").order_by("name", "-pk").distinct("name")
    return _switches(VECTOR_FEATURES, {row.name: row for row in latest})


def layers() -> list[Switch]:
    """Every layer that can be switched, in the order in which they are asked."""
    latest = ModelVersionConfig.objects.select_related("changed_by").order_by("layer", "-pk").distinct("layer")
    return _switches([str(name) for name in KINDS], {row.layer: row for row in latest})


def _switches(names: Iterable[str], latest: dict[str, FeaturesConfig] | dict[str, ModelVersionConfig]) -> list[Switch]:
    found = []
    for name in names:
        change = latest.get(name)
        found.append(Switch(name, change is None or change.enabled, change))
    return found


def threshold_changes(*, limit: int = 5) -> list[ThresholdConfig]:
    """The latest thresholds, newest first."""
    return list(ThresholdConfig.objects.select_related("changed_by").order_by("-pk")[:limit])


def latest_budget() -> AlertBudgetConfig | None:
    """The shares of traffic that people set last."""
    return AlertBudgetConfig.objects.order_by("-pk").first()
