"""The decision about one payment, made inside the payment's own transaction."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

import numpy as np
from django.conf import settings

from common.db import require_transaction
from common.ids import new_id
from fraud.models import Decision
from fraud.queries.history import Ask, Known, known_of, known_of_each
from fraud.queries.lists import Asked, standings_of
from fraud.rules.deciding import MODEL_MISSING, Decided, decide, decide_many
from fraud.rules.entities import Entities, entities_of
from fraud.rules.facts import Confidence, Facts, Outcome, Verdict
from fraud.rules.features import SCHEMA_HASH, Value, derive, numbers
from fraud.rules.features.arithmetic import moment_of
from fraud.rules.judging import FIRST_FLAG, NOT_SCREENED, Judgement, judge, shadow_hits
from fraud.rules.lists import Standing, Told
from fraud.services import engine
from fraud.services.history import lock_customers, requested_step
from fraud.services.keeping import Row, keep_decision, keep_decisions
from fraud.services.opening import open_case
from fraud.services.silence import keep_silent


def screen(*, facts: Facts) -> Verdict:
    """Judge one payment and store the decision (and a case when a person has to look) in the caller's transaction.

    A refusal is a Verdict, not an exception. One query beside the lock and what is written, and
    a second one while lists or snoozes are in force. Raises NoTransaction.
    """
    require_transaction()
    started = time.perf_counter()
    entities = entities_of(beneficiary_ref=facts.beneficiary_ref, device=facts.device, ip=facts.ip)
    known = known_of(Ask(facts.customer_id, facts.account_ref, entities, facts.at))
    live = engine.current(known.ruleset_token)
    [standing] = standings_of([_asked(facts, known)], used=live.lists)
    vector, judgement = _judged(facts, known, live, standing)
    decided = decide(
        judgement=judgement,
        stack=live.stack,
        row=numbers(vector),
        vector=vector,
        thresholds=live.thresholds,
        currency=settings.BASE_CURRENCY,
    )
    latency_ms = (time.perf_counter() - started) * 1000
    decision = _decision(facts, entities, vector, decided, live, latency_ms)
    keep_decision(decision, _step(decision, facts, entities, known))
    _follow_up(decision, judgement, vector, live)
    return _verdict(decided, decision)


def screen_each(*, facts: Sequence[Facts]) -> list[Verdict]:
    """As `screen` for each, in their order, with few queries for all of them.

    Payments go in waves: those of one customer follow each other, and each sees the one before it; those of different
    customers share the queries of their wave, and see of its payees, devices and addresses what was there before it.
    Raises NoTransaction.
    """
    require_transaction()
    lock_customers(customer_ids={each.customer_id for each in facts})
    verdicts: dict[int, Verdict] = {}
    for wave in _waves(facts):
        verdicts.update(zip(wave, _screen_wave([facts[at] for at in wave]), strict=True))
    return [verdicts[at] for at in range(len(facts))]


def _waves(facts: Sequence[Facts]) -> list[list[int]]:
    """Places in `facts`: the first payment of each customer, then the second of those who have one, and so on."""
    seen: Counter[UUID] = Counter()
    waves: list[list[int]] = []
    for at, each in enumerate(facts):
        turn = seen[each.customer_id]
        seen[each.customer_id] += 1
        if turn == len(waves):
            waves.append([])
        waves[turn].append(at)
    return waves


def _screen_wave(facts: Sequence[Facts]) -> list[Verdict]:
    """Payments of different customers, under their locks."""
    started = time.perf_counter()
    entities = [entities_of(beneficiary_ref=each.beneficiary_ref, device=each.device, ip=each.ip) for each in facts]
    known = known_of_each(
        [Ask(each.customer_id, each.account_ref, of, each.at) for each, of in zip(facts, entities, strict=True)]
    )
    live = engine.current(known[0].ruleset_token)
    standings = standings_of([_asked(each, past) for each, past in zip(facts, known, strict=True)], used=live.lists)
    judged = [_judged(each, past, live, standing) for each, past, standing in zip(facts, known, standings, strict=True)]
    vectors = [vector for vector, _ in judged]
    decided = decide_many(
        judgements=[judgement for _, judgement in judged],
        stack=live.stack,
        rows=np.array([numbers(vector) for vector in vectors], dtype=np.float64),
        vectors=vectors,
        thresholds=live.thresholds,
        currency=settings.BASE_CURRENCY,
    )
    latency_ms = (time.perf_counter() - started) * 1000 / len(facts)
    decisions = [
        _decision(each, of, vector, found, live, latency_ms)
        for each, of, vector, found in zip(facts, entities, vectors, decided, strict=True)
    ]
    steps = map(_step, decisions, facts, entities, known)
    keep_decisions(list(zip(decisions, steps, strict=True)))
    for decision, (vector, judgement) in zip(decisions, judged, strict=True):
        _follow_up(decision, judgement, vector, live)
    return [_verdict(found, decision) for found, decision in zip(decided, decisions, strict=True)]


def _judged(facts: Facts, known: Known, live: engine.Engine, standing: Standing) -> tuple[dict[str, Value], Judgement]:
    """The payment's vector, and what the live rules make of it."""
    vector = _without(derive(facts=facts, past=known.past, at_us=known.at_us), live.features_off)
    judgement = judge(live.rules, vector, currency=settings.BASE_CURRENCY, standing=standing)
    return vector, _missing(judgement) if live.model_missing else judgement


