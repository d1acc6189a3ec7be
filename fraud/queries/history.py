"""What features need to know of the past, in a query that reads a bounded number of rows, however busy the account."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


NOTHING = Totals()
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
# Where the answer's parts lie: what is known of the last step, totals at the ends of the windows, payments and frauds of
# payee, device and address.
_HEAD = 9
_RISKS = len(ENTITIES) * len(RISK_DAYS)
_WIDTH = len(Totals._fields)
_ENDS = ("now", *STARTS, "last10")


@dataclass(frozen=True, slots=True)
class Known:
    """The past of a customer as features see it, and what the next step builds on.

    `at_us` is the moment that counts: the payment's own, or the last step's where a clock went back. `number` and
    `totals` are the last step's, `moves` says that it was made from another account. `ruleset_token` is that of the live
    rules, None before the first. Moments are microseconds of 1970.
    """

    past: Past
    at_us: int
    number: int
    totals: Totals
    moves: bool
    first_us: int | None
    last_request_us: int | None
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


def _known(token: uuid.UUID | None, found: Sequence[Any]) -> Known:
    number, now_us, first_us, request_us, moves, largest, changes, ever, before = found[:_HEAD]
    windows = _totals(found[_HEAD : -2 * _RISKS])
    last = windows["now"]
    past = Past(
        **_differences(last, windows),
        other_accounts_30d=0 if changes is None else last.account_changes - changes + moves,
        largest_90d_minor=UNKNOWN if largest is None else largest,
        since_last_us=_since(request_us, now_us),
        since_first_us=UNKNOWN if first_us is None else now_us - first_us,
        payee_settled=ever,
        payee_settled_30d=ever - before,
        entity_counts=tuple(found[-2 * _RISKS : -_RISKS]),
        entity_frauds=tuple(found[-_RISKS:]),
    )
    return Known(past, now_us, number or 0, last, bool(moves), first_us, request_us, token)


def _totals(numbers: Sequence[int]) -> Mapping[str, Totals]:
    """Totals by the end of a window; none at all before the first step."""
    if len(numbers) == _WIDTH:
        return dict.fromkeys(_ENDS, NOTHING)
    parts = (numbers[at : at + _WIDTH] for at in range(0, len(numbers), _WIDTH))
    return dict(zip(_ENDS, map(Totals._make, parts), strict=True))


def _differences(last: Totals, windows: Mapping[str, Totals]) -> dict[str, Any]:
    """What happened in each window: the totals now less those at its beginning."""
    half_minute, ten_minutes, hour, day = windows["30s"], windows["10min"], windows["1hour"], windows["24hour"]
    week, month, quarter, ten = windows["7d"], windows["30d"], windows["90d"], windows["last10"]
    return {
        "transfers_30s": last.transfers - half_minute.transfers,
        "transfers_10min": last.transfers - ten_minutes.transfers,
        "transfers_1hour": last.transfers - hour.transfers,
        "transfers_24hour": last.transfers - day.transfers,
        "requests_1hour": last.requests - hour.requests,
        "requests_24hour": last.requests - day.requests,
        "requests_30d": last.requests - month.requests,
        "sent_1hour_minor": last.sent_total_minor - hour.sent_total_minor,
        "sent_24hour_minor": last.sent_total_minor - day.sent_total_minor,
        "settled_7d": last.settled - week.settled,
        "settled_7d_minor": last.settled_total_minor - week.settled_total_minor,
        "settled_30d": last.settled - month.settled,
        "settled_30d_minor": last.settled_total_minor - month.settled_total_minor,
        "squares_30d": _squares(last, month),
        "settled_90d": last.settled - quarter.settled,
        "settled_90d_minor": last.settled_total_minor - quarter.settled_total_minor,
        "squares_90d": _squares(last, quarter),
        "settled_last10": last.settled - ten.settled,
        "settled_last10_minor": last.settled_total_minor - ten.settled_total_minor,
        "squares_last10": _squares(last, ten),
        "abroad_90d": last.abroad - quarter.abroad,
        "risky_30d": last.risky - month.risky,
        "own_30d": last.own - month.own,
    }


def _squares(last: Totals, start: Totals) -> tuple[int, int]:
    return last.squares_high - start.squares_high, last.squares_low - start.squares_low


def _since(moment_us: int | None, now_us: int) -> int:
    """Microseconds within 90 days, UNKNOWN beyond."""
    if moment_us is None:
        return UNKNOWN
    passed = now_us - moment_us
    return passed if passed < STARTS["90d"] else UNKNOWN
