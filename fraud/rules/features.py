"""The features: what rules may ask about a payment. Each is defined once, here; docs/fraud.md renders this table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from fraud.rules.facts import Channel, Facts, TransferType

Value = int | bool | str | None
Vector = Mapping[str, Value]


class Kind(StrEnum):
    """The type of a feature's value, and so what it can be compared with."""

    MONEY = "money"
    COUNT = "count"
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    COUNTRY = "country"


@dataclass(frozen=True, slots=True)
class Feature:
    """`noun` and `window` make sentences; `yes` and `no` are how a flag reads; unknown values are None."""

    name: str
    label: str
    kind: Kind
    unit: str
    window: str
    description: str
    noun: str = ""
    yes: str = ""
    no: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    maximum: int = 1_000_000


_TABLE = (
    Feature(
        "amount_base",
        "Amount",
        Kind.MONEY,
        "minor units of the base currency",
        "",
        "Amount of this payment in the base currency; unknown without a reference rate.",
        noun="amount",
    ),
    Feature(
        "transfer_type",
        "Kind of payment",
        Kind.CHOICE,
        "one of a list",
        "",
        "Between the customer's own accounts, to somebody else, or paid out as cash.",
        noun="kind of payment",
        choices={
            TransferType.OWN: "own accounts",
            TransferType.INTERNAL: "to somebody else",
            TransferType.WITHDRAWAL: "withdrawal",
        },
    ),
    Feature(
        "channel",
        "Channel",
        Kind.CHOICE,
        "one of a list",
        "",
        "Where the payment was asked for.",
        noun="channel",
        choices={
            Channel.PORTAL: "portal",
            Channel.API: "API",
            Channel.TELLER: "teller",
            Channel.ORDER: "standing order",
        },
    ),
    Feature(
        "country",
        "Country of the request",
        Kind.COUNTRY,
        "ISO 3166 alpha-2",
        "",
        "Country the request came from, by its address; unknown for private addresses.",
        noun="country of the request",
    ),
    Feature(
        "away_from_home",
        "Away from home",
        Kind.FLAG,
        "yes or no",
        "",
        "The request's country differs from the customer's home country; unknown when either is.",
        yes="away from home",
        no="at home",
    ),
    Feature(
        "is_new_beneficiary",
        "New payee",
        Kind.FLAG,
        "yes or no",
        "all time",
        "No approved or released payment of this customer ever went to this payee. Own accounts are never new.",
        yes="to a new payee",
        no="to a known payee",
    ),
    Feature(
        "txn_count_10min",
        "Transfers in 10 minutes",
        Kind.COUNT,
        "transfers",
        "10 minutes",
        "Transfers the customer asked for in the last 10 minutes, counting this one, whatever became of them; "
        "standing orders left out.",
        noun="transfers",
    ),
    Feature(
        "txn_count_1hour",
        "Transfers in an hour",
        Kind.COUNT,
        "transfers",
        "an hour",
        "As above, in the last hour.",
        noun="transfers",
    ),
    Feature(
        "daily_count",
        "Transfers in 24 hours",
        Kind.COUNT,
        "transfers",
        "24 hours",
        "As above, in the last 24 hours.",
        noun="transfers",
    ),
    Feature(
        "hourly_total",
        "Total sent in an hour",
        Kind.MONEY,
        "minor units of the base currency",
        "an hour",
        "What the customer asked to send or withdraw in the last hour, counting this one, own accounts left out.",
        noun="total sent",
    ),
    Feature(
        "daily_total",
        "Total sent in 24 hours",
        Kind.MONEY,
        "minor units of the base currency",
        "24 hours",
        "As above, in the last 24 hours.",
        noun="total sent",
    ),
    Feature(
        "max_amount_90d",
        "Largest amount in 90 days",
        Kind.MONEY,
        "minor units of the base currency",
        "90 days",
        "Largest approved or released amount sent to others or withdrawn in the last 90 days; unknown without any.",
        noun="largest amount sent",
    ),
    Feature(
        "approved_count_90d",
        "Payments in 90 days",
        Kind.COUNT,
        "payments",
        "90 days",
        "Approved or released payments to others and withdrawals in the last 90 days, not counting this one.",
        noun="earlier payments",
    ),
    Feature(
        "beneficiary_txn_count_30d",
        "Payments to this payee in 30 days",
        Kind.COUNT,
        "payments",
        "30 days",
        "Approved or released payments of this customer to this payee in the last 30 days, not counting this one.",
        noun="payments to this payee",
    ),
    Feature(
        "time_since_last",
        "Seconds since the last payment",
        Kind.NUMBER,
        "seconds",
        "90 days",
        "Seconds since the customer last asked for a payment; unknown after 90 days without one.",
        noun="seconds since the last payment",
        maximum=7_776_000,
    ),
    Feature(
        "hour",
        "Hour of the day",
        Kind.NUMBER,
        "0 to 23, UTC",
        "",
        "Hour of the request.",
        "hour of the day",
        maximum=23,
    ),
    Feature(
        "day_of_week",
        "Day of the week",
        Kind.NUMBER,
        "1 Monday to 7 Sunday, UTC",
        "",
        "Day of the request.",
        noun="day of the week",
        maximum=7,
    ),
    Feature(
        "is_weekend",
        "Weekend",
        Kind.FLAG,
        "yes or no",
        "",
        "Saturday or Sunday (UTC).",
        yes="at the weekend",
        no="on a weekday",
    ),
    Feature(
        "is_night",
        "Night",
        Kind.FLAG,
        "yes or no",
        "",
        "From 23:00 to 6:00 (UTC).",
        yes="at night",
        no="during the day",
    ),
)

