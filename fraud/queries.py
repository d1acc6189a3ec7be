"""Reads over fraud's own rows: the history behind the features, the live rules, and what analysts look at."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import OuterRef, Subquery

from fraud.models import (
    AnomalyModel,
    AnomalyScore,
    Case,
    CaseNote,
    CaseQuerySet,
    Decision,
    Rule,
    RuleState,
)
from fraud.rules.facts import Channel, Facts, TransferType
from fraud.rules.features import DAY, HOUR, MONTH, QUARTER, TEN_MINUTES, TRANSFERS, History
from identity.models import User
from identity.permissions import roles_with

# One round trip; every part walks an index that starts with the customer. The ruleset's token rides along.
_HISTORY = """
SELECT ruleset.token,
       recent.in_10min, recent.in_1hour, recent.in_24hour, recent.sent_1hour, recent.sent_24hour,
       settled.largest, settled.payments,
       payee.in_30days, payee.known,
       (SELECT max(at) FROM fraud_decision WHERE customer_id = %(customer)s AND at > %(day_90)s AND at <= %(at)s)
  FROM (SELECT (SELECT token FROM fraud_ruleset WHERE id = 1) AS token) AS ruleset,
       (SELECT count(*) FILTER (WHERE at > %(minute_10)s AND transfer_type IN %(transfers)s AND channel <> %(order)s) AS in_10min,
               count(*) FILTER (WHERE at > %(hour_1)s AND transfer_type IN %(transfers)s AND channel <> %(order)s) AS in_1hour,
               count(*) FILTER (WHERE transfer_type IN %(transfers)s AND channel <> %(order)s) AS in_24hour,
               coalesce(sum(amount_base_minor)
                   FILTER (WHERE at > %(hour_1)s AND transfer_type <> %(own)s), 0) AS sent_1hour,
               coalesce(sum(amount_base_minor) FILTER (WHERE transfer_type <> %(own)s), 0) AS sent_24hour
          FROM fraud_decision
         WHERE customer_id = %(customer)s AND at > %(hour_24)s AND at <= %(at)s) AS recent,
       (SELECT max(largest) AS largest, sum(payments) AS payments
          FROM (SELECT max(amount_base_minor) AS largest, count(*) AS payments
                  FROM fraud_decision
                 WHERE customer_id = %(customer)s AND at > %(day_90)s AND at <= %(at)s
                   AND outcome = 'APPROVED' AND transfer_type <> %(own)s
                UNION ALL
                SELECT max(amount_base_minor), count(*)
                  FROM fraud_case
                 WHERE customer_id = %(customer)s AND opened_at > %(day_90)s AND opened_at <= %(at)s
                   AND status = 'RELEASED' AND outcome = 'FLAGGED' AND transfer_type <> %(own)s) AS both_ways
       ) AS settled,
       (SELECT sum(payments) AS in_30days, bool_or(ever) AS known
          FROM (SELECT count(*) FILTER (WHERE at > %(day_30)s) AS payments, count(*) > 0 AS ever
                  FROM fraud_decision
                 WHERE customer_id = %(customer)s AND beneficiary_ref = %(payee)s AND at <= %(at)s
                   AND outcome = 'APPROVED'
                UNION ALL
                SELECT count(*) FILTER (WHERE opened_at > %(day_30)s), count(*) > 0
                  FROM fraud_case
                 WHERE customer_id = %(customer)s AND beneficiary_ref = %(payee)s AND opened_at <= %(at)s
                   AND status = 'RELEASED' AND outcome = 'FLAGGED') AS both_ways) AS payee
"""


@dataclass(frozen=True, slots=True)
class Known:
    """The customer's history, and the token of the rules that are live at this moment (None before the first)."""

    history: History
    ruleset_token: uuid.UUID | None


def history_for(facts: Facts) -> Known:
    """What this customer did before, up to `facts.at`; one query."""
    at = facts.at
    with connection.cursor() as cursor:
        cursor.execute(
            _HISTORY,
            {
                "customer": facts.customer_id,
                "payee": facts.beneficiary_ref,
                "at": at,
                "minute_10": at - TEN_MINUTES,
                "hour_1": at - HOUR,
                "hour_24": at - DAY,
                "day_30": at - MONTH,
                "day_90": at - QUARTER,
                "transfers": tuple(kind.value for kind in TRANSFERS),
                "own": TransferType.OWN.value,
                "order": Channel.ORDER.value,
            },
        )
        row = cursor.fetchone()
    token, in_10min, in_1hour, in_24hour, sent_1hour, sent_24hour, largest, payments, in_30days, known, last_at = row
    history = History(
        transfers_10min=in_10min,
        transfers_1hour=in_1hour,
        transfers_24hour=in_24hour,
        sent_1hour_minor=int(sent_1hour),
        sent_24hour_minor=int(sent_24hour),
        max_90d_minor=largest,
        approved_90d=int(payments),
        beneficiary_30d=int(in_30days),
        beneficiary_known=known,
        last_at=last_at,
    )
    return Known(history, token)


def live_rules() -> list[Rule]:
    """Every live rule by code."""
    return list(Rule.objects.filter(state=RuleState.LIVE).order_by("code", "id"))


def max_amount_90d(*, customer_id: uuid.UUID, at: datetime) -> int | None:
    """Largest approved or released amount to others in the 90 days up to `at`, in base minor units."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT max(largest) FROM (
                SELECT max(amount_base_minor) AS largest FROM fraud_decision
                 WHERE customer_id = %(customer)s AND at > %(since)s AND at <= %(at)s
                   AND outcome = 'APPROVED' AND transfer_type <> %(own)s
                UNION ALL
                SELECT max(amount_base_minor) FROM fraud_case
                 WHERE customer_id = %(customer)s AND opened_at > %(since)s AND opened_at <= %(at)s
                   AND status = 'RELEASED' AND outcome = 'FLAGGED' AND transfer_type <> %(own)s) AS both_ways
            """,
            {"customer": customer_id, "at": at, "since": at - QUARTER, "own": TransferType.OWN.value},
        )
        largest: int | None = cursor.fetchone()[0]
    return largest


def feature_vectors(*, since: datetime, until: datetime, schema_hash: str, limit: int) -> list[dict[str, Any]]:
    """Stored vectors decided in `(since, until]`, the latest `limit` of them."""
    found = Decision.objects.filter(at__gt=since, at__lte=until, schema_hash=schema_hash)
    return list(found.order_by("-at", "-id").values_list("features", flat=True)[:limit])


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
        largest_90d_minor=max_amount_90d(customer_id=case.customer_id, at=decision.at),
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
