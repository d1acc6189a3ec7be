"""Reads over fraud's own rows: the live rules, what was learnt from, and what analysts look at."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, OuterRef, Subquery

from fraud.models import (
    AlertBudgetConfig,
    AnomalyModel,
    Case,
    CaseQuerySet,
    Decision,
    FeaturesConfig,
    Label,
    ModelVersion,
    ModelVersionConfig,
    Rule,
    RuleState,
    ThresholdConfig,
)
from fraud.rules.deciding import Thresholds
from fraud.rules.desk import SAMPLED
from fraud.rules.learning.stack import Budget
from identity.models import User


def asked_rules() -> list[Rule]:
    """Every rule that is asked about payments, live or in shadow, by code."""
    return list(Rule.objects.filter(state__in=[RuleState.LIVE, RuleState.SHADOW]).order_by("code", "id"))


@dataclass(frozen=True, slots=True)
class Switches:
    """What people left switched off, and the thresholds they set last."""

    features_off: frozenset[str]
    layers_off: frozenset[str]
    thresholds: Thresholds


def switches() -> Switches:
    """The latest row of each switch."""
    features = FeaturesConfig.objects.order_by("name", "-pk").distinct("name").values_list("name", "enabled")
    layers = ModelVersionConfig.objects.order_by("layer", "-pk").distinct("layer").values_list("layer", "enabled")
    latest = ThresholdConfig.objects.order_by("-pk").first()
    return Switches(
        features_off=frozenset(name for name, enabled in features if not enabled),
        layers_off=frozenset(layer for layer, enabled in layers if not enabled),
        thresholds=Thresholds(latest.flag_at, latest.block_at) if latest else Thresholds(),
    )


def budget() -> Budget:
    """The alert budget that was set last."""
    latest = AlertBudgetConfig.objects.order_by("-pk").first()
    return Budget(flagged=latest.flagged_share, blocked=latest.blocked_share) if latest else Budget()


def champions() -> list[ModelVersion]:
    """The champion and, behind it, the last three before it; nothing before the first promotion."""
    found = ModelVersion.objects.filter(promoted_at__isnull=False, state__in=["CHAMPION", "RETIRED"])
    return list(found.order_by("state", F("retired_at").desc(nulls_first=True), "-number")[:4])


def feature_vectors(*, since: datetime, until: datetime, schema_hash: str, limit: int) -> list[dict[str, Any]]:
    """Stored vectors decided in `(since, until]`, the latest `limit` of them."""
    found = Decision.objects.filter(at__gt=since, at__lte=until, schema_hash=schema_hash)
    return list(found.order_by("-at", "-id").values_list("features", flat=True)[:limit])


def learnable(
    *, since: datetime, until: datetime, schema_hash: str, limit: int
) -> Iterator[tuple[datetime, dict[str, Any], bool | None, str | None]]:
    """Moment, vector, label and kind of fraud of the latest decisions in `(since, until]`, in order of time.

    A label counts when it was known by `until`; None without one.
    """
    known = Label.objects.filter(decision=OuterRef("pk"), labelled_at__lte=until)
    found = Decision.objects.filter(at__gt=since, at__lte=until, schema_hash=schema_hash)
    latest = found.order_by("-at", "-pk").values_list("pk", flat=True)[:limit]
    ordered = Decision.objects.filter(pk__in=latest).order_by("at", "pk")
    told = ordered.annotate(known=Subquery(known.values("is_fraud")[:1]), kind=Subquery(known.values("kind")[:1]))
    return told.values_list("at", "features", "known", "kind").iterator(chunk_size=5000)


def labelled(
    *, since: datetime, until: datetime, known_by: datetime, schema_hash: str, limit: int
) -> list[tuple[dict[str, Any], bool]]:
    """Vector and label of the latest decisions in `(since, until]` whose label was known by `known_by`."""
    found = Label.objects.filter(
        decision__at__gt=since, decision__at__lte=until, decision__schema_hash=schema_hash, labelled_at__lte=known_by
    )
    return list(found.order_by("-decision__at", "-pk").values_list("decision__features", "is_fraud")[:limit])


def unscored_decisions(*, since: datetime, schema_hash: str, limit: int) -> list[Decision]:
    """Decisions after `since` without an anomaly score, latest first, so that an open case gets its score soon."""
    found = Decision.objects.filter(at__gt=since, schema_hash=schema_hash, anomaly__isnull=True)
    return list(found.order_by("-at", "-id")[:limit])


def newest_anomaly_models(*, schema_hash: str, limit: int) -> list[AnomalyModel]:
    return list(AnomalyModel.objects.filter(schema_hash=schema_hash).order_by("-fitted_at", "-id")[:limit])


def case_queue() -> CaseQuerySet:
    """Cases with what their list shows, open ones first.

    The customer's name comes along as `customer_name`, the open cases of the dossier as `open_together`.
    """
    name = User.objects.filter(public_id=OuterRef("customer_id")).values("full_name")[:1]
    together = Case.objects.filter(dossier=OuterRef("dossier"), status=Case.Status.OPEN).order_by()
    counted = together.values("dossier").annotate(count=Count("pk")).values("count")
    cases = Case.objects.select_related("decision", "dossier__assigned_to")
    return cases.annotate(customer_name=Subquery(name), open_together=Subquery(counted)).open_first()


def case_about(*, subject_kind: str, subject_id: uuid.UUID) -> uuid.UUID | None:
    """The case of a payment; None when nobody had to look at it."""
    cases = Case.objects.filter(subject_kind=subject_kind, subject_id=subject_id).order_by("-opened_at", "id")
    return cases.values_list("pk", flat=True).first()


@dataclass(frozen=True, slots=True)
class Suspicions:
    """How many cases about a customer are open, and how many were declined."""

    open: int
    declined: int


def suspicions_of(*, customer_id: uuid.UUID, since: datetime) -> Suspicions:
    """The customer's cases: those open now, and those declined that were opened after `since`."""
    cases = Case.objects.filter(customer_id=customer_id)
    return Suspicions(
        # To be drawn by lot is no suspicion.
        open=cases.filter(status=Case.Status.OPEN).exclude(outcome=SAMPLED).count(),
        declined=cases.filter(status=Case.Status.DECLINED, opened_at__gt=since).count(),
    )


def customer_of(customer_id: uuid.UUID) -> User | None:
    """The bank's own customer behind a public id; None for customers of an outside gateway."""
    return User.objects.filter(public_id=customer_id).first()


def rule_names() -> dict[str, str]:
    """The name of each rule's latest version, by code."""
    return dict(Rule.objects.order_by("code", "version", "id").values_list("code", "name"))


def versions_of(rule: Rule) -> list[Rule]:
    """All versions of a rule, newest first."""
    found = Rule.objects.filter(code=rule.code).select_related("maker", "checker")
    return list(found.order_by("-version", "id"))
