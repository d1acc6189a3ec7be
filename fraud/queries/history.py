"""What features need to know of the past, in a query that reads a bounded number of rows, however busy the account."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from common.rows import Prepared
from fraud.rules.entities import Entities
from fraud.rules.features import Past
from fraud.rules.features.arithmetic import STARTS, UNKNOWN
from fraud.rules.features.table import ENTITIES, RISK_DAYS


class Totals(NamedTuple):
    """Running totals of one step; all zero before the first."""

    transfers: int = 0
    requests: int = 0
    sent_total_minor: int = 0
    settled: int = 0
    settled_total_minor: int = 0
    squares_high: int = 0
    squares_low: int = 0
    abroad: int = 0
    risky: int = 0
    own: int = 0
    account_changes: int = 0


# The token of what is live rides along.
_KNOWN = Prepared(
    """
SELECT (SELECT token FROM fraud_ruleset WHERE id = 1),
       fraud_known(%(lock)s, %(customer)s, %(account)s, %(at)s, %(beneficiary)s, %(device)s, %(ip)s)
"""
)
# The same question about many payments at once.
_KNOWN_OF_EACH = Prepared(
    """
SELECT (SELECT token FROM fraud_ruleset WHERE id = 1),
       fraud_known(ask.lock, ask.customer, ask.account, ask.at, ask.beneficiary, ask.device, ask.ip)
  FROM unnest(%(locks)s::int[], %(customers)s::uuid[], %(accounts)s::uuid[], %(moments)s::timestamptz[],
              %(beneficiaries)s::bigint[], %(devices)s::bigint[], %(ips)s::bigint[])
       WITH ORDINALITY AS ask (lock, customer, account, at, beneficiary, device, ip, place)
 ORDER BY ask.place
"""
)
_RISKS = len(ENTITIES) * len(RISK_DAYS)
_WINDOWS = len(STARTS)
_NO_FRAUDS = (0,) * _RISKS
_NO_DIFFERENCE = (0,) * (len(Totals._fields) + 1)


class Known(NamedTuple):
    """The past of a customer as features see it, and what the next step builds on.

    `at_us` is the moment that counts: the payment's own, or the last step's where a clock went back. `number` and
    `totals` are the last step's, `moves` says that it was made from another account. `ruleset_token` is that of the live
    rules, None before the first. Moments are microseconds of 1970. `largest_number` is the step of the largest amount in 90 days.
    """

    past: Past
    at_us: int
    number: int
    totals: Totals
    moves: bool
    first_us: int | None
    last_request_us: int | None
    largest_number: int | None
    ruleset_token: uuid.UUID | None


def lock_key(customer_id: uuid.UUID) -> int:
    """What a customer's advisory lock is called."""
    return int.from_bytes(customer_id.bytes[:4], "big", signed=True)


class Ask(NamedTuple):
    """Whose past is asked for, and at which payment."""

    customer_id: uuid.UUID
    account_ref: uuid.UUID
    entities: Entities
    at: datetime


def known_of(ask: Ask) -> Known:
    """What is known at a payment, under the customer's lock, which lasts until the transaction ends; one query."""
    entities = ask.entities
    [(token, found)] = _KNOWN.all(
        {
            "lock": lock_key(ask.customer_id),
            "customer": ask.customer_id,
            "account": ask.account_ref,
            "at": ask.at,
            "beneficiary": entities.beneficiary,
            "device": entities.device,
            "ip": entities.ip,
        }
    )
    return _known(token, found)


def known_of_each(asked: Sequence[Ask]) -> list[Known]:
    """As `known_of` for payments of different customers; one query. Call under the customers' locks."""
    rows = _KNOWN_OF_EACH.all(
        {
            "locks": [lock_key(ask.customer_id) for ask in asked],
            "customers": [ask.customer_id for ask in asked],
            "accounts": [ask.account_ref for ask in asked],
            "moments": [ask.at for ask in asked],
            "beneficiaries": [ask.entities.beneficiary for ask in asked],
            "devices": [ask.entities.device for ask in asked],
            "ips": [ask.entities.ip for ask in asked],
        }
    )
    return [_known(token, found) for token, found in rows]


def _known(token: uuid.UUID | None, found: Sequence[Sequence[Any]]) -> Known:
    """The rows that `fraud_known` describes; a customer without a step has gaps in them."""
    head, now, ten, counts, *windows = found
    number, now_us, first_us, request_us, moves, changes, largest, largest_number, ever, month_ever, reported, _ = head
    frauds = tuple(windows.pop()[:_RISKS]) if reported else _NO_FRAUDS
    empty: list[Sequence[Any]] = [_NO_DIFFERENCE] * (_WINDOWS - len(windows))
    half_minute, ten_minutes, hour, day, week, month, quarter = empty + windows
    past = Past(
        transfers_30s=half_minute[1],
        transfers_10min=ten_minutes[1],
        transfers_1hour=hour[1],
        transfers_24hour=day[1],
        requests_1hour=hour[2],
        requests_24hour=day[2],
        requests_30d=month[2],
        sent_1hour_minor=hour[3],
        sent_24hour_minor=day[3],
        settled_7d=week[4],
        settled_7d_minor=week[5],
        settled_30d=month[4],
        settled_30d_minor=month[5],
        squares_30d=(month[6], month[7]),
        settled_90d=quarter[4],
        settled_90d_minor=quarter[5],
        squares_90d=(quarter[6], quarter[7]),
        settled_last10=ten[4] or 0,
        settled_last10_minor=ten[5] or 0,
        squares_last10=(ten[6] or 0, ten[7] or 0),
        abroad_90d=quarter[8],
        risky_30d=month[9],
        own_30d=month[10],
        other_accounts_30d=changes,
        largest_90d_minor=UNKNOWN if largest is None else largest,
        since_last_us=_since(request_us, now_us),
        since_first_us=UNKNOWN if first_us is None else now_us - first_us,
        payee_settled=ever,
        payee_settled_30d=month_ever,
        entity_counts=tuple(counts[:_RISKS]),
        entity_frauds=frauds,
    )
    totals = Totals._make(now[:-1])
    return Known(past, now_us, number or 0, totals, bool(moves), first_us, request_us, largest_number, token)


def _since(moment_us: int | None, now_us: int) -> int:
    """Microseconds within 90 days, UNKNOWN beyond."""
    if moment_us is None:
        return UNKNOWN
    passed = now_us - moment_us
    return passed if passed < STARTS["90d"] else UNKNOWN
