"""A share of approved payments is looked at, too, so that labels are not only about what was flagged."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import BigIntegerField, Func

from common.db import lock_advisory, use_case
from fraud.models import Case, Decision, Label
from fraud.queries import desk
from fraud.rules.desk import SAMPLED, sample_limit
from fraud.rules.facts import Outcome
from fraud.services.dossiers import record
from fraud.services.opening import open_case

LOOK_BACK = timedelta(days=2)
MOST_AT_ONCE = 500
# Advisory locks live in one space for the whole database; this number is the sample's.
_LOCK = 4602


class SampleNumber(Func):
    """`rules.desk.sample_number` of an id, computed by the database."""

    template = "('x' || substr(md5((%(expressions)s)::text), 1, 8))::bit(32)::bigint"
    output_field = BigIntegerField()


def draw_sample(*, now: datetime) -> int:
    """Open a case about each approved payment of the last two days whose number lies in the sample.

    Holds no money: the payment is done. Safe to run twice, also at once. Returns how many were drawn.
    """
    below = sample_limit(desk.desk_settings().sample_share)
    recent = Decision.objects.filter(at__gt=now - LOOK_BACK, at__lte=now, outcome=Outcome.APPROVED)
    drawn = recent.annotate(number=SampleNumber("id")).filter(number__lt=below, case__isnull=True, label__isnull=True)
    return sum(_open(decision) for decision in drawn.order_by("at", "id")[:MOST_AT_ONCE])


def lock_sample() -> None:
    """Whoever labels a payment without a case takes this, so that nobody opens one meanwhile. Raises NoTransaction."""
    lock_advisory(namespace=_LOCK, key=0)


def _open(decision: Decision) -> bool:
    with use_case():
        lock_sample()
        if Case.objects.filter(decision=decision).exists() or Label.objects.filter(decision=decision).exists():
            return False
        open_case(decision=decision, outcome=SAMPLED, codes=[SAMPLED], score=decision.score)
        record(Case.objects.get(decision=decision), None, "fraud.case_sampled")
    return True
