"""Scoring money that arrived, and a person's word about what stands out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from django.db import IntegrityError, transaction

from audit import services as audit
from common.db import lock_advisory, use_case
from fraud.errors import CreditNotFound, CreditReviewed, OwnCase, ReasonMissing
from fraud.models import Case, CreditReview, CreditScore, Decision, Label
from fraud.queries import credits as known
from fraud.rules.credits import Credit, judge_credit
from fraud.services.history import report_entities
from fraud.services.sampling import lock_sample
from identity import services as identity
from identity.models import User

# Credits are counted one after the other; advisory locks live in one space, and this number is theirs.
_LOCK = 4606


def score_credits(arrived: Sequence[Credit], *, now: datetime) -> int:
    """Score each in the order in which it arrived, each seeing the ones before it. Returns how many were new.

    Safe to run twice and at once.
    """
    new = 0
    for credit in sorted(arrived, key=lambda each: (each.at, each.subject_id)):
        with use_case():
            lock_advisory(namespace=_LOCK, key=int.from_bytes(credit.account_ref.bytes[:4], "big", signed=True))
            if known.is_scored(credit):
                continue
            score, reasons = judge_credit(known.around(credit, now=now))
            CreditScore.objects.create(
                **asdict(credit)
                | {"account_label": credit.account_label[:120], "payer_label": credit.payer_label[:120]},
                score=score,
                reasons=[asdict(reason) for reason in reasons],
                scored_at=now,
            )
        new += 1
    return new


def review_credit(*, actor: User, credit_id: int, is_fraud: bool, reason: str, now: datetime) -> CreditReview:
    """Clear a credit or confirm that it is fraud: what was paid then labels the payment, and counts against the account.

    No money moves. Raises PermissionMissing, ReasonMissing, CreditNotFound, CreditReviewed, OwnCase.
    """
    identity.require(actor, "fraud_decide")
    if not reason.strip():
        raise ReasonMissing
    with use_case():
        credit = CreditScore.objects.filter(pk=credit_id).first()
        if credit is None:
            raise CreditNotFound
        if credit.customer_id == actor.public_id:
            raise OwnCase
        try:
            with transaction.atomic():
                review = CreditReview.objects.create(
                    credit=credit, is_fraud=is_fraud, reason=reason.strip(), reviewed_by=actor, reviewed_at=now
                )
        except IntegrityError as error:
            raise CreditReviewed from error
        _label(credit, actor, is_fraud=is_fraud, now=now)
        audit.record(
            actor=actor,
            action="fraud.credit_confirmed" if is_fraud else "fraud.credit_cleared",
            subject_kind="fraud_credit",
            subject_id=str(credit.pk),
            reason=reason.strip(),
            data={
                "payment_kind": credit.subject_kind,
                "payment": str(credit.subject_id),
                "account": credit.account_label,
            },
        )
    return review


def _label(credit: CreditScore, actor: User, *, is_fraud: bool, now: datetime) -> None:
    """The decision about the payment gets the label too, unless it has a case: then officers label it there."""
    lock_sample()
    decision = Decision.objects.filter(subject_kind=credit.subject_kind, subject_id=credit.subject_id).first()
    if decision is None or Case.objects.filter(decision=decision).exists():
        return
    report_entities(Label.objects.create(decision=decision, is_fraud=is_fraud, labelled_by=actor, labelled_at=now))
