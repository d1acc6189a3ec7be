"""Learning from this bank's own decisions: stored vectors, and labels only as far as they are known by then."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.db import use_case
from fraud import queries
from fraud.errors import TooLittleHistory
from fraud.models import ModelVersion, Training
from fraud.rules.features import SCHEMA_HASH, VECTOR_FEATURES, numbers
from fraud.rules.features.arithmetic import microseconds
from fraud.rules.learning import artifact, boosting, unsupervised
from fraud.rules.learning.curves import curves
from fraud.rules.learning.layers import LayerName
from fraud.rules.learning.metrics import FALSE_POSITIVES, recall_at
from fraud.rules.learning.stack import Scaled, supervised_scale, threshold_for, unsupervised_scale
from fraud.rules.learning.trees import Floats
from fraud.services import registry, trainings
from fraud.services.unsealing import signing_key
from identity.models import User

logger = logging.getLogger(__name__)

FEWEST_ROWS = 200
MOST_ROWS = 500_000
SEED = 1
# What a person's look at one payment costs, in minor units of the base currency.
REVIEW_COST_MINOR = 5_00
_COST_SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Stored vectors in order of time; `known` marks those with a label, `fraud` those it calls fraud, `kinds` of which."""

    rows: Floats
    at_us: NDArray[np.int64]
    known: NDArray[np.bool_]
    fraud: NDArray[np.int64]
    kinds: NDArray[np.str_]


def train(*, days: int, trials: int, trained_by: User | None, now: datetime, say: Say) -> ModelVersion:
    """Fit every layer on the decisions of the last `days` and keep the result as a challenger. Raises TooLittleHistory."""
    sealed = _sealed(days=days, trials=trials, now=now, say=say)
    with use_case():
        return registry.keep(sealed=sealed, trained_by=trained_by, now=now)


def _sealed(*, days: int, trials: int, now: datetime, say: Say) -> artifact.Sealed:
    """The supervised layer is left out, and said to be, while labels are too few. Raises TooLittleHistory."""
    since = now - timedelta(days=days)
    history = _history(since, now)
    if len(history.rows) < FEWEST_ROWS:
        raise TooLittleHistory(
            f"There are {len(history.rows)} decisions to learn from in the last {days} days; {FEWEST_ROWS} are needed.",
        )
    say(f"{len(history.rows):,} decisions, {int(history.fraud.sum()):,} of them confirmed frauds")
    budget = queries.budget()
    ordinary = history.rows[history.fraud == 0]
    stack: dict[LayerName, Scaled] = {}
    about: dict[str, Any] = {
        "window": [since.isoformat(), now.isoformat()],
        "label_cut_off": now.isoformat(),
        "rows": len(history.rows),
        "frauds": int(history.fraud.sum()),
        "cleared": int((history.known & (history.fraud == 0)).sum()),
        "budget": {"flagged": budget.flagged, "blocked": budget.blocked, "unsupervised": budget.unsupervised},
    }
    try:
        fitted = boosting.fit(
            history.rows,
            history.fraud,
            history.at_us,
            seed=SEED,
            trials=trials,
            each=lambda choice, precision: say(f"{choice.library} with {choice.balance}: {precision:.3f}"),
        )
    except boosting.TooFewLabels as error:
        say(f"no supervised layer: {error}")
        about["supervised_left_out"] = str(error)
    else:
        scale = supervised_scale(fitted.validation_scores, budget)
        stack[LayerName.SUPERVISED] = Scaled(fitted.layer, scale)
        about["choice"] = fitted.choice.describe()
        about["metrics"] = _metrics(fitted, history)
        about["kinds"] = _kinds(fitted, history)
        about["curves"] = curves(labels=fitted.validation_labels, scores=fitted.validation_scores)
    for name, layer in unsupervised.fit(ordinary, seed=SEED).items():
        training = layer.raw(unsupervised.sample(ordinary, seed=SEED))
        stack[name] = Scaled(layer, unsupervised_scale(training, budget))
        say(f"{name} fitted")
    golden = history.rows[np.linspace(0, len(history.rows) - 1, artifact.GOLDEN_ROWS).astype(int)]
    return artifact.seal(stack, golden=golden, about=about, key=signing_key())


