"""Money that arrived: what is known around a credit, and what waits for a person."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from django.db import connection
from django.db.models import Exists, Model, OuterRef, QuerySet

from fraud.models import CreditScore
from fraud.rules.credits import DAY, MONTH, WEEK, Around, Credit
from fraud.rules.entities import key_of
from fraud.rules.facts import SUSPICIOUS_FROM

Row = TypeVar("Row", bound=Model)
# A credit nobody looked at for so long waits no more.
WAITS_FOR = MONTH
# Each part by an index, and within 31 days: credits by account, what left by customer, frauds by the account as a payee.
_AROUND = """
SELECT count(DISTINCT c.payer_ref) FILTER (WHERE c.at > %(day)s), count(*) FILTER (WHERE c.at > %(week)s),
       coalesce(sum(c.amount_base_minor) FILTER (WHERE c.at > %(day)s), 0)::bigint,
       coalesce(sum(c.amount_base_minor) FILTER (WHERE c.at > %(week)s), 0)::bigint,
       coalesce(sum(c.amount_base_minor) FILTER (WHERE c.at <= %(day)s), 0)::bigint,
       coalesce(bool_or(c.payer_ref = %(payer)s AND c.at > %(day)s), false),
       (SELECT coalesce(sum(a.settled_minor), 0)::bigint FROM fraud_activity a
         WHERE a.customer_id = %(customer)s AND a.at > %(week)s AND a.at <= %(at)s AND a.account_ref = %(account)s),
       (SELECT count(*) FROM fraud_entityreport r
         WHERE r.key = %(payee)s AND r.is_fraud AND r.known_at > %(month)s AND r.known_at <= %(known)s)
  FROM fraud_creditscore c
 WHERE c.account_ref = %(account)s AND c.at > %(day)s - interval '30 days' AND c.at <= %(at)s
"""


def around(credit: Credit, *, now: datetime) -> Around:
    """Labels count as far as they are known `now`; the credit itself is added to what is stored."""
    own = credit.amount_base_minor or 0
    with connection.cursor() as cursor:
        cursor.execute(
            _AROUND,
            {
                "customer": credit.customer_id,
                "account": credit.account_ref,
                "payee": key_of("beneficiary", str(credit.account_ref)),
                "payer": credit.payer_ref,
                "at": credit.at,
                "known": now,
                "day": credit.at - DAY,
                "week": credit.at - WEEK,
                "month": credit.at - MONTH,
            },
        )
        payers, credits_week, day, week, before, is_known, sent, frauds = cursor.fetchone()
    return Around(payers + (not is_known), credits_week + 1, day + own, week + own, before, sent, frauds)


def is_scored(credit: Credit) -> bool:
    return CreditScore.objects.filter(subject_kind=credit.subject_kind, subject_id=credit.subject_id).exists()


def without_score(subjects: QuerySet[Row], *, subject_kind: str) -> QuerySet[Row]:
    """Those of an owner's rows whose credit has no score yet."""
    done = CreditScore.objects.filter(subject_kind=subject_kind, subject_id=OuterRef("pk"))
    return subjects.filter(~Exists(done))


def credits_to_review(*, now: datetime) -> QuerySet[CreditScore]:
    """Suspicious ones of the last month that nobody looked at."""
    return CreditScore.objects.filter(score__gte=SUSPICIOUS_FROM, at__gt=now - WAITS_FOR, review__isnull=True)
