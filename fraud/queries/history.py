"""What features need to know of the past, in a query that reads a bounded number of rows, however busy the account."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import sub
from typing import Any, NamedTuple

from common.rows import Prepared
from fraud.rules.entities import Entities
from fraud.rules.features import Past
from fraud.rules.features.arithmetic import LATEST, STARTS, TEN, UNKNOWN, microseconds
from fraud.rules.features.table import RISK_DAYS


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
_TOTALS = ", ".join(f"found.{name}" for name in Totals._fields)
_STARTS = ", ".join(f"('{name}', interval '{length} microseconds')" for name, length in STARTS.items())


def _risk_of(entity: str, column: str) -> str:
    """Payments and confirmed frauds of one entity in each of RISK_DAYS."""
    counts, frauds = (
        ", ".join(f"count(*) FILTER (WHERE {moment} > moment.now - interval '{days} days')" for days in RISK_DAYS)
        for moment in ("at", "known_at")
    )
    month = f"moment.now - interval '{RISK_DAYS[-1]} days'"
    return f"""
       (SELECT ARRAY[{counts}] FROM (
           SELECT at FROM fraud_activity
            WHERE {column} = %({entity})s AND requested AND at > {month} AND at <= moment.now
            ORDER BY at DESC LIMIT {LATEST}) AS latest),
       (SELECT ARRAY[{frauds}] FROM fraud_entityreport
         WHERE key = %({entity})s AND is_fraud AND known_at > {month} AND known_at <= moment.now)"""  # noqa: S608 (our own columns)


_COLUMNS: Mapping[str, str] = {"beneficiary": "payee_key", "device": "device_key", "ip": "ip_key"}
# The ends of the windows, then what else is asked of the customer's steps, then of payee, device and address. `now`
# never lies before the customer's last step.
_KNOWN_TEXT = f"""
WITH last AS MATERIALIZED (
    SELECT number, at, account_ref, first_at, last_request_at
      FROM fraud_activity WHERE customer_id = %(customer)s ORDER BY number DESC LIMIT 1
), moment AS MATERIALIZED (
    SELECT greatest(%(at)s, (SELECT at FROM last)) AS now
), ends AS (
    SELECT start.name, {_TOTALS}
      FROM (VALUES ('now', interval '0'), {_STARTS}) AS start (name, length), moment,
           LATERAL (SELECT * FROM fraud_activity
                     WHERE customer_id = %(customer)s AND at <= moment.now - start.length
                     ORDER BY at DESC, number DESC LIMIT 1) AS found
    UNION ALL
    SELECT 'last10', {_TOTALS}
      FROM last, fraud_activity AS found
     WHERE found.customer_id = %(customer)s AND found.number = last.number - {TEN}
)
SELECT (SELECT token FROM fraud_ruleset WHERE id = 1),
       (SELECT json_object_agg(name, json_build_array({", ".join(Totals._fields)})) FROM ends),
       last.number, moment.now, last.account_ref, last.first_at, last.last_request_at,
       (SELECT max(settled_minor) FROM fraud_activity
         WHERE customer_id = %(customer)s AND number > last.number - {LATEST} AND at > moment.now - interval '90 days'),
       (SELECT account_changes FROM fraud_activity
         WHERE customer_id = %(customer)s AND at > moment.now - interval '30 days' ORDER BY at, number LIMIT 1),
       coalesce((SELECT payee_settled FROM fraud_activity
                  WHERE customer_id = %(customer)s AND payee_key = %(beneficiary)s
                  ORDER BY at DESC, number DESC LIMIT 1), 0),
       coalesce((SELECT payee_settled FROM fraud_activity
                  WHERE customer_id = %(customer)s AND payee_key = %(beneficiary)s AND at <= moment.now - interval '30 days'
                  ORDER BY at DESC, number DESC LIMIT 1), 0),
       {",".join(_risk_of(entity, column) for entity, column in _COLUMNS.items())}
  FROM moment LEFT JOIN last ON true
"""  # noqa: S608 (our own names and lengths)
_KNOWN = Prepared(_KNOWN_TEXT)
# The same question about many payments at once.
_KNOWN_OF_EACH = Prepared(
    """
