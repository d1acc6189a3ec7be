"""Opening a case: the payment joins the customer's open dossier about the same rule, or begins one."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from common.db import require_transaction
from common.rows import Prepared
from fraud.models import CaseStatus, Decision
from fraud.rules.desk import SAMPLED, DeskSettings, urgency_of

# Two payments that meet although they were never screened, and so took no lock: the second joins what the first began.
_OPEN = Prepared(
    """
WITH known AS (
    SELECT rule FROM fraud_dossier
     WHERE customer_id = %(customer)s AND closed_at IS NULL AND rule = ANY(%(codes)s::text[])
     ORDER BY opened_at, id LIMIT 1
), dossier AS (
    INSERT INTO fraud_dossier (id, customer_id, rule, urgency, opened_at, due_at)
    SELECT %(dossier)s::uuid, %(customer)s::uuid, coalesce((SELECT rule FROM known), (%(codes)s::text[])[1]), %(urgency)s::int,
           %(at)s::timestamptz, %(at)s::timestamptz + make_interval(hours => coalesce(
               (SELECT (ARRAY[sample_hours, suspicious_hours, critical_hours])[%(urgency)s::int]
                  FROM fraud_deskconfig ORDER BY id DESC LIMIT 1), %(hours)s::int))
    ON CONFLICT (customer_id, rule) WHERE closed_at IS NULL
    DO UPDATE SET urgency = greatest(fraud_dossier.urgency, excluded.urgency),
                  due_at = least(fraud_dossier.due_at, excluded.due_at)
    RETURNING id
)
INSERT INTO fraud_case (id, decision_id, dossier_id, subject_kind, subject_id, customer_id, beneficiary_ref, transfer_type,
                        amount_base_minor, outcome, status, reason, opened_at)
SELECT %(id)s::uuid, %(decision)s::uuid, dossier.id, %(kind)s::text, %(subject)s::uuid, %(customer)s::uuid, %(payee)s::text,
       %(type)s::text, %(amount)s::bigint, %(outcome)s::text, %(open)s::text, '', %(at)s::timestamptz
  FROM dossier
"""
)


def open_case(*, decision: Decision, outcome: str, codes: Sequence[str], score: float) -> None:
    """A case about this decision, filed under the first of `codes` that has an open dossier, else under the first.

    Call it in the transaction of the decision; it travels with the next statement. Raises NoTransaction.
    """
    require_transaction()
    urgency = urgency_of(score, sampled=outcome == SAMPLED)
    _OPEN.run_with(
        {
            "customer": decision.customer_id,
            "codes": list(codes) or [outcome],
            "dossier": uuid.uuid4(),
            "urgency": int(urgency),
            "at": decision.at,
            # Until somebody sets others.
            "hours": DeskSettings().hours(urgency),
            "id": uuid.uuid4(),
            "decision": decision.pk,
            "kind": decision.subject_kind,
            "subject": decision.subject_id,
            "payee": decision.beneficiary_ref,
            "type": decision.transfer_type,
            "amount": decision.amount_base_minor,
            "outcome": outcome,
            "open": CaseStatus.OPEN.value,
        }
    )
