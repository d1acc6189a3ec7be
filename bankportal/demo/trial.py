"""How well the engine finds the frauds of invented banks it has not seen: learnt from some seeds, measured on others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bankportal.demo.frauds import FRAUDS, Bank, Pattern, invent
from fraud.rules.features.replay import replay
from fraud.rules.judging import LiveRule
from fraud.rules.learning import boosting, unsupervised
from fraud.rules.learning.boosting import CHOICES, Choice
from fraud.rules.learning.evaluation import rule_scores
from fraud.rules.learning.layers import LayerName
from fraud.rules.learning.metrics import wilson
from fraud.rules.learning.stack import (
    Budget,
    Scaled,
    Stack,
    combine,
    scores,
    supervised_scale,
    threshold_for,
    unsupervised_scale,
)
from fraud.rules.learning.trees import Floats

SEED = 20_260_105
# False alarms that the threshold is set for, on one of the banks to learn from that the fit before it had not seen; what it
# comes to on the banks to measure on is measured.
AIMED_AT = 0.035
RECALL, FALSE_POSITIVES = 0.85, 0.05

Say = Callable[[str], None]


def measure(
    *,
    train_seeds: Sequence[int],
    test_seeds: Sequence[int],
    customers: int,
    frauds_each: int,
    rules: Sequence[LiveRule],
    say: Say,
    choices: Sequence[Choice] = CHOICES,
    jobs: int = 2,
) -> dict[str, Any]:
    """The report, ready for JSON. Seeds of both kinds must differ. Raises ValueError when they do not, TooFewLabels."""
    if set(train_seeds) & set(test_seeds):
        raise ValueError("a bank that was learnt from proves nothing: train and test seeds must differ")
    banks = {
        seed: invent(seed=seed, customers=customers, frauds_each=frauds_each) for seed in (*train_seeds, *test_seeds)
    }
    rows = {seed: replay(bank.events) for seed, bank in banks.items()}
    say(f"{sum(map(len, rows.values())):,} payments of {len(banks)} banks replayed")
    stack, threshold = _learn([(banks[seed], rows[seed]) for seed in train_seeds], rules, choices, jobs, say)
    patterns = np.concatenate([banks[seed].patterns for seed in test_seeds])
    unseen = np.concatenate([rows[seed] for seed in test_seeds])
    said = _said(stack, unseen, rules)
    together = combine(said)
    alarms = together > threshold
    found = {
        "train_seeds": list(train_seeds),
        "test_seeds": list(test_seeds),
        "customers": customers,
        "payments": len(unseen),
        "frauds": int((patterns != Pattern.ORDINARY).sum()),
        "threshold": round(threshold, 4),
        "false_positives": _share(alarms, patterns == Pattern.ORDINARY),
        "recall": _share(alarms, patterns != Pattern.ORDINARY),
        "patterns": {pattern.value: _share(alarms, patterns == pattern) for pattern in FRAUDS},
        "intervals": {pattern.value: _interval(alarms, patterns == pattern) for pattern in FRAUDS},
        "seeds": _by_seed(test_seeds, [len(rows[seed]) for seed in test_seeds], alarms, patterns),
        "layers": {str(name): _at_five_percent(values, patterns) for name, values in said.items()},
    }
    found["missed"] = missed(found)
    return found


def missed(found: dict[str, Any]) -> list[str]:
    """A sentence for each figure that is not reached."""
    sentences = []
    if found["recall"] < RECALL:
        sentences.append(f"{found['recall']:.1%} of the frauds were found, wanted {RECALL:.0%}")
    if found["false_positives"] >= FALSE_POSITIVES:
        sentences.append(
            f"{found['false_positives']:.1%} of ordinary payments raised an alarm, wanted under {FALSE_POSITIVES:.0%}"
        )
    return sentences


def _learn(
    known: Sequence[tuple[Bank, Floats]], rules: Sequence[LiveRule], choices: Sequence[Choice], jobs: int, say: Say
) -> tuple[Stack, float]:
    """All layers, and the threshold above which there were as many false alarms as aimed at, among payments that the fit
    did not know: of the last bank, after a fit on the others, or of the last days where there is only one bank."""
    at_us = np.concatenate([bank.events.at_us for bank, _ in known])
    order = np.argsort(at_us, kind="stable")
    rows = np.concatenate([part for _, part in known])[order]
    fraud = np.concatenate([bank.fraud for bank, _ in known])[order]
    fitted = boosting.fit(
        rows,
        fraud,
        at_us[order],
        seed=SEED,
        jobs=jobs,
        choices=choices,
        each=lambda choice, precision: say(
            f"{choice.library} with {choice.balance}: average precision {precision:.3f}"
        ),
    )
    budget = Budget()
    stack = {LayerName.SUPERVISED: Scaled(fitted.layer, supervised_scale(fitted.validation_scores, budget))}
    ordinary = unsupervised.sample(rows[fraud == 0], seed=SEED)
    for name, layer in unsupervised.fit(ordinary, seed=SEED).items():
        stack[name] = Scaled(layer, unsupervised_scale(layer.raw(ordinary), budget))
    if len(known) > 1:
        others = np.concatenate([part for _, part in known[:-1]])
        labels = np.concatenate([bank.fraud for bank, _ in known[:-1]])
        unknown, unknown_fraud = known[-1][1], known[-1][0].fraud
        unknown_scores = boosting.fit_once(others, labels, fitted.choice, seed=SEED, jobs=jobs).raw(unknown)
    else:
        unknown, unknown_fraud = rows[-len(fitted.validation_scores) :], fitted.validation_labels
        unknown_scores = fitted.validation_scores
    said = _said(stack, unknown, rules)
    # Not what the final fit says about payments that it knows.
    said[LayerName.SUPERVISED] = stack[LayerName.SUPERVISED].scale.apply(unknown_scores)
    return stack, threshold_for(combine(said)[unknown_fraud == 0], AIMED_AT)


def _said(stack: Stack, rows: Floats, rules: Sequence[LiveRule]) -> dict[LayerName, Floats]:
    return {LayerName.RULES: rule_scores(rules, rows), **scores(stack, rows)}


def _share(alarms: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return round(float(alarms[among].mean()), 4)


def _interval(alarms: NDArray[np.bool_], among: NDArray[np.bool_]) -> list[float]:
    """Where the recall lies in 95 of 100 such samples, were the payments independent of each other."""
    return [round(bound, 4) for bound in wilson(int(alarms[among].sum()), int(among.sum()))]


def _by_seed(
    seeds: Sequence[int], sizes: Sequence[int], alarms: NDArray[np.bool_], patterns: NDArray[np.str_]
) -> dict[str, dict[str, float]]:
    """Each bank's own figures: what is found and wrongly stopped must not come from one of them."""
    found, start = {}, 0
    for seed, size in zip(seeds, sizes, strict=True):
        part, kinds = alarms[start : start + size], patterns[start : start + size]
        start += size
        found[str(seed)] = {
            "recall": _share(part, kinds != Pattern.ORDINARY),
            "false_positives": _share(part, kinds == Pattern.ORDINARY),
        }
    return found


def _at_five_percent(values: Floats, patterns: NDArray[np.str_]) -> dict[str, float]:
    """The layer alone, with a threshold of its own: the recall of each pattern at 5 % false positives."""
    above = values > threshold_for(values[patterns == Pattern.ORDINARY], FALSE_POSITIVES)
    return {pattern.value: _share(above, patterns == pattern) for pattern in FRAUDS}
