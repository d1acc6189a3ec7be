"""Decisions as those who asked for them read them: the bank's payments, and gateways' transactions under their own ids."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import Case, Count, Exists, F, FloatField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Floor, Least

from fraud.errors import TransactionNotFound
from fraud.models import CaseStatus, Decision, GatewayTransaction
from fraud.rules.facts import CRITICAL_FROM, SUSPICIOUS_FROM, Outcome
from fraud.rules.gateway import SUBJECT_KIND

TENTHS = 10


def standing(*, outcome: str, case_status: str | None) -> str:
    """APPROVED, PENDING or REJECTED: what the scoring left open, a person decides. `outcome` is the case's, if any."""
    if outcome == Outcome.FLAGGED:
        waiting = {CaseStatus.OPEN.value: "PENDING", CaseStatus.RELEASED.value: "APPROVED"}
        return waiting.get(case_status or "", "REJECTED")
    return "REJECTED" if outcome == Outcome.BLOCKED else "APPROVED"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: a person of the bank sees all; a key what its gateway asked, and the bank's payments if it may."""

    client_id: uuid.UUID | None
    sees_bank: bool

    def visible(self) -> QuerySet[Decision]:
        """The decisions that this reader may see."""
        found = Decision.objects.all()
        if self.client_id is None:
            return found
        own = Exists(GatewayTransaction.objects.filter(pk=OuterRef("subject_id"), client_id=self.client_id))
        mine = Q(own, subject_kind=SUBJECT_KIND)
        return found.filter(mine | ~Q(subject_kind=SUBJECT_KIND) if self.sees_bank else mine)


def transactions(reader: Reader) -> QuerySet[Decision]:
    """Decisions with their `reference` and what `TransactionOut` shows of their case."""
    reference = GatewayTransaction.objects.filter(pk=OuterRef("subject_id")).values("reference")[:1]
    return reader.visible().annotate(
        reference=Subquery(reference),
        case_id=F("case__pk"),
        case_outcome=F("case__outcome"),
        case_status=F("case__status"),
        case_decided_at=F("case__decided_at"),
    )


def get_transaction(reader: Reader, *, transaction_id: uuid.UUID) -> Decision:
    """The latest decision about a payment or a gateway's transaction. Raises TransactionNotFound."""
    found = transactions(reader).filter(subject_id=transaction_id).order_by("-at", "-pk").first()
    if found is None:
        raise TransactionNotFound
    return found


def by_id(reader: Reader, *, transaction_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Decision]:
    """Those of the transactions that the reader may see."""
    found: dict[uuid.UUID, Decision] = {}
    ids = iter(transaction_ids)
    while some := list(islice(ids, 1000)):
        found.update((each.subject_id, each) for each in transactions(reader).filter(subject_id__in=some))
    return found


def case_of(reader: Reader, *, transaction_id: uuid.UUID) -> uuid.UUID:
    """The case to decide about a transaction, the open one if any. Raises TransactionNotFound when nobody opened one."""
    found = transactions(reader).filter(subject_id=transaction_id, case__isnull=False)
    waiting_first = Case(When(case__status=CaseStatus.OPEN, then=Value(0)), default=Value(1))
    case_id: uuid.UUID | None = found.order_by(waiting_first, "-at", "-pk").values_list("case__pk", flat=True).first()
    if case_id is None:
        raise TransactionNotFound
    return case_id


def pending(reader: Reader) -> QuerySet[Decision]:
    """What waits for a person, the longest waiting first; of blocked ones only whether that was right."""
    waiting = transactions(reader).filter(
        case__status=CaseStatus.OPEN, case__outcome__in=[Outcome.FLAGGED, Outcome.BLOCKED]
    )
    return waiting.order_by("case__opened_at", "pk")


def distribution(found: QuerySet[Decision]) -> dict[str, Any]:
    """How many there are by outcome, by level and by tenths of the score."""
    rows = found.order_by()
    outcomes = dict(rows.values_list("outcome").annotate(Count("pk")))
    tenth = Least(Floor(F("score") * TENTHS, output_field=FloatField()), Value(float(TENTHS - 1)))
    tenths = {int(each): count for each, count in rows.annotate(tenth=tenth).values_list("tenth").annotate(Count("pk"))}
    levels = rows.aggregate(
        SAFE=Count("pk", filter=Q(score__lt=SUSPICIOUS_FROM)),
        SUSPICIOUS=Count("pk", filter=Q(score__gte=SUSPICIOUS_FROM, score__lt=CRITICAL_FROM)),
        CRITICAL=Count("pk", filter=Q(score__gte=CRITICAL_FROM)),
    )
    return {
        "count": sum(outcomes.values()),
        "outcomes": {outcome.value: outcomes.get(outcome.value, 0) for outcome in Outcome},
        "levels": levels,
        "tenths": [tenths.get(each, 0) for each in range(TENTHS)],
    }