def run_waiting(*, now: datetime) -> Training | None:
    """Do the training that waits, showing each step; None when there is none, or another worker is at it.

    What cannot be trained ends with its error. A worker that dies leaves it to another one. Must not be called inside a
    transaction.
    """
    asked = trainings.claim(now=now)
    if asked is None:
        return None
    said: list[str] = []
    # The decisions counted, each choice, the three layers without labels.
    steps = 1 + len(boosting.CHOICES) + asked.trials + 3
    started = monotonic()

    def moment() -> datetime:
        return now + timedelta(seconds=monotonic() - started)

    def say(line: str) -> None:
        said.append(line)
        trainings.tell(asked.pk, said, steps=steps, moment=moment())

    try:
        sealed = _sealed(days=asked.days, trials=asked.trials, now=now, say=say)
    except TooLittleHistory as error:
        trainings.end(asked, said=said, now=moment(), error=error.text)
    except Exception:
        logger.exception("a training failed", extra={"training": str(asked.pk)})
        trainings.end(asked, said=said, now=moment(), error="It failed, and the log of the worker says why.")
        raise
    else:
        with use_case():
            version = registry.keep(sealed=sealed, trained_by=asked.requested_by, now=moment())
            trainings.end(asked, said=said, now=moment(), version=version)
    return asked


def _history(since: datetime, until: datetime) -> History:
    rows, moments, known, fraud, kinds = [], [], [], [], []
    for at, features, is_fraud, kind in queries.learnable(
        since=since, until=until, schema_hash=SCHEMA_HASH, limit=MOST_ROWS
    ):
        rows.append(numbers(features))
        moments.append(microseconds(at))
        known.append(is_fraud is not None)
        fraud.append(int(is_fraud is True))
        kinds.append(kind or "")
    return History(
        np.array(rows, dtype=np.float64).reshape(len(rows), len(VECTOR_FEATURES)),
        np.array(moments, dtype=np.int64),
        np.array(known, dtype=bool),
        np.array(fraud, dtype=np.int64),
        np.array(kinds, dtype=np.str_),
    )


def _metrics(fitted: boosting.Fitted, history: History) -> dict[str, Any]:
    """How the chosen way did on the last days, and what each threshold would have cost there."""
    scores, labels = fitted.validation_scores, fitted.validation_labels
    amounts = np.nan_to_num(history.rows[-len(labels) :, VECTOR_FEATURES.index("transaction_amount")])
    return {
        "average_precision": fitted.average_precisions[fitted.choice],
        "recalls": {str(share): recall_at(labels == 1, scores, labels == 0, share) for share in FALSE_POSITIVES},
        "costs": [_cost(scores, labels, amounts, share) for share in _COST_SHARES],
    }


def _kinds(fitted: boosting.Fitted, history: History) -> list[dict[str, Any]]:
    """What the chosen way found of each kind of fraud on the last days; an empty kind is one that nobody gave."""
    scores, labels = fitted.validation_scores, fitted.validation_labels
    kinds = history.kinds[-len(labels) :]
    found = []
    for kind in sorted(set(kinds[labels == 1]), key=lambda kind: (kind == "", kind)):
        wanted = (labels == 1) & (kinds == kind)
        recalls = {str(share): recall_at(wanted, scores, labels == 0, share) for share in FALSE_POSITIVES}
        found.append({"kind": str(kind), "frauds": int(wanted.sum()), "recalls": recalls})
    return found


def _cost(scores: Floats, labels: NDArray, amounts: Floats, share: float) -> dict[str, Any]:
    """Reviewing this share of traffic: what it finds, what slips through, and what both cost in minor units."""
    threshold = threshold_for(scores, share)
    reviewed = scores > threshold
    missed = (labels == 1) & ~reviewed
    reviews, lost = int(reviewed.sum()), int(amounts[missed].sum())
    return {
        "share": share,
        "threshold": threshold,
        "recall": float(reviewed[labels == 1].mean()),
        "precision": float(labels[reviewed].mean()) if reviews else None,
        "missed_minor": lost,
        "review_minor": reviews * REVIEW_COST_MINOR,
        "cost_minor": lost + reviews * REVIEW_COST_MINOR,
    }
