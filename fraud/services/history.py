"""Each customer's steps, written as they happen: what the features of the next payment are made of."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from datetime import datetime
from operator import add

from django.db import connection
from django.db.models import F

from common.db import lock_advisory, require_transaction
from fraud.models import Activity, Case, Decision, EntityReport, Label
from fraud.queries.history import Ask, Known, Totals, known_of, lock_key
from fraud.rules.entities import Entities, entities_of
from fraud.rules.facts import Facts, Outcome
from fraud.rules.features.arithmetic import (
    HIGHEST_SQUARED_MINOR,
    OWN,
    SPLIT,
    Scalars,
    given,
    is_risky,
    is_transfer,
    moment_of,
)
from fraud.services.keeping import Row, keep_step

# Advisory locks live in one space for the whole database; this number is fraud's.
CUSTOMER_LOCKS = 4601


def lock_customer(*, customer_id: uuid.UUID) -> None:
    """Let one payment of a customer be decided at a time, until the transaction ends.

    `screen` takes this lock itself. A caller that locks other rows takes it before them, so that two payments of one
    customer cannot wait for each other in a circle. Raises NoTransaction.
    """
    lock_advisory(namespace=CUSTOMER_LOCKS, key=lock_key(customer_id))


def lock_customers(*, customer_ids: Collection[uuid.UUID]) -> None:
    """As `lock_customer` for a few hundred at once, always in the same order. Raises NoTransaction."""
    require_transaction()
    keys = sorted({lock_key(customer_id) for customer_id in customer_ids})
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, key) FROM unnest(%s::int[]) AS key", [CUSTOMER_LOCKS, keys])


def requested_step(decision_id: uuid.UUID, facts: Facts, *, entities: Entities, known: Known, settled: bool) -> Row:
    """The payment just decided as the customer's latest step, still to be written; settled too when it was approved."""
    return _step(decision_id, facts, entities, known, requested=True, settled=settled)


def remember_release(*, decision: Decision, now: datetime) -> None:
    """A held payment went through after all: it settles from this moment on. Takes the customer's lock."""
    require_transaction()
    entities = _entities(decision)
    known = known_of(Ask(decision.customer_id, decision.account_ref, entities, now))
    keep_step(_step(decision.pk, _facts(decision), entities, known, requested=False, settled=True))


def report_entities(label: Label) -> None:
    """What a label says about payee, device and address, in the label's own transaction."""
    require_transaction()
    keys = _entities(label.decision)
    EntityReport.objects.bulk_create(
        EntityReport(label=label, entity=entity, key=key, is_fraud=label.is_fraud, known_at=label.labelled_at)
        for entity, key in (("beneficiary", keys.beneficiary), ("device", keys.device), ("ip", keys.ip))
        if key is not None
    )


def rebuild_missing() -> int:
    """Write the steps of decisions made before steps were kept. Returns how many; 0 when there is nothing to do.

    For a bank brought up to date: does nothing as soon as one step exists. Raises NoTransaction.
    """
    require_transaction()
    if Activity.objects.exists():
        return 0
    written = 0
    for at, decision, requested in _past_steps():
        entities = _entities(decision)
        known = known_of(Ask(decision.customer_id, decision.account_ref, entities, at))
        settled = not requested or decision.outcome == Outcome.APPROVED
        keep_step(_step(decision.pk, _facts(decision), entities, known, requested=requested, settled=settled))
        written += 1
    for label in Label.objects.select_related("decision").order_by("labelled_at", "pk"):
        report_entities(label)
    return written


def _past_steps() -> Iterator[tuple[datetime, Decision, bool]]:
    """Payments asked for and held ones released, in order of time."""
    asked = Decision.objects.order_by("at", "pk").iterator(chunk_size=1000)
    released = Case.objects.filter(status=Case.Status.RELEASED, outcome=Outcome.FLAGGED).select_related("decision")
    later = [(case.decided_at, case.decision) for case in released.order_by(F("decided_at").desc(), "pk")]
    for decision in asked:
        while later and later[-1][0] is not None and later[-1][0] < decision.at:
            moment, held = later.pop()
            assert moment is not None
            yield moment, held, False
        yield decision.at, decision, True
    for moment, held in reversed(later):
        assert moment is not None
        yield moment, held, False


def _step(
    decision_id: uuid.UUID, facts: Facts, entities: Entities, known: Known, *, requested: bool, settled: bool
) -> Row:
    this = given(facts, at_us=known.at_us)
    own = this.type_code == OWN
    minor = max(this.amount_minor, 0)
    counted = settled and not own and this.amount_minor >= 0
    square = min(minor, HIGHEST_SQUARED_MINOR) ** 2 if counted else 0
    added = Totals(
        transfers=int(requested and is_transfer(this)),
        requests=int(requested),
        sent_total_minor=minor if requested and not own else 0,
        settled=int(counted),
        settled_total_minor=minor if counted else 0,
        squares_high=square // SPLIT,
        squares_low=square % SPLIT,
        abroad=int(counted and this.away),
        risky=int(requested and is_risky(this, known.past.payee_settled, Scalars())),
        own=int(requested and own),
        account_changes=int(known.moves),
    )
    at = moment_of(known.at_us)
    number = known.number + 1
    largest, largest_number = known.past.largest_90d_minor, known.largest_number
    if counted and minor >= largest:
        largest, largest_number = minor, number
    return {
        **dict(zip(Totals._fields, map(add, known.totals, added), strict=True)),
        "decision_id": decision_id,
        "customer_id": facts.customer_id,
        "number": number,
        "at": at,
        "requested": requested,
        "settled_minor": minor if counted else None,
        "account_ref": facts.account_ref,
        "payee_key": entities.beneficiary,
        "device_key": entities.device,
        "ip_key": entities.ip,
        "first_at": at if known.first_us is None else moment_of(known.first_us),
        "last_request_at": at if requested else _moment(known.last_request_us),
        "payee_settled": known.past.payee_settled + int(settled),
        "largest_minor": None if largest_number is None else largest,
        "largest_number": largest_number,
    }


def _moment(at_us: int | None) -> datetime | None:
    return None if at_us is None else moment_of(at_us)


def _entities(decision: Decision) -> Entities:
    return entities_of(beneficiary_ref=decision.beneficiary_ref, device=decision.device, ip=decision.ip)


def _facts(decision: Decision) -> Facts:
    """What was told about the payment, as far as the decision kept it."""
    return Facts(
        subject_kind=decision.subject_kind,
        subject_id=decision.subject_id,
        customer_id=decision.customer_id,
        account_ref=decision.account_ref,
        amount_minor=decision.amount_minor,
        currency=decision.currency,
        amount_base_minor=decision.amount_base_minor,
        at=decision.at,
        transfer_type=decision.transfer_type,
        channel=decision.channel,
        beneficiary_ref=decision.beneficiary_ref,
        country=decision.country,
        home_country=decision.home_country,
    )
