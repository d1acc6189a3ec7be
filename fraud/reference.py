"""The rules that are live from the start, and one in shadow that waits for a person to approve it."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from fraud.models import Rule, RuleAction, Ruleset, RuleState
from fraud.services.history import rebuild_missing


class Shipped(NamedTuple):
    code: str
    name: str
    condition: dict[str, Any]
    action: RuleAction
    customer_text: str
    state: RuleState


SHIPPED = (
    Shipped(
        "VELOCITY",
        "Many transfers in a short time",
        {
            "any": [
                {"feature": "txn_count_10min", "op": ">", "value": 5},
                {"feature": "txn_count_1hour", "op": ">", "value": 15},
            ]
        },
        RuleAction.FLAG,
        "You made more transfers in a short time than we usually see.",
        RuleState.LIVE,
    ),
    Shipped(
        "LARGE_AWAY_FROM_HOME",
        "Large amount away from home",
        {
            "all": [
                {"feature": "amount_base", "op": ">", "value": "5000.00"},
                {"feature": "away_from_home", "op": "==", "value": True},
            ]
        },
        RuleAction.FLAG,
        "This is a large payment, asked for from outside your home country.",
        RuleState.LIVE,
    ),
    Shipped(
        "LARGE_TO_NEW_PAYEE",
        "Far above the customer's usual, to a new payee",
        {
            "all": [
                {"feature": "amount_base", "op": ">", "times": 3, "of": "max_amount_90d"},
                {"feature": "is_new_beneficiary", "op": "==", "value": True},
            ]
        },
        RuleAction.FLAG,
        "This payment is much larger than your usual ones and goes to a payee you have not paid before.",
        RuleState.LIVE,
    ),
    Shipped(
        "VERY_LARGE_AWAY_TO_NEW_PAYEE",
        "Very large amount away from home to a new payee",
        {
            "all": [
                {"feature": "amount_base", "op": ">", "value": "20000.00"},
                {"feature": "away_from_home", "op": "==", "value": True},
                {"feature": "is_new_beneficiary", "op": "==", "value": True},
            ]
        },
        RuleAction.BLOCK,
        "We refused this payment to protect you: it is very large, from outside your home country, to a new payee.",
        RuleState.SHADOW,
    ),
)


def ensure() -> None:
    """Write each shipped rule whose code does not exist yet; what people made of them since is left alone.

    A bank whose decisions were made before steps were kept gets its customers' histories.
    """
    now = timezone.now()
    with transaction.atomic():
        rebuild_missing()
    Ruleset.objects.get_or_create(id=1, defaults={"changed_at": now})
    known = set(Rule.objects.filter(code__in=[shipped.code for shipped in SHIPPED]).values_list("code", flat=True))
    for shipped in SHIPPED:
        if shipped.code in known:
            continue
        Rule.objects.create(
            **shipped._asdict(),
            created_at=now,
            submitted_at=now,
            shadow_at=now if shipped.state == RuleState.SHADOW else None,
            live_at=now if shipped.state == RuleState.LIVE else None,
        )
