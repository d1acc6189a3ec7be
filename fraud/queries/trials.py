"""What a rule did on the past and in shadow, for whoever decides about it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from fraud.models import Backtest, Decision, Rule, RuleState, SilentHit, SilentWhy
from fraud.rules.facts import Outcome

SHOWN = 10


def backtests_of(rule: Rule) -> list[Backtest]:
    """The latest backtests of a version, newest first."""
    found = Backtest.objects.filter(rule=rule).select_related("requested_by")
    return list(found.order_by("-requested_at", "-pk")[:SHOWN])


@dataclass(frozen=True, slots=True)
class Shadowed:
    """Since the version went into shadow: payments asked about, hits, and what became of those hits."""

    asked: int
    hits: int
    stopped_anyway: int
    fraud: int
    honest: int
    latest: list[SilentHit]

    @property
    def went_through(self) -> int:
        return self.hits - self.stopped_anyway


def shadow_of(rule: Rule) -> Shadowed | None:
    """None for a version that was never in shadow."""
    if rule.shadow_at is None:
        return None
    asked = Decision.objects.filter(at__gte=rule.shadow_at).exclude(schema_hash="")
    until = rule.live_at or rule.retired_at
    if until is not None:
        asked = asked.filter(at__lt=until)
    hits = SilentHit.objects.filter(rule=rule, why=SilentWhy.SHADOW, decision__at__gte=rule.shadow_at)
    counts = hits.aggregate(
        hits=Count("pk"),
        stopped_anyway=Count("pk", filter=~Q(decision__outcome=Outcome.APPROVED)),
        fraud=Count("pk", filter=Q(decision__label__is_fraud=True)),
        honest=Count("pk", filter=Q(decision__label__is_fraud=False)),
    )
    latest = list(hits.select_related("decision").order_by("-pk")[:SHOWN])
    return Shadowed(asked=asked.count(), latest=latest, **counts)


def silent_hits_of(decision: Decision) -> list[SilentHit]:
    """What hit a payment and decided nothing."""
    return list(decision.silent_hits.select_related("rule").order_by("rule__code", "pk"))


def live_count(rule: Rule) -> int:
    """How many payments a live version stopped since it went live, alone or with others."""
    if rule.state != RuleState.LIVE or rule.live_at is None:
        return 0
    stopped = Decision.objects.filter(at__gte=rule.live_at).exclude(outcome=Outcome.APPROVED)
    return stopped.filter(reasons__contains=[{"code": rule.code}]).count()
