"""What is live in this process: rules, model and switches, loaded together and replaced whole when the token changes."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from functools import cached_property

from django.conf import settings

from fraud import queries
from fraud.errors import InvalidCondition
from fraud.models import ModelVersion, Rule, RuleAction, Ruleset, RuleState
from fraud.queries.lists import NOTHING_IN_USE, InUse, in_use
from fraud.rules import conditions, wording
from fraud.rules.deciding import Thresholds
from fraud.rules.judging import LiveRule
from fraud.rules.learning.artifact import BrokenArtifact
from fraud.rules.learning.stack import Stack
from fraud.services.unsealing import opened

logger = logging.getLogger(__name__)


DEFAULT_THRESHOLDS = Thresholds()


@dataclass(frozen=True, eq=False)
class Engine:
    """`model_missing` when a champion exists and no version can be opened: then every payment waits for a person.

    `rules` are the live ones; those in `shadow` are asked too and decide nothing.
    `stack` holds the layers that take part; `opened_stack` all of them, so that a switch does not load files again.
    """

    token: uuid.UUID | None
    rules: tuple[LiveRule, ...] = ()
    shadow: tuple[LiveRule, ...] = ()
    lists: InUse = NOTHING_IN_USE
    model_id: uuid.UUID | None = None
    opened_stack: Stack | None = None
    model_missing: bool = False
    layers_off: frozenset[str] = frozenset()
    features_off: frozenset[str] = frozenset()
    thresholds: Thresholds = DEFAULT_THRESHOLDS

    @cached_property
    def rule_versions(self) -> dict[str, int]:
        """What a decision says it was asked."""
        return {rule.code: rule.version for rule in self.rules}

    @cached_property
    def stack(self) -> Stack:
        return {name: scaled for name, scaled in (self.opened_stack or {}).items() if name not in self.layers_off}


NOTHING_LOADED = Engine(uuid.UUID(int=0))
# One per process; replaced whole, so threads see the old set or the new one.
_loaded: Engine = NOTHING_LOADED


def current(token: uuid.UUID | None) -> Engine:
    """The engine of this token; anything older is loaded anew."""
    global _loaded
    loaded = _loaded
    if loaded.token != token:
        loaded = _load(token, loaded)
        _loaded = loaded
    return loaded


def now_in_charge() -> Engine:
    """The engine as the next payment would find it."""
    return current(Ruleset.objects.filter(pk=1).values_list("token", flat=True).first())


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
        rule_id=rule.pk,
    )


def _load(token: uuid.UUID | None, before: Engine) -> Engine:
    switches = queries.switches()
    asked = queries.asked_rules()
    model_id, stack, missing = _model(before)
    return Engine(
        token=token,
        rules=tuple(compile_rule(rule) for rule in asked if rule.state == RuleState.LIVE),
        shadow=tuple(compile_rule(rule) for rule in asked if rule.state == RuleState.SHADOW),
        lists=in_use(),
        model_id=model_id,
        opened_stack=stack,
        model_missing=missing,
        layers_off=switches.layers_off,
        features_off=switches.features_off,
        thresholds=switches.thresholds,
    )


def _model(before: Engine) -> tuple[uuid.UUID | None, Stack | None, bool]:
    """The champion; if it does not pass its checks, what this process served before, or the last one that passes."""
    candidates = queries.champions()
    for version in candidates:
        if before.model_id == version.pk:
            return before.model_id, before.opened_stack, False
        stack = _open(version)
        if stack is not None:
            return version.pk, stack, False
        if before.opened_stack is not None:
            return before.model_id, before.opened_stack, False
    return None, None, bool(candidates)


def _open(version: ModelVersion) -> Stack | None:
    try:
        return opened(version).stack
    except BrokenArtifact:
        logger.exception("fraud model refused, the one before it stays", extra={"model": version.number})
        return None
