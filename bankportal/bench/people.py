"""Customers who can pay each other: made by the demo's own steps, without its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic, sleep
from uuid import UUID

from accounts import services as accounts
from bankportal.demo import identity_checks, staff
from bankportal.demo.people import people
from common.db import use_case
from common.money import Money
from fraud import services as fraud
from fraud.models import Rule, RuleState
from fraud.services import backtests
from identity.models import User
from ledger import services as ledger

SEED = 20_260_118
OPENING_MINOR = 1_000_000_00
# So many open their accounts in one commit.
_CHUNK = 50
_TRIED_AFTER_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Member:
    """A customer with one current account in EUR."""

    user: User
    account_id: UUID
    ledger_account_id: int
    number: str


def prepare(
    *, count: int, password: str, now: datetime, opening_minor: int = OPENING_MINOR, accounts_each: int = 1
) -> list[Member]:
    """`count` customers with money, and a rule on velocity that lets a bench through: it is still asked each time.

    One member for each account; those of one customer follow each other.
    """
    persons = people(count=count, seed=SEED)
    since = now - timedelta(days=2)
    ledger.make_months(since=since, until=now)
    team = staff.ensure_staff(password=password, now=since)
    users = staff.ensure_customers(persons=persons, password=password, joined_at=since)
    officer = team["compliance@demo.example"]
    identity_checks.ensure_approved(persons=persons, users=users, officer=officer, decided_at=since)
    let_through(maker=officer, checker=team["compliance2@demo.example"], now=now)
    owners = [(users[person.index], number) for person in persons for number in range(accounts_each)]
    return _open(owners, opening_minor=opening_minor, now=since)


def _open(owners: Sequence[tuple[User, int]], *, opening_minor: int, now: datetime) -> list[Member]:
    members = []
    for start in range(0, len(owners), _CHUNK):
        with use_case():
            for user, number in owners[start : start + _CHUNK]:
                account = accounts.open_account_within(
                    actor=user,
                    owner=user,
                    product_code="CUR-EUR",
                    opening=Money(opening_minor, "EUR"),
                    source=accounts.sandbox(),
                    client_id=staff.stable_id("account", user.email, number),
                    now=now,
                ).account
                members.append(Member(user, account.pk, account.ledger_account_id, account.number))
    return members


def let_through(*, maker: User, checker: User, now: datetime) -> None:
    """Put a version of the rule on velocity live that no benchmark reaches."""
    live = Rule.objects.get(code="VELOCITY", state=RuleState.LIVE)
    rule = fraud.new_version(actor=maker, rule_id=live.pk, now=now)
    condition = {
        "any": [{"feature": name, "op": ">", "value": 1_000_000} for name in ("txn_count_10min", "txn_count_1hour")]
    }
    fraud.update_rule(
        actor=maker,
        rule_id=rule.pk,
        name=live.name,
        condition=condition,
        action=live.action,
        customer_text=live.customer_text,
    )
    fraud.submit_rule(actor=maker, rule_id=rule.pk, reason="A bench pays faster than people do.", now=now)
    _try_on_the_past(Rule.objects.get(pk=rule.pk), now=now)
    fraud.shadow_rule(actor=maker, rule_id=rule.pk, reason="Nothing to watch on a throwaway bank.", now=now)
    fraud.approve_rule(actor=checker, rule_id=rule.pk, reason="A throwaway bank.", now=now)


def _try_on_the_past(rule: Rule, *, now: datetime) -> None:
    """Work off what waits. A bank that is running has workers, who may be at it already; they are waited for."""
    for backtest_id in backtests.waiting(now=now):
        backtests.run_backtest(backtest_id=backtest_id, now=now)
    until = monotonic() + _TRIED_AFTER_SECONDS
    while not backtests.was_tried(rule) and monotonic() < until:
        sleep(0.1)
