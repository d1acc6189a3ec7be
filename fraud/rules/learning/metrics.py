"""How well scores find fraud: the measures of the Fraud Detection Handbook, and recall at a bearable number of alarms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fraud.rules.learning.stack import threshold_for
from fraud.rules.learning.trees import Floats

FALSE_POSITIVES = (0.05, 0.01, 0.005)
CARDS = 100


class OneClassOnly(ValueError):
    """Frauds and other payments are both needed to measure anything."""


@dataclass(frozen=True, slots=True)
class Quality:
    """`recalls` follow FALSE_POSITIVES; `card_precision` is that of the 100 most suspicious cards of each day."""

    auc_roc: float
    average_precision: float
    card_precision: float
    recalls: tuple[float, ...]


def measure(*, labels: NDArray, scores: Floats, days: NDArray, customers: NDArray) -> Quality:
    """Raises OneClassOnly."""
    # Here and not above: pages read this module's figures in processes that serve, and those go without the library.
    from sklearn.metrics import average_precision_score, roc_auc_score  # noqa: PLC0415

    if not (labels == 1).any() or not (labels == 0).any():
        raise OneClassOnly("the rows to measure on hold only one class")
    return Quality(
        auc_roc=float(roc_auc_score(labels, scores)),
        average_precision=float(average_precision_score(labels, scores)),
        card_precision=card_precision(labels=labels, scores=scores, days=days, customers=customers, top=CARDS),
        recalls=tuple(recall_at(labels == 1, scores, labels == 0, share) for share in FALSE_POSITIVES),
    )


def recall_at(wanted: NDArray[np.bool_], scores: Floats, ordinary: NDArray[np.bool_], share: float) -> float:
    """Share of the wanted rows above the lowest threshold that alarms for at most `share` of the ordinary ones."""
    if not wanted.any():
        return float("nan")
    return float((scores[wanted] > threshold_for(scores[ordinary], share)).mean())


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The interval that holds a share in 95 of 100 samples of this size (Wilson, 1927); 0 to 1 for an empty one."""
    if not of:
        return 0.0, 1.0
    share, square = hits / of, 1.959964**2
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = math.sqrt(square * (share * (1 - share) / of + square / (4 * of**2))) / (1 + square / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def card_precision(*, labels: NDArray, scores: Floats, days: NDArray, customers: NDArray, top: int) -> float:
    """Mean over days of the share of compromised cards among the `top` most suspicious of that day.

    A card that was found leaves the days after, as in the Handbook (chapter 4.3).
    """
    found: set[int] = set()
    precisions = []
    for day in np.unique(days):
        here = np.flatnonzero(days == day)
        here = here[~np.isin(customers[here], list(found))]
        cards, card_of = np.unique(customers[here], return_inverse=True)
        highest = np.full(len(cards), -np.inf)
        np.maximum.at(highest, card_of, scores[here])
        compromised = np.zeros(len(cards), dtype=bool)
        np.logical_or.at(compromised, card_of, labels[here] == 1)
        most = np.argsort(-highest, kind="stable")[:top]
        hits = cards[most[compromised[most]]]
        precisions.append(len(hits) / top)
        found.update(int(card) for card in hits)
    return float(np.mean(precisions))


def mean_quality(found: Sequence[Quality]) -> Quality:
    """The mean of each measure over folds."""
    return Quality(
        auc_roc=float(np.mean([one.auc_roc for one in found])),
        average_precision=float(np.mean([one.average_precision for one in found])),
        card_precision=float(np.mean([one.card_precision for one in found])),
        recalls=tuple(np.mean([one.recalls for one in found], axis=0).tolist()),
    )
