"""Transactions of outside gateways: scored once, whoever asks again gets the same answer."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from time import monotonic

from django.db import IntegrityError, transaction

from common.db import require_transaction, use_case
from common.errors import DomainError
from common.money import Money
from fraud import rates
from fraud.errors import NotScoredInTime, TransactionIdReused, TransactionNotFound
from fraud.models import GatewayTransaction
from fraud.rules.facts import Facts, Verdict
from fraud.rules.gateway import Gateway, Told, customer_of, facts_of
from fraud.services.budget import all_in_time, in_time
from fraud.services.history import lock_customer, lock_customers
from fraud.services.screening import hold_unscreened, screen, screen_each
from fraud.services.webhooks import tell_gateway
from identity.models import User

# A gateway's customer stands at a till: a scorer that takes longer has failed, and a person decides.
BUDGET_SECONDS = 2.0
# Transactions of a batch that share a transaction of the database, and so the time that others wait for their customers.
BATCH_CHUNK = 500
BATCH_CHUNK_SECONDS = 10.0
# Below what the web server allows a request.
BATCH_SECONDS = 40.0


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
        return _same(known, told), True
    facts = _facts(told, gateway, money, now)
    verdict = in_time(lambda: screen(facts=facts), subject_id=facts.subject_id, seconds=BUDGET_SECONDS)
    if verdict is None:
        verdict = hold_unscreened(facts=facts)
    made = _row(told, gateway, facts, verdict, now)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError as error:
        # The same id at the same moment for another customer.
        raise TransactionIdReused(field="transaction_id") from error
    return made, False


Analyzed = GatewayTransaction | DomainError


def analyze_each(
    *, gateway: Gateway, told: Mapping[int, Told], now: datetime, seconds: float = BATCH_SECONDS
) -> dict[int, Analyzed]:
    """Score many transactions, in their order, each with an answer of its own: made, known already, or why not.

    A few hundred share a transaction of the database; what was scored stays, so a batch that was interrupted is sent
    again. What is left after `seconds` is told `not_scored_in_time`. Must not be called inside a transaction.
    """
    started = monotonic()
    answers: dict[int, Analyzed] = {}
    for places in _chunks(told):
        if monotonic() - started > seconds:
            answers.update((place, NotScoredInTime()) for place in places)
            continue
        chunk = {place: told[place] for place in places}
        try:
            with use_case():
                answers.update(_analyze_chunk(gateway, chunk, now))
        except IntegrityError:
            # Another call scored one of these meanwhile: one by one they find it.
            answers.update((place, _analyze_alone(gateway, one, now)) for place, one in chunk.items())
    return answers


def _chunks(told: Mapping[int, Told]) -> Iterator[list[int]]:
    places = iter(told)
    while chunk := list(islice(places, BATCH_CHUNK)):
        yield chunk


def _analyze_alone(gateway: Gateway, told: Told, now: datetime) -> Analyzed:
    try:
        with use_case():
            return analyze_within(gateway=gateway, told=told, now=now)[0]
    except DomainError as refusal:
        return refusal


def _analyze_chunk(gateway: Gateway, told: Mapping[int, Told], now: datetime) -> dict[int, Analyzed]:
    lock_customers(customer_ids={customer_of(one, gateway=gateway) for one in told.values()})
    references = [one.transaction_id for one in told.values()]
    found = GatewayTransaction.objects.filter(client_id=gateway.client_id, reference__in=references)
    known = {row.reference: row for row in found}
    answers: dict[int, Analyzed] = {}
    fresh: dict[str, tuple[Told, Facts]] = {}
    for place, one in told.items():
        first = fresh.get(one.transaction_id)
        try:
            if one.transaction_id in known:
                answers[place] = _same(known[one.transaction_id], one)
            elif first is None:
                fresh[one.transaction_id] = (one, _facts(one, gateway, one.money, now))
            elif first[0] != one:
                raise TransactionIdReused(field="transaction_id")
        except DomainError as refusal:
            answers[place] = refusal
    made = {row.reference: row for row in _score(gateway, list(fresh.values()), now)}
    return {place: answers[place] if place in answers else made[one.transaction_id] for place, one in told.items()}


def _score(gateway: Gateway, fresh: Sequence[tuple[Told, Facts]], now: datetime) -> list[GatewayTransaction]:
    if not fresh:
        return []
    facts = [each for _, each in fresh]
    verdicts = all_in_time(
        lambda: screen_each(facts=facts), subject_id=facts[0].subject_id, seconds=BATCH_CHUNK_SECONDS
    )
    if verdicts is None:
        verdicts = [hold_unscreened(facts=each) for each in facts]
    rows = [_row(told, gateway, each, verdict, now) for (told, each), verdict in zip(fresh, verdicts, strict=True)]
    return GatewayTransaction.objects.bulk_create(rows)


def _same(known: GatewayTransaction, told: Told) -> GatewayTransaction:
    if known.content_sha256 != told.digest:
        raise TransactionIdReused(field="transaction_id")
    return known


def _facts(told: Told, gateway: Gateway, money: Money, now: datetime) -> Facts:
    return facts_of(
        told,
        gateway=gateway,
        subject_id=uuid.uuid4(),
        money=money,
        amount_base_minor=rates.to_base(money),
        now=now,
    )


def _row(told: Told, gateway: Gateway, facts: Facts, verdict: Verdict, now: datetime) -> GatewayTransaction:
    return GatewayTransaction(
        id=facts.subject_id,
        client_id=gateway.client_id,
        reference=told.transaction_id,
        content_sha256=told.digest,
        decision_id=verdict.decision_id,
        created_at=now,
    )


def release_transaction(*, subject_id: uuid.UUID, actor: User, reason: str, now: datetime) -> GatewayTransaction:
    """Nothing of ours moves: the gateway is told, or reads, that it may go on. Raises TransactionNotFound."""
    return _decided(subject_id, "APPROVED", now)


def decline_transaction(*, subject_id: uuid.UUID, actor: User, reason: str, now: datetime) -> GatewayTransaction:
    """As `release_transaction`, for a refusal. Raises TransactionNotFound."""
    return _decided(subject_id, "REJECTED", now)


def _decided(subject_id: uuid.UUID, status: str, now: datetime) -> GatewayTransaction:
    made = GatewayTransaction.objects.filter(pk=subject_id).first()
    if made is None:
        raise TransactionNotFound
    tell_gateway(made, status=status, now=now)
    return made
