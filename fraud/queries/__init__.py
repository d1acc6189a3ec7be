"""Reads over fraud's own rows: the live rules, what was learnt from, and what analysts look at."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, OuterRef, Subquery

from fraud.models import (
    AnomalyModel,
    AnomalyScore,
    Case,
    CaseNote,
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
from identity.models import User
from identity.permissions import roles_with


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
) -> Iterator[tuple[datetime, dict[str, Any], bool | None]]:
    """Moment, vector and label of the latest decisions in `(since, until]`, in order of time.

    A label counts when it was known by `until`; None without one.
    """
    known = Label.objects.filter(decision=OuterRef("pk"), labelled_at__lte=until).values("is_fraud")[:1]
    found = Decision.objects.filter(at__gt=since, at__lte=until, schema_hash=schema_hash)
    latest = found.order_by("-at", "-pk").values_list("pk", flat=True)[:limit]
    ordered = Decision.objects.filter(pk__in=latest).annotate(known=Subquery(known)).order_by("at", "pk")
    return ordered.values_list("at", "features", "known").iterator(chunk_size=5000)


def unscored_decisions(*, since: datetime, schema_hash: str, limit: int) -> list[Decision]:
    """Decisions after `since` without an anomaly score, latest first, so that an open case gets its score soon."""
    found = Decision.objects.filter(at__gt=since, schema_hash=schema_hash, anomaly__isnull=True)
    return list(found.order_by("-at", "-id")[:limit])


def newest_anomaly_models(*, schema_hash: str, limit: int) -> list[AnomalyModel]:
    return list(AnomalyModel.objects.filter(schema_hash=schema_hash).order_by("-fitted_at", "-id")[:limit])


def case_queue() -> CaseQuerySet:
    """Cases with what their list shows, open ones first; the customer's name comes along as `customer_name`."""
    name = User.objects.filter(public_id=OuterRef("customer_id")).values("full_name")[:1]
    cases = Case.objects.select_related("decision", "assigned_to").annotate(customer_name=Subquery(name))
    return cases.open_first()


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
        open=cases.filter(status=Case.Status.OPEN).count(),
        declined=cases.filter(status=Case.Status.DECLINED, opened_at__gt=since).count(),
    )


def customer_of(customer_id: uuid.UUID) -> User | None:
    """The bank's own customer behind a public id; None for customers of an outside gateway."""
    return User.objects.filter(public_id=customer_id).first()


@dataclass(frozen=True, slots=True)
class CaseFile:
    """What an analyst looks at beside the payment itself."""

    customer: User | None
    recent: list[Decision]
    largest_90d_minor: int | None
    earlier_cases: list[Case]
    notes: list[CaseNote]
    anomaly: AnomalyScore | None


def case_file(case: Case) -> CaseFile:
    """The customer's last decisions up to the case's, largest amount, other cases, notes and anomaly score."""
    decision = case.decision
    recent = Decision.objects.filter(customer_id=case.customer_id, at__lte=decision.at).exclude(pk=decision.pk)
    others = Case.objects.filter(customer_id=case.customer_id).exclude(pk=case.pk).select_related("decision")
    return CaseFile(
        customer=customer_of(case.customer_id),
        recent=list(recent.order_by("-at", "-id")[:15]),
        largest_90d_minor=decision.features.get("max_amount_90d"),
        earlier_cases=list(others.order_by("-opened_at", "-id")[:10]),
        notes=list(case.notes.select_related("author").order_by("at", "id")),
        anomaly=AnomalyScore.objects.filter(decision_id=decision.pk).first(),
    )


def officers() -> list[User]:
    """Everybody who may decide a case, by name."""
    roles = roles_with("fraud_decide")
    found = User.objects.filter(is_active=True, is_staff=True, groups__name__in=roles).distinct()
    return list(found.order_by("full_name", "pk"))


def rule_names() -> dict[str, str]:
    """The name of each rule's latest version, by code."""
    return dict(Rule.objects.order_by("code", "version", "id").values_list("code", "name"))


def versions_of(rule: Rule) -> list[Rule]:
    """All versions of a rule, newest first."""
    found = Rule.objects.filter(code=rule.code).select_related("maker", "checker")
    return list(found.order_by("-version", "id"))
