"""The decision about one payment, made inside the payment's own transaction."""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import asdict, dataclass

from django.conf import settings

from common.db import require_transaction
from fraud import queries
from fraud.errors import InvalidCondition
from fraud.models import Case, Decision, Rule, RuleAction
from fraud.queries.history import known_of
from fraud.rules import conditions, wording
from fraud.rules.entities import address_of, entities_of
from fraud.rules.facts import Facts, Outcome, Verdict
from fraud.rules.features import SCHEMA_HASH, Value, derive
from fraud.rules.features.arithmetic import microseconds
from fraud.rules.judging import FIRST_FLAG, NOT_SCREENED, Judgement, LiveRule, judge
from fraud.services.history import lock_customer, remember_request

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Ruleset:
    token: uuid.UUID | None
    rules: tuple[LiveRule, ...]


_NOTHING_LOADED = _Ruleset(uuid.UUID(int=0), ())
# One per process; replaced whole, so threads see the old set or the new one.
_loaded: _Ruleset = _NOTHING_LOADED


def screen(*, facts: Facts) -> Verdict:
    """Judge one payment and store the decision (and a case when a person has to look) in the caller's transaction.

    A refusal is a Verdict, not an exception. Two indexed queries beside the lock and what is written.
    Raises NoTransaction.
    """
    require_transaction()
    started = time.perf_counter()
    lock_customer(customer_id=facts.customer_id)
    entities = entities_of(beneficiary_ref=facts.beneficiary_ref, device=facts.device, ip=facts.ip)
    known = known_of(customer_id=facts.customer_id, account_ref=facts.account_ref, entities=entities, at=facts.at)
    rules = _live_rules(known.ruleset_token)
    vector = derive(facts=facts, past=known.past, at_us=microseconds(known.at))
    judgement = judge(rules, vector, currency=settings.BASE_CURRENCY)
    latency_ms = (time.perf_counter() - started) * 1000
    decision = _store(facts, vector, judgement, rules, latency_ms)
    remember_request(facts=facts, entities=entities, known=known, decision=decision)
    return Verdict(judgement.outcome, judgement.score, judgement.reasons, decision.pk)


def hold_unscreened(*, facts: Facts) -> Verdict:
    """The scorer failed or overran its budget: store a flagged decision with a case, so that a person decides.

    Only inserts, and asks no rule and no history; the payment leaves no step behind until it is released.
    Raises NoTransaction.
    """
    require_transaction()
    judgement = Judgement(Outcome.FLAGGED, FIRST_FLAG, (NOT_SCREENED,))
    decision = _store(facts, {}, judgement, (), latency_ms=0.0)
    return Verdict(judgement.outcome, judgement.score, judgement.reasons, decision.pk)


def keep_verdict(*, facts: Facts, verdict: Verdict) -> Verdict:
    """Store the decision of a verdict again whose own row was undone with the transaction around it, and its case.

    For a list of payments of which none is made because one was stopped: that one stays as evidence. Raises NoTransaction.
    """
    require_transaction()
    decision = _store(facts, {}, Judgement(verdict.outcome, verdict.score, verdict.reasons), (), latency_ms=0.0)
    return Verdict(verdict.outcome, verdict.score, verdict.reasons, decision.pk)


def compile_rule(rule: Rule) -> LiveRule:
    """A stored rule as the engine runs it; a condition that cannot be read any more is logged and left empty."""
    node = None
    sentence = ""
    try:
        node = conditions.parse(rule.condition, currency=settings.BASE_CURRENCY)
        sentence = wording.sentence(node, currency=settings.BASE_CURRENCY)
    except InvalidCondition as error:
        logger.exception("live fraud rule cannot be read", extra={"rule": str(rule), "path": error.path})
    return LiveRule(
        code=rule.code,
        version=rule.version,
        blocks=rule.action == RuleAction.BLOCK,
        customer_text=rule.customer_text,
        sentence=sentence,
        node=node,
    )


def _live_rules(token: uuid.UUID | None) -> tuple[LiveRule, ...]:
    global _loaded
    loaded = _loaded
    if loaded.token != token:
        loaded = _Ruleset(token, tuple(compile_rule(rule) for rule in queries.live_rules()))
        _loaded = loaded
    return loaded.rules


def _store(
    facts: Facts, vector: dict[str, Value], judgement: Judgement, rules: tuple[LiveRule, ...], latency_ms: float
) -> Decision:
    decision = Decision.objects.create(
        subject_kind=facts.subject_kind,
        subject_id=facts.subject_id,
        customer_id=facts.customer_id,
        account_ref=facts.account_ref,
        account_label=facts.account_label[:80],
        amount_minor=facts.amount_minor,
        currency=facts.currency,
        amount_base_minor=facts.amount_base_minor,
        at=facts.at,
        transfer_type=facts.transfer_type,
        channel=facts.channel,
        beneficiary_ref=facts.beneficiary_ref,
        beneficiary_label=facts.beneficiary_label[:120],
        ip=address_of(facts.ip),
        country=facts.country,
        home_country=facts.home_country,
        device=facts.device[:200],
        outcome=judgement.outcome,
        score=judgement.score,
        reasons=[asdict(reason) for reason in judgement.reasons],
        rule_versions={rule.code: rule.version for rule in rules},
        features=vector,
        # Nothing was computed for a payment that was not screened, and nobody shall learn from it.
        schema_hash=SCHEMA_HASH if vector else "",
        latency_ms=latency_ms,
    )
    if judgement.outcome is not Outcome.APPROVED:
        Case.objects.create(
            decision=decision,
            subject_kind=facts.subject_kind,
            subject_id=facts.subject_id,
            customer_id=facts.customer_id,
            beneficiary_ref=facts.beneficiary_ref,
            transfer_type=facts.transfer_type,
            amount_base_minor=facts.amount_base_minor,
            outcome=judgement.outcome,
            opened_at=facts.at,
        )
    return decision
