"""From what rules and layers say about one payment to one decision, with reasons a person understands. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fraud.rules.facts import CRITICAL_FROM, SUSPICIOUS_FROM, Confidence, Outcome, Reason
from fraud.rules.features import FEATURES, MODEL_FEATURES, VECTOR_FEATURES, Vector
from fraud.rules.judging import BLOCKED_SCORE, HIGHEST_FLAGGED, Judgement
from fraud.rules.learning.layers import UNSUPERVISED, LayerName
from fraud.rules.learning.stack import Stack, scores
from fraud.rules.learning.trees import Floats
from fraud.rules.wording import show

MOST_CONTRIBUTIONS = 3
TEXTS: Mapping[LayerName, str] = {
    LayerName.SUPERVISED: "This payment resembles others that turned out to be fraud.",
    LayerName.ISOLATION_FOREST: "This payment differs from what we usually see.",
    LayerName.ONE_CLASS_SVM: "This payment lies outside what we usually see.",
    LayerName.AUTOENCODER: "This payment does not follow the pattern of your usual ones.",
}
MODEL_MISSING = Reason(
    "MODEL_MISSING",
    "We could not check this payment fully, so a person does.",
    "The model in charge could not be opened.",
)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores from which the models' word flags and blocks; only the supervised layer may block."""

    flag_at: float = SUSPICIOUS_FROM
    block_at: float = CRITICAL_FROM


@dataclass(frozen=True, slots=True)
class Decided:
    """`layers` by name from 0 to 1; `agreement_percent` is the share of them on the decision's side."""

    outcome: Outcome
    score: float
    reasons: tuple[Reason, ...]
    layers: Mapping[str, float]
    primary_method: str
    confidence: Confidence | None
    agreement_percent: int | None


def decide(
    *, judgement: Judgement, stack: Stack, row: Sequence[float], vector: Vector, thresholds: Thresholds, currency: str
) -> Decided:
    """Rules first, then the supervised layer, then the layers without labels, which may flag but never block.

    A score is what its thresholds make of it: 0.5 where flagging begins, 0.8 where blocking does.
    """
    cells = np.array([row], dtype=np.float64)
    [decided] = decide_many(
        judgements=[judgement], stack=stack, rows=cells, vectors=[vector], thresholds=thresholds, currency=currency
    )
    return decided


def decide_many(
    *,
    judgements: Sequence[Judgement],
    stack: Stack,
    rows: Floats,
    vectors: Sequence[Vector],
    thresholds: Thresholds,
    currency: str,
) -> list[Decided]:
    """As `decide` for each, with every layer asked once for all rows."""
    found = [(name, scored.tolist()) for name, scored in scores(stack, rows).items()]
    return [
        _conclude(
            judgement,
            {name: _bent(scored[at], name, thresholds) for name, scored in found},
            stack,
            rows[at],
            vector,
            currency,
        )
        for at, (judgement, vector) in enumerate(zip(judgements, vectors, strict=True))
    ]


def _conclude(
    judgement: Judgement,
    scored: Mapping[LayerName, float],
    stack: Stack,
    row: Floats,
    vector: Vector,
    currency: str,
) -> Decided:
    layers: dict[LayerName, float] = {LayerName.RULES: judgement.score, **scored}
    outcome, raised = _outcome(judgement, layers)
    speaking = {name: score for name, score in layers.items() if name not in UNSUPERVISED or score >= SUSPICIOUS_FROM}
    score = max(speaking.values())
    if outcome is not Outcome.BLOCKED:
        score = min(score, HIGHEST_FLAGGED)
    reasons = judgement.reasons + tuple(_reason(name, stack, row, vector, currency) for name in raised)
    agreeing = sum(value >= SUSPICIOUS_FROM for value in layers.values())
    if outcome is Outcome.APPROVED:
        agreeing = len(layers) - agreeing
    return Decided(
        outcome=outcome,
        score=round(score, 4),
        reasons=reasons,
        layers={str(name): round(value, 4) for name, value in layers.items()},
        primary_method=str(max(speaking, key=lambda name: speaking[name])),
        confidence=_confidence(agreeing, len(layers)),
        agreement_percent=round(100 * agreeing / len(layers)),
    )


def outcome_at(judgement: Judgement, found: Mapping[LayerName, float], thresholds: Thresholds) -> Outcome:
    """What `decide` makes of these scores of the layers, as their scales give them."""
    layers = {name: _bent(score, name, thresholds) for name, score in found.items()}
    return _outcome(judgement, {LayerName.RULES: judgement.score, **layers})[0]


def _outcome(judgement: Judgement, layers: Mapping[LayerName, float]) -> tuple[Outcome, list[LayerName]]:
    """What happens, and which layers' word counts for it."""
    raised = [name for name, score in layers.items() if name in TEXTS and score >= SUSPICIOUS_FROM]
    if judgement.outcome is Outcome.BLOCKED or layers.get(LayerName.SUPERVISED, 0.0) >= CRITICAL_FROM:
        return Outcome.BLOCKED, raised
    if raised or judgement.outcome is Outcome.FLAGGED:
        return Outcome.FLAGGED, raised
    return Outcome.APPROVED, raised


def _bent(score: float, name: LayerName, thresholds: Thresholds) -> float:
    """Move the layer's score so that it passes 0.5 and 0.8 where the thresholds lie."""
    flag_at, block_at = thresholds.flag_at, thresholds.block_at
    if score < flag_at:
        bent = score * SUSPICIOUS_FROM / flag_at
    elif score < block_at:
        bent = SUSPICIOUS_FROM + (score - flag_at) * (CRITICAL_FROM - SUSPICIOUS_FROM) / (block_at - flag_at)
    elif score < 1.0:
        bent = CRITICAL_FROM + (score - block_at) * (1.0 - CRITICAL_FROM) / (1.0 - block_at)
    else:
        bent = 1.0
    return min(bent, HIGHEST_FLAGGED) if name in UNSUPERVISED else bent


def _confidence(agreeing: int, layers: int) -> Confidence:
    """One voice is one voice, also where there is no second layer to ask."""
    if agreeing < 2:
        return Confidence.LOW
    return Confidence.HIGH if agreeing == layers else Confidence.MEDIUM


def _reason(name: LayerName, stack: Stack, row: Floats, vector: Vector, currency: str) -> Reason:
    """The layer and the values that weighed most in it."""
    names = VECTOR_FEATURES if name is LayerName.SUPERVISED else MODEL_FEATURES
    weights = stack[name].layer.explain(row)
    most = [index for index in np.argsort(-weights, kind="stable")[:MOST_CONTRIBUTIONS] if weights[index] > 0]
    said = [f"{FEATURES[names[at]].label}: {show(FEATURES[names[at]], vector[names[at]], currency)}" for at in most]
    return Reason(f"MODEL_{name.upper()}", TEXTS[name], "; ".join(said))


assert BLOCKED_SCORE >= CRITICAL_FROM > HIGHEST_FLAGGED
