"""From an application to a verdict: means, score, signals, policy; everything it looked at is kept with the decision."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts import queries as accounts
from common.db import require_transaction
from loans import queries
from loans.models import Application, Policy
from loans.queries import means
from loans.rules import deciding, offering, scoring
from loans.rules.income import Affordability
from loans.rules.scoring import Score


@dataclass(frozen=True, slots=True)
class Assessment:
    """What is known about an application at a moment, and what the policy makes of it."""

    affordability: Affordability
    score: Score
    verdict: deciding.Verdict
    rate: Decimal
    policy: Policy
    inputs: dict[str, Any]


def assess(application: Application, *, now: datetime) -> Assessment:
    """Look at everything now; writes nothing. The instalment counted is that of the offered rate of this very score."""
    require_transaction()
    product, customer = application.product, application.customer
    policy = queries.policy()
    relation = means.relation_of(customer, currency=application.currency, now=now)
    so_far = means.loans_so_far(customer, currency=application.currency, now=now)
    # The score depends on the instalment and the rate on the score: the instalment of the highest rate decides both.
    highest = queries.rate_span(product)[1]
    affordability = Affordability(
        declared_income_minor=application.income_minor or 0,
        seen_income_minor=relation.means.income_minor,
        declared_obligations_minor=application.obligations_minor or 0,
        seen_obligations_minor=relation.means.payments_minor,
        loan_instalments_minor=so_far.instalments_minor,
        instalment_minor=_instalment(application, highest, now),
    )
    facts = scoring.Facts(
        affordability=affordability,
        income_months=relation.means.income_months,
        employment=application.employment,
        months_with_us=relation.months_with_us,
        balance_minor=relation.balance_minor,
        overdrawn_days=relation.overdrawn_days,
        worst_days_late=so_far.worst_days_late,
    )
    score = scoring.score(facts)
    signals = means.signals_of(
        customer,
        days_late_now=so_far.days_late_now,
        amount_base_minor=accounts.to_base(application.amount),
        now=now,
    )
    verdict = deciding.decide(score=score, affordability=affordability, signals=signals, limits=_limits(policy))
    rate = offering.rate_for(score.total, base=product.annual_rate, bands=queries.rates_of(product))
    return Assessment(
        affordability=affordability,
        score=score,
        verdict=verdict,
        rate=rate,
        policy=policy,
        inputs=_inputs(facts, relation, signals, score, policy, rate),
    )


def _instalment(application: Application, rate: Decimal, now: datetime) -> int:
    """What the usual instalment comes to in a month."""
    fields = queries.wished_terms(application, rate)
    offer = queries.offer_of(offering.terms_on(fields, now.date()))
    return offer.rhythm.monthly(offer.instalment.amount_minor)


def _limits(policy: Policy) -> deciding.Limits:
    return deciding.Limits(
        approve_from_score=policy.approve_from_score,
        refer_from_score=policy.refer_from_score,
        approve_up_to_minor=policy.approve_up_to_minor,
        approve_up_to_burden=policy.approve_up_to_burden,
        decline_above_burden=policy.decline_above_burden,
    )


def _inputs(
    facts: scoring.Facts,
    relation: means.Relation,
    signals: deciding.Signals,
    score: Score,
    policy: Policy,
    rate: Decimal,
) -> dict[str, Any]:
    """JSON-safe: figures in minor units, as they stood."""
    affordability = facts.affordability
    return {
        "affordability": {
            **asdict(affordability),
            "income_minor": affordability.income_minor,
            "obligations_minor": affordability.obligations_minor,
            "burden_percent": affordability.burden_percent,
        },
        "income": [asdict(found) for found in relation.means.income],
        "payments": [asdict(found) for found in relation.means.payments],
        "relation": {
            "months_with_us": relation.months_with_us,
            "balance_minor": relation.balance_minor,
            "overdrawn_days": relation.overdrawn_days,
            "worst_days_late": facts.worst_days_late,
        },
        "signals": asdict(signals),
        "score": {
            "version": score.version,
            "total": score.total,
            "lines": [
                {"code": line.code, "label": line.label, "points": line.points, "most": line.most}
                for line in score.lines
            ],
        },
        "policy": policy.version,
        "rate": str(rate),
    }