SELECT known.*
  FROM unnest(%(customers)s::uuid[], %(moments)s::timestamptz[], %(beneficiaries)s::bigint[], %(devices)s::bigint[],
              %(ips)s::bigint[]) WITH ORDINALITY AS ask (customer, at, beneficiary, device, ip, place),
       LATERAL ("""
    + re.sub(r"%\((\w+)\)s", r"ask.\1", _KNOWN_TEXT)
    + ") AS known ORDER BY ask.place"
)


@dataclass(frozen=True, slots=True)
class Known:
    """The past of a customer as features see it, and what the next step builds on.

    `at` is the moment that counts: the payment's own, or the last step's where a clock went back. `number` and
    `totals` are the last step's. `ruleset_token` is that of the live rules, None before the first.
    """

    past: Past
    at: datetime
    number: int
    totals: Totals
    account_ref: uuid.UUID | None
    first_at: datetime | None
    last_request_at: datetime | None
    ruleset_token: uuid.UUID | None


def known_of(*, customer_id: uuid.UUID, account_ref: uuid.UUID, entities: Entities, at: datetime) -> Known:
    """What is known at a payment; one query. Call under the customer's lock."""
    asked = {"beneficiary": entities.beneficiary, "device": entities.device, "ip": entities.ip}
    [row] = _KNOWN.all({"customer": customer_id, "at": at, **asked})
    return _known(row, account_ref)


class Ask(NamedTuple):
    """Whose past is asked for, and at which payment."""

    customer_id: uuid.UUID
    account_ref: uuid.UUID
    entities: Entities
    at: datetime


def known_of_each(asked: Sequence[Ask]) -> list[Known]:
    """As `known_of` for payments of different customers; one query. Call under the customers' locks."""
    rows = _KNOWN_OF_EACH.all(
        {
            "customers": [ask.customer_id for ask in asked],
            "moments": [ask.at for ask in asked],
            "beneficiaries": [ask.entities.beneficiary for ask in asked],
            "devices": [ask.entities.device for ask in asked],
            "ips": [ask.entities.ip for ask in asked],
        }
    )
    return [_known(row, ask.account_ref) for row, ask in zip(rows, asked, strict=True)]


def _known(row: Sequence[Any], account_ref: uuid.UUID) -> Known:
    token, ends, number, now, account, first_at, last_request_at, largest, changes, ever, before, *risk = row
    windows = {name: Totals._make(totals) for name, totals in (ends or {}).items()}
    last = windows.get("now", NOTHING)
    moved = 0 if changes is None else last.account_changes - changes + (account != account_ref)
    past = Past(
        **_differences(last, windows),
        other_accounts_30d=moved,
        largest_90d_minor=UNKNOWN if largest is None else largest,
        since_last_us=_since(last_request_at, now),
        since_first_us=UNKNOWN if first_at is None else microseconds(now) - microseconds(first_at),
        payee_settled=ever,
        payee_settled_30d=ever - before,
        entity_counts=_flat(risk[0::2]),
        entity_frauds=_flat(risk[1::2]),
    )
    return Known(past, now, number or 0, last, account, first_at, last_request_at, token)


def _differences(last: Totals, windows: Mapping[str, Totals]) -> dict[str, Any]:
    def since(name: str) -> Totals:
        return Totals._make(map(sub, last, windows.get(name, NOTHING)))

    hour, day, week, month, quarter, ten = map(since, ("1hour", "24hour", "7d", "30d", "90d", "last10"))
    return {
        "transfers_30s": since("30s").transfers,
        "transfers_10min": since("10min").transfers,
        "transfers_1hour": hour.transfers,
        "transfers_24hour": day.transfers,
        "requests_1hour": hour.requests,
        "requests_24hour": day.requests,
        "requests_30d": month.requests,
        "sent_1hour_minor": hour.sent_total_minor,
        "sent_24hour_minor": day.sent_total_minor,
        "settled_7d": week.settled,
        "settled_7d_minor": week.settled_total_minor,
        "settled_30d": month.settled,
        "settled_30d_minor": month.settled_total_minor,
        "squares_30d": (month.squares_high, month.squares_low),
        "settled_90d": quarter.settled,
        "settled_90d_minor": quarter.settled_total_minor,
        "squares_90d": (quarter.squares_high, quarter.squares_low),
        "settled_last10": ten.settled,
        "settled_last10_minor": ten.settled_total_minor,
        "squares_last10": (ten.squares_high, ten.squares_low),
        "abroad_90d": quarter.abroad,
        "risky_30d": month.risky,
        "own_30d": month.own,
    }


def _since(moment: datetime | None, now: datetime) -> int:
    """Microseconds within 90 days, UNKNOWN beyond."""
    if moment is None:
        return UNKNOWN
    passed = microseconds(now) - microseconds(moment)
    return passed if passed < STARTS["90d"] else UNKNOWN


def _flat(groups: Sequence[Sequence[int]]) -> tuple[int, ...]:
    return tuple(value for group in groups for value in group)
