"""From the facts of a payment and its customer's past to the vector. The arithmetic is written once, for one payment
as for a million: `Scalars` runs it on plain numbers in a request, `Arrays` on columns in a replay, to the same bits.

All sums are whole numbers, so their order cannot matter; what follows them is addition, multiplication, division and
square roots, which IEEE 754 rounds the same everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

import numpy as np

from fraud.rules.facts import Channel, Facts, TransferType
from fraud.rules.features.kinds import Kind, Value
from fraud.rules.features.table import ENTITIES, FEATURES, MODEL_FEATURES, RISK_DAYS, VECTOR_FEATURES

TYPES = (TransferType.OWN, TransferType.INTERNAL, TransferType.WITHDRAWAL, TransferType.CARD)
CHANNELS = (Channel.PORTAL, Channel.API, Channel.TELLER, Channel.ORDER, Channel.GATEWAY, Channel.BULK)
TYPE_CODES = {kind.value: code for code, kind in enumerate(TYPES)}
CHANNEL_CODES = {channel.value: code for code, channel in enumerate(CHANNELS)}
OWN, WITHDRAWAL, ORDER, BULK = (
    TYPES.index(TransferType.OWN),
    TYPES.index(TransferType.WITHDRAWAL),
    CHANNELS.index(Channel.ORDER),
    CHANNELS.index(Channel.BULK),
)
TYPE_RISKS = (0.05, 0.4, 0.5, 0.3)
HIGH_MINOR = (20_000_00, 5_000_00, 1_000_00, 500_00)

MICROSECOND = timedelta(microseconds=1)
SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
DAY_US = 24 * HOUR_US
# Where the windows begin, in microseconds before the payment.
STARTS = {
    "30s": 30 * SECOND_US,
    "10min": 600 * SECOND_US,
    "1hour": HOUR_US,
    "24hour": DAY_US,
    "7d": 7 * DAY_US,
    "30d": 30 * DAY_US,
    "90d": 90 * DAY_US,
}
BURST = 3
TEN = 10
LATEST = 1000
# A square of minor units is kept in two whole numbers, so that 64 bits hold the sums; larger amounts count as this one.
HIGHEST_SQUARED_MINOR = 3_037_000_499
SPLIT = 1 << 20
UNKNOWN = -1
_LEAST_SPREAD_MINOR = 100.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Given:
    """A payment as numbers: minor units (UNKNOWN without a rate), codes of type and channel, microseconds of 1970."""

    at_us: Any
    amount_minor: Any
    type_code: Any
    channel_code: Any
    away: Any


class Past(NamedTuple):
    """The customer's past before the payment at hand; windows are `(at - length, at]`. Whole numbers or columns of them.

    "Transfers" are asked for, whatever became of them, without withdrawals, standing orders and bulk files;
    "requests" are all payments asked for; "settled" ones went to others. Squares are the settled amounts' squares in SPLIT parts.
    `entity_counts` and `entity_frauds` follow ENTITIES and, within each, RISK_DAYS.
    """

    transfers_30s: Any = 0
    transfers_10min: Any = 0
    transfers_1hour: Any = 0
    transfers_24hour: Any = 0
    requests_1hour: Any = 0
    requests_24hour: Any = 0
    requests_30d: Any = 0
    sent_1hour_minor: Any = 0
    sent_24hour_minor: Any = 0
    settled_7d: Any = 0
    settled_7d_minor: Any = 0
    settled_30d: Any = 0
    settled_30d_minor: Any = 0
    squares_30d: tuple[Any, Any] = (0, 0)
    settled_90d: Any = 0
    settled_90d_minor: Any = 0
    squares_90d: tuple[Any, Any] = (0, 0)
    settled_last10: Any = 0
    settled_last10_minor: Any = 0
    squares_last10: tuple[Any, Any] = (0, 0)
    abroad_90d: Any = 0
    risky_30d: Any = 0
    own_30d: Any = 0
    other_accounts_30d: Any = 0
    largest_90d_minor: Any = UNKNOWN
    since_last_us: Any = UNKNOWN
    since_first_us: Any = UNKNOWN
    payee_settled_30d: Any = 0
    payee_settled: Any = 0
    entity_counts: Sequence[Any] = (0,) * 9
    entity_frauds: Sequence[Any] = (0,) * 9


class Operations(Protocol):
    def real(self, value: Any) -> Any: ...
    def where(self, condition: Any, yes: Any, no: Any) -> Any: ...
    def over(self, upper: Any, lower: Any) -> Any:
        """The quotient, NaN where `lower` is not above zero."""

    def root(self, value: Any) -> Any:
        """The square root, of zero for what rounding made negative."""

    def pick(self, table: tuple[float, ...], code: Any) -> Any: ...


class Scalars:
    """One payment: plain Python numbers."""

    @staticmethod
    def real(value: Any) -> float:
        return float(value)

    @staticmethod
    def where(condition: bool, yes: Any, no: Any) -> Any:
        return yes if condition else no

    @staticmethod
    def over(upper: float, lower: float) -> float:
        return upper / lower if lower > 0 else math.nan

    @staticmethod
    def root(value: float) -> float:
        return math.nan if value != value else math.sqrt(value if value > 0 else 0.0)

    @staticmethod
    def pick(table: tuple[float, ...], code: int) -> float:
        return table[code]


class Arrays:
    """Many payments: one NumPy column for each number."""

    @staticmethod
    def real(value: Any) -> Any:
        return np.asarray(value, dtype=np.float64)

    @staticmethod
    def where(condition: Any, yes: Any, no: Any) -> Any:
        return np.where(condition, yes, no)

    @staticmethod
    def over(upper: Any, lower: Any) -> Any:
        shape = np.broadcast_shapes(np.shape(upper), np.shape(lower))
        return np.divide(upper, lower, out=np.full(shape, np.nan), where=np.broadcast_to(lower > 0, shape))

    @staticmethod
    def root(value: Any) -> Any:
        return np.sqrt(np.where(value <= 0, 0.0, value))

    @staticmethod
    def pick(table: tuple[float, ...], code: Any) -> Any:
        return np.asarray(table)[code]


def microseconds(at: datetime) -> int:
    """Whole microseconds since 1970."""
    return (at - _EPOCH) // MICROSECOND


def moment_of(at_us: int) -> datetime:
    """The moment so many microseconds after the beginning of 1970."""
    return _EPOCH + timedelta(microseconds=at_us)


def given(facts: Facts, *, at_us: int) -> Given:
    """`at_us` is the moment that counts: the payment's own, or the customer's last one where a clock went back."""
    amount = UNKNOWN if facts.amount_base_minor is None else facts.amount_base_minor
    located = bool(facts.country and facts.home_country)
    away = located and facts.country != facts.home_country
    return Given(at_us, amount, TYPE_CODES[facts.transfer_type], CHANNEL_CODES[facts.channel], away)


def is_transfer(this: Given) -> Any:
    """Counted in the short windows: asked for by a person, and no withdrawal."""
    return (this.type_code != WITHDRAWAL) & (this.channel_code != ORDER) & (this.channel_code != BULK)


def is_night(this: Given) -> Any:
    hour = this.at_us // HOUR_US % 24
    return (hour >= 23) | (hour < 6)


def is_high(this: Given, ops: Operations) -> Any:
    return this.amount_minor >= ops.pick(HIGH_MINOR, this.type_code)


def is_risky(this: Given, payee_settled: Any, ops: Operations) -> Any:
    """What `user_high_risk_txn_ratio` counts."""
    fresh = (this.type_code != OWN) & (payee_settled == 0)
    return is_high(this, ops) | this.away | (is_night(this) & fresh)


def compute(this: Given, past: Past, ops: Operations) -> dict[str, Any]:
    """The vector by name, as floats; NaN where something is unknown."""
    nan = math.nan
    amount = ops.where(this.amount_minor >= 0, ops.real(this.amount_minor), nan)
    own = this.type_code == OWN
    transfer = ops.where(is_transfer(this), 1, 0)
    sent = ops.where(own, 0.0, amount)
    hour = this.at_us // HOUR_US % 24
    weekday = (this.at_us // DAY_US + 3) % 7 + 1
    average = ops.over(ops.real(past.settled_90d_minor), ops.real(past.settled_90d))
    spread = _spread(past.settled_90d, average, past.squares_90d, ops)
    largest = ops.where(past.largest_90d_minor >= 0, ops.real(past.largest_90d_minor), nan)
    week = ops.over(ops.real(past.settled_7d_minor), ops.real(past.settled_7d))
    month = ops.over(ops.real(past.settled_30d_minor), ops.real(past.settled_30d))
    month_spread = _spread(past.settled_30d, month, past.squares_30d, ops)
    last_ten = ops.over(ops.real(past.settled_last10_minor), ops.real(past.settled_last10))
    days = ops.real(past.since_first_us) / DAY_US
    days = ops.where(days < 1.0, 1.0, ops.where(days > 90.0, 90.0, days))
    requests = ops.real(past.requests_30d)
    quick = past.transfers_10min + transfer
    found = {
        "transaction_amount": amount,
        "flag_amount": ops.where(is_high(this, ops), 1.0, 0.0),
        "transfer_type_encoded": ops.real(this.type_code),
        "transfer_type_risk": ops.pick(TYPE_RISKS, this.type_code),
        "channel_encoded": ops.real(this.channel_code),
        "deviation_from_avg": (amount - average) / _at_least(spread, ops),
        "amount_to_max_ratio": ops.over(amount, largest),
        "rolling_std": _spread(past.settled_last10, last_ten, past.squares_last10, ops),
        "user_avg_amount": average,
        "user_std_amount": spread,
        "user_max_amount": largest,
        "user_txn_frequency": ops.real(past.settled_90d) / days,
        "intl_ratio": ops.over(ops.real(past.abroad_90d), ops.real(past.settled_90d)),
        "hour": ops.real(hour),
        "day_of_week": ops.real(weekday),
        "is_weekend": ops.where(weekday >= 6, 1.0, 0.0),
        "is_night": ops.where(is_night(this), 1.0, 0.0),
        "time_since_last": ops.where(past.since_last_us >= 0, ops.real(past.since_last_us // SECOND_US), nan),
        "recent_burst": ops.where(quick >= BURST, 1.0, 0.0),
        "txn_count_30s": ops.real(past.transfers_30s + transfer),
        "txn_count_10min": ops.real(quick),
        "txn_count_1hour": ops.real(past.transfers_1hour + transfer),
        "transaction_velocity": ops.real(past.requests_24hour + 1) / 24.0,
        "hourly_total": ops.real(past.sent_1hour_minor) + sent,
        "hourly_count": ops.real(past.requests_1hour + 1),
        "daily_total": ops.real(past.sent_24hour_minor) + sent,
        "daily_count": ops.real(past.transfers_24hour + transfer),
        "weekly_total": ops.real(past.settled_7d_minor),
        "weekly_txn_count": ops.real(past.settled_7d),
        "weekly_avg_amount": week,
        "weekly_deviation": ops.over(amount - week, week),
        "monthly_txn_count": ops.real(past.settled_30d),
        "monthly_avg_amount": month,
        "monthly_deviation": (amount - month) / _at_least(month_spread, ops),
        "amount_vs_monthly_avg": ops.over(amount, month),
        "user_high_risk_txn_ratio": ops.over(ops.real(past.risky_30d), requests),
        "user_multiple_accounts_flag": ops.where(past.other_accounts_30d > 0, 1.0, 0.0),
        "cross_account_transfer_ratio": ops.over(ops.real(past.own_30d), requests),
        "geo_anomaly_flag": ops.where(this.away, 1.0, 0.0),
        "is_new_beneficiary": ops.where((past.payee_settled == 0) & (this.type_code != OWN), 1.0, 0.0),
        "beneficiary_txn_count_30d": ops.real(past.payee_settled_30d),
    }
    names = [(entity, days) for entity in ENTITIES for days in RISK_DAYS]
    for (entity, window), count, frauds in zip(names, past.entity_counts, past.entity_frauds, strict=True):
        payments = ops.real(count)
        found[f"{entity}_count_{window}d"] = payments
        found[f"{entity}_fraud_rate_{window}d"] = ops.real(frauds) / ops.where(payments < 1.0, 1.0, payments)
    return found


def derive(*, facts: Facts, past: Past, at_us: int | None = None) -> dict[str, Value]:
    """Everything rules may ask about one payment, typed; a value nobody can know is None."""
    this = given(facts, at_us=microseconds(facts.at) if at_us is None else at_us)
    found = compute(this, past, Scalars())
    vector: dict[str, Value] = {
        "amount_base": facts.amount_base_minor,
        "transfer_type": str(facts.transfer_type),
        "channel": str(facts.channel),
        "country": facts.country or None,
        "away_from_home": this.away if facts.country and facts.home_country else None,
        "max_amount_90d": None if past.largest_90d_minor == UNKNOWN else past.largest_90d_minor,
        "approved_count_90d": past.settled_90d,
    }
    for name, flag in _FLAGS:
        vector[name] = _typed(found[name], flag=flag)
    return vector


def numbers(vector: Any) -> list[float]:
    """The models' row of a stored vector, in the order of VECTOR_FEATURES; NaN where a value is unknown."""
    return [math.nan if (value := vector[name]) is None else float(value) for name in VECTOR_FEATURES]


_FLAGS = tuple((name, FEATURES[name].kind is Kind.FLAG) for name in VECTOR_FEATURES)


def _typed(value: float, *, flag: bool) -> Value:
    """Without loss: what is whole becomes a whole number, a flag true or false, NaN None."""
    if value != value:
        return None
    if flag:
        return value == 1.0
    whole = int(value)
    return whole if whole == value else value


def _spread(count: Any, average: Any, squares: tuple[Any, Any], ops: Operations) -> Any:
    """Standard deviation of a population: the root of the mean square less the squared mean."""
    high, low = squares
    total = ops.real(high) * float(SPLIT) + ops.real(low)
    return ops.root(ops.over(total, ops.real(count)) - average * average)


def _at_least(spread: Any, ops: Operations) -> Any:
    return ops.where(spread < _LEAST_SPREAD_MINOR, _LEAST_SPREAD_MINOR, spread)


assert len(MODEL_FEATURES) == 41
