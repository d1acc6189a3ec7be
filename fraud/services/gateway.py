"""Transactions of outside gateways: scored once, whoever asks again gets the same answer."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import IntegrityError, transaction

from common.db import require_transaction
from fraud import rates
from fraud.errors import TransactionIdReused, TransactionNotFound
from fraud.models import GatewayTransaction
from fraud.rules.gateway import Gateway, Told, customer_of, facts_of
from fraud.services.budget import in_time
from fraud.services.history import lock_customer
from fraud.services.screening import hold_unscreened, screen
from identity.models import User

# A gateway's customer stands at a till: a scorer that takes longer has failed, and a person decides.
BUDGET_SECONDS = 2.0


def analyze_within(*, gateway: Gateway, told: Told, now: datetime) -> tuple[GatewayTransaction, bool]:
    """Score a transaction in the caller's transaction; True beside it when it was known already.

    A scorer that fails or overruns its budget flags it. Raises NoTransaction, Invalid (with its field) and
    TransactionIdReused for the id of another content.
    """
    require_transaction()
    money = told.money
    lock_customer(customer_id=customer_of(told, gateway=gateway))
    known = GatewayTransaction.objects.filter(client_id=gateway.client_id, reference=told.transaction_id).first()
    if known is not None:
        if known.content_sha256 != told.digest:
            raise TransactionIdReused(field="transaction_id")
        return known, True
    facts = facts_of(
        told,
        gateway=gateway,
        subject_id=uuid.uuid4(),
        money=money,
        amount_base_minor=rates.to_base(money),
        now=now,
    )
    verdict = in_time(lambda: screen(facts=facts), subject_id=facts.subject_id, seconds=BUDGET_SECONDS)
    if verdict is None:
        verdict = hold_unscreened(facts=facts)
    try:
        with transaction.atomic():
            made = GatewayTransaction.objects.create(
                id=facts.subject_id,
                client_id=gateway.client_id,
                reference=told.transaction_id,
                content_sha256=told.digest,
                decision_id=verdict.decision_id,
                created_at=now,
            )
    except IntegrityError as error:
        # The same id at the same moment for another customer.
        raise TransactionIdReused(field="transaction_id") from error
    return made, False


def carry_out_decision(*, subject_id: uuid.UUID, actor: User, reason: str, now: datetime) -> GatewayTransaction:
    """Nothing of ours moves: the gateway reads what was decided and acts. Raises TransactionNotFound."""
    made = GatewayTransaction.objects.filter(pk=subject_id).first()
    if made is None:
        raise TransactionNotFound
    return made