def hold_unscreened(*, facts: Facts) -> Verdict:
    """The scorer failed or overran its budget: store a flagged decision with a case, so that a person decides.

    Only inserts, and asks no rule and no history; the payment leaves no step behind until it is released.
    Raises NoTransaction.
    """
    require_transaction()
    decided = Decided(Outcome.FLAGGED, FIRST_FLAG, (NOT_SCREENED,), {}, "", None, None)
    return _verdict(decided, _keep(facts, decided))


def keep_verdict(*, facts: Facts, verdict: Verdict) -> Verdict:
    """Store the decision of a verdict again whose own row was undone with the transaction around it, and its case.

    For a list of payments of which none is made because one was stopped: that one stays as evidence. Raises NoTransaction.
    """
    require_transaction()
    decided = Decided(
        outcome=verdict.outcome,
        score=verdict.score,
        reasons=verdict.reasons,
        layers=verdict.layers,
        primary_method=verdict.primary_method,
        confidence=Confidence(verdict.confidence) if verdict.confidence else None,
        agreement_percent=verdict.agreement_percent,
    )
    return _verdict(decided, _keep(facts, decided))


def _asked(facts: Facts, known: Known) -> Asked:
    told = Told(facts.beneficiary_ref, facts.device, facts.ip, facts.country)
    return Asked(told, facts.customer_id, facts.account_ref, moment_of(known.at_us))


def _without(vector: dict[str, Value], switched_off: frozenset[str]) -> dict[str, Value]:
    return {**vector, **dict.fromkeys(switched_off)} if switched_off else vector


def _missing(judgement: Judgement) -> Judgement:
    """Without its model the engine waves nothing through; what the rules refuse stays refused."""
    if judgement.outcome is Outcome.BLOCKED:
        return judgement
    score = max(judgement.score, FIRST_FLAG)
    reasons = (*judgement.reasons, MODEL_MISSING)
    return Judgement(Outcome.FLAGGED, score, reasons, judgement.silent)


def _verdict(decided: Decided, decision: Row) -> Verdict:
    return Verdict(
        outcome=decided.outcome,
        score=decided.score,
        reasons=decided.reasons,
        decision_id=decision["id"],
        layers=decided.layers,
        primary_method=decided.primary_method,
        confidence=decided.confidence or "",
        agreement_percent=decided.agreement_percent,
    )


def _keep(facts: Facts, decided: Decided) -> Row:
    """A decision without a vector: it leaves no step behind."""
    entities = entities_of(beneficiary_ref=facts.beneficiary_ref, device=facts.device, ip=facts.ip)
    decision = _decision(facts, entities, {}, decided, engine.NOTHING_LOADED, latency_ms=0.0)
    keep_decision(decision)
    _open_case(decision)
    return decision


def _decision(
    facts: Facts,
    entities: Entities,
    vector: dict[str, Value],
    decided: Decided,
    live: engine.Engine,
    latency_ms: float,
) -> Row:
    return {
        "id": new_id(),
        "subject_kind": facts.subject_kind,
        "subject_id": facts.subject_id,
        "customer_id": facts.customer_id,
        "account_ref": facts.account_ref,
        "account_label": facts.account_label[:80],
        "amount_minor": facts.amount_minor,
        "currency": facts.currency,
        "amount_base_minor": facts.amount_base_minor,
        "at": facts.at,
        "transfer_type": facts.transfer_type,
        "channel": facts.channel,
        "beneficiary_ref": facts.beneficiary_ref,
        "beneficiary_label": facts.beneficiary_label[:120],
        "ip": entities.address,
        "country": facts.country,
        "home_country": facts.home_country,
        "device": facts.device[:200],
        "outcome": decided.outcome,
        "score": decided.score,
        "layers": dict(decided.layers),
        "primary_method": decided.primary_method,
        "confidence": decided.confidence or "",
        "agreement_percent": decided.agreement_percent,
        "model_id": live.model_id,
        "reasons": [asdict(reason) for reason in decided.reasons],
        "rule_versions": live.rule_versions,
        "features": vector,
        # Nothing was computed for a payment that was not screened, and nobody shall learn from it.
        "schema_hash": SCHEMA_HASH if vector else "",
        "latency_ms": latency_ms,
    }


def _step(decision: Row, facts: Facts, entities: Entities, known: Known) -> Row:
    settled = decision["outcome"] == Outcome.APPROVED
    return requested_step(decision["id"], facts, entities=entities, known=known, settled=settled)


def _follow_up(decision: Row, judgement: Judgement, vector: dict[str, Value], live: engine.Engine) -> None:
    """What few payments have: rules that hit and were quiet or in shadow, and a case."""
    if hits := judgement.silent + shadow_hits(live.shadow, vector):
        keep_silent(decision["id"], hits)
    if decision["outcome"] != Outcome.APPROVED:
        _open_case(decision)


def _open_case(decision: Row) -> None:
    """A person looks at what was not approved."""
    codes = [reason["code"] for reason in decision["reasons"]]
    open_case(decision=Decision(**decision), outcome=decision["outcome"], codes=codes, score=decision["score"])
