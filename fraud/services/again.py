"""Stored decisions decided again: with other thresholds, or by the engine as it is now. Touches no payment."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery

from common.errors import Conflict
from fraud.models import Decision, Label, ModelVersion
from fraud.queries.lists import Asked, standings_of
from fraud.rules.again import Again
from fraud.rules.deciding import Thresholds, outcome_at
from fraud.rules.facts import Outcome
from fraud.rules.features import numbers
from fraud.rules.judging import Judgement, judge
from fraud.rules.learning.artifact import BrokenArtifact
from fraud.rules.learning.layers import LayerName
from fraud.rules.learning.stack import Stack, scores
from fraud.rules.lists import Told
from fraud.services import engine, unsealing
from fraud.services.watching import rules_said

CHUNK = 1000
Chunk = Sequence[Any]


class ModelGone(Conflict):
    code = "model_gone"
    message = "A model that is needed for this cannot be opened."


def with_thresholds(decisions: QuerySet[Decision], thresholds: Thresholds) -> Iterator[Again]:
    """Each decision by the model that decided it, and by what the rules said then. Raises ModelGone."""
    stacks: dict[uuid.UUID, Stack] = {}
    for chunk in _chunks(decisions):
        for (model_id, names), rows in _by_stack(chunk).items():
            if model_id is None or not names:
                yield from (_again(row, Outcome(row.outcome)) for row in rows)
                continue
            if model_id not in stacks:
                stacks[model_id] = _opened(model_id)
            stack = {name: stacks[model_id][name] for name in names}
            judged = [rules_said(row) for row in rows]
            for row, outcome in zip(rows, _outcomes(stack, rows, judged, thresholds), strict=True):
                yield _again(row, outcome)


def with_engine(decisions: QuerySet[Decision], *, at: datetime) -> Iterator[Again]:
    """Each decision by the rules, lists, snoozes, model, switches and thresholds of `at`, which is now. Raises ModelGone."""
    live = engine.now_in_charge()
    if live.model_missing:
        raise ModelGone("The model in charge cannot be opened.")
    for chunk in _chunks(decisions):
        for row in chunk:
            row.features = {**row.features, **dict.fromkeys(live.features_off)}
        judged = _judged(live, chunk, at)
        for row, judgement, outcome in zip(
            chunk, judged, _outcomes(live.stack, chunk, judged, live.thresholds), strict=True
        ):
            yield _again(row, outcome, list(dict.fromkeys(reason.code for reason in judgement.reasons)))


def _judged(live: engine.Engine, chunk: Chunk, at: datetime) -> list[Judgement]:
    asked = [
        Asked(Told(row.beneficiary_ref, row.device, row.ip or "", row.country), row.customer_id, row.account_ref, at)
        for row in chunk
    ]
    return [
        judge(live.rules, row.features, currency=settings.BASE_CURRENCY, standing=standing)
        for row, standing in zip(chunk, standings_of(asked, used=live.lists), strict=True)
    ]


def _outcomes(stack: Stack, rows: Chunk, judged: Sequence[Judgement], thresholds: Thresholds) -> Iterator[Outcome]:
    """All layers over all rows at once."""
    cells = np.array([numbers(row.features) for row in rows], dtype=np.float64)
    found = scores(stack, cells)
    for index, judgement in enumerate(judged):
        each = {name: float(values[index]) for name, values in found.items()}
        yield outcome_at(judgement, each, thresholds)


def _by_stack(chunk: Chunk) -> dict[tuple[uuid.UUID | None, frozenset[LayerName]], list[Any]]:
    """Rows that the same layers of the same model decided."""
    found: dict[tuple[uuid.UUID | None, frozenset[LayerName]], list[Any]] = {}
    for row in chunk:
        names = frozenset(LayerName(name) for name in row.layers) - {LayerName.RULES}
        found.setdefault((row.model_id, names), []).append(row)
    return found


def _opened(model_id: uuid.UUID) -> Stack:
    version = ModelVersion.objects.filter(pk=model_id).first()
    if version is None:
        raise ModelGone
    try:
        return unsealing.opened(version).stack
    except BrokenArtifact as error:
        raise ModelGone(f"Model {version.number} cannot be opened.") from error


def _chunks(decisions: QuerySet[Decision]) -> Iterator[Chunk]:
    label = Label.objects.filter(decision=OuterRef("pk")).values("is_fraud")[:1]
    rows = decisions.annotate(known=Subquery(label)).order_by("at", "pk").iterator(chunk_size=CHUNK)
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _again(row: Any, outcome: Outcome, codes: Sequence[str] = ()) -> Again:
    return Again(row.pk, row.customer_id, row.amount_base_minor, Outcome(row.outcome), outcome, row.known, codes)
