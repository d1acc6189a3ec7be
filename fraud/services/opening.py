"""Opening a case: the payment joins the customer's open dossier about the same rule, or begins one."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from common.db import require_transaction
from fraud.models import Case, Decision
from fraud.queries import desk
from fraud.rules.desk import SAMPLED, Urgency, urgency_of

_OPEN = (
    "SELECT rule FROM fraud_dossier WHERE customer_id = %(customer)s AND closed_at IS NULL"
    " AND rule = ANY(%(codes)s) ORDER BY opened_at, id LIMIT 1"
)
# Also when two payments meet that were never screened, and so took no lock: the second joins what the first began.
_JOIN = (
    "INSERT INTO fraud_dossier (id, customer_id, rule, urgency, opened_at, due_at)"
    " VALUES (%(id)s, %(customer)s, %(rule)s, %(urgency)s, %(at)s, %(due)s)"
    " ON CONFLICT (customer_id, rule) WHERE closed_at IS NULL"
    " DO UPDATE SET urgency = greatest(fraud_dossier.urgency, excluded.urgency),"
    " due_at = least(fraud_dossier.due_at, excluded.due_at)"
    " RETURNING id"
)


def open_case(*, decision: Decision, outcome: str, codes: Sequence[str], score: float) -> Case:
    """A case about this decision, filed under the first of `codes` that has an open dossier, else under the first.

    Call it in the transaction of the decision. Raises NoTransaction.
    """
    require_transaction()
    dossier_id = _dossier(
        customer_id=decision.customer_id,
        codes=list(codes) or [outcome],
        urgency=urgency_of(score, sampled=outcome == SAMPLED),
        at=decision.at,
    )
    return Case.objects.create(
        decision=decision,
        dossier_id=dossier_id,
        subject_kind=decision.subject_kind,
        subject_id=decision.subject_id,
        customer_id=decision.customer_id,
        beneficiary_ref=decision.beneficiary_ref,
        transfer_type=decision.transfer_type,
        amount_base_minor=decision.amount_base_minor,
        outcome=outcome,
        opened_at=decision.at,
    )


def _dossier(*, customer_id: uuid.UUID, codes: list[str], urgency: Urgency, at: datetime) -> uuid.UUID:
    due = desk.desk_settings().due_at(urgency, at)
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, {"customer": customer_id, "codes": codes})
        known = cursor.fetchone()
        rule = known[0] if known else codes[0]
        cursor.execute(
            _JOIN,
            {
                "id": uuid.uuid4(),
                "customer": customer_id,
                "rule": rule,
                "urgency": int(urgency),
                "at": at,
                "due": due,
            },
        )
        [dossier_id] = cursor.fetchone()
    return uuid.UUID(str(dossier_id))