FEATURES: Mapping[str, Feature] = {feature.name: feature for feature in _TABLE}
SCHEMA_HASH = hashlib.sha256(
    json.dumps([(feature.name, feature.kind, feature.unit, feature.window) for feature in _TABLE]).encode()
).hexdigest()

TEN_MINUTES = timedelta(minutes=10)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MONTH = timedelta(days=30)
QUARTER = timedelta(days=90)
TRANSFERS = (TransferType.OWN, TransferType.INTERNAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The customer's past without the payment at hand. Windows are `(at - length, at]`; sums in base minor units."""

    transfers_10min: int = 0
    transfers_1hour: int = 0
    transfers_24hour: int = 0
    sent_1hour_minor: int = 0
    sent_24hour_minor: int = 0
    max_90d_minor: int | None = None
    approved_90d: int = 0
    beneficiary_30d: int = 0
    beneficiary_known: bool = False
    last_at: datetime | None = None


def derive(*, facts: Facts, history: History) -> dict[str, Value]:
    """The feature vector of one payment; a value nobody can know is None."""
    own = facts.transfer_type == TransferType.OWN
    this_transfer = int(facts.transfer_type in TRANSFERS and facts.channel != Channel.ORDER)
    sent = 0 if own else facts.amount_base_minor
    located = bool(facts.country and facts.home_country)
    return {
        "amount_base": facts.amount_base_minor,
        "transfer_type": str(facts.transfer_type),
        "channel": str(facts.channel),
        "country": facts.country or None,
        "away_from_home": facts.country != facts.home_country if located else None,
        "is_new_beneficiary": not own and not history.beneficiary_known,
        "txn_count_10min": history.transfers_10min + this_transfer,
        "txn_count_1hour": history.transfers_1hour + this_transfer,
        "daily_count": history.transfers_24hour + this_transfer,
        "hourly_total": None if sent is None else history.sent_1hour_minor + sent,
        "daily_total": None if sent is None else history.sent_24hour_minor + sent,
        "max_amount_90d": history.max_90d_minor,
        "approved_count_90d": history.approved_90d,
        "beneficiary_txn_count_30d": history.beneficiary_30d,
        "time_since_last": int((facts.at - history.last_at).total_seconds()) if history.last_at else None,
        "hour": facts.at.hour,
        "day_of_week": facts.at.isoweekday(),
        "is_weekend": facts.at.isoweekday() >= 6,
        "is_night": facts.at.hour >= 23 or facts.at.hour < 6,
    }
