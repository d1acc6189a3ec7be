"""What challengers said while another model decided, and who decided before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from fraud.models import ModelState, ModelVersion, ShadowScore
from fraud.rules.facts import Outcome


@dataclass(frozen=True, slots=True)
class Shadowed:
    """`stops` went through and would have been held or refused; `lets_go` the other way round."""

    judged: int
    since: datetime | None
    stops: int
    lets_go: int


def shadows_of(version: ModelVersion) -> Shadowed:
    """All that this version said in shadow, beside what was decided."""
    would, did = Q(outcome=Outcome.APPROVED), Q(decision__outcome=Outcome.APPROVED)
    found = ShadowScore.objects.filter(version=version).aggregate(
        judged=Count("pk"),
        since=Min("decision__at"),
        stops=Count("pk", filter=did & ~would),
        lets_go=Count("pk", filter=would & ~did),
    )
    return Shadowed(**found)


def former_champion() -> ModelVersion | None:
    """The version that a roll-back would put in charge again."""
    former = ModelVersion.objects.filter(state=ModelState.RETIRED, promoted_at__isnull=False)
    return former.order_by("-retired_at", "-number").first()
