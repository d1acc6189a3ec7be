"""The features: what rules may ask about a payment and what the models see. Each is defined once, here.

docs/fraud-features.md is rendered from this table (`manage.py describe_features`), and a test compares them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from fraud.rules.facts import Channel, TransferType
from fraud.rules.features.kinds import Feature, Kind, count, flag, money, number, ratio

# What is known of the payment itself, and two figures that only rules ask for.
FACT_TABLE = (
    money(
        "amount_base",
        "Amount",
        "",
        "Amount of this payment in the base currency; unknown without a reference rate.",
        "amount",
    ),
    Feature(
        "transfer_type",
        "Kind of payment",
        Kind.CHOICE,
        "one of a list",
        "",
        "Between the customer's own accounts, to somebody else, paid out as cash, or by card.",
        noun="kind of payment",
        choices={
            TransferType.OWN: "own accounts",
            TransferType.INTERNAL: "to somebody else",
            TransferType.WITHDRAWAL: "withdrawal",
            TransferType.CARD: "card payment",
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
            Channel.GATEWAY: "payment gateway",
            Channel.BULK: "bulk file",
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
    flag(
        "away_from_home",
        "Away from home",
        "",
        "The request's country differs from the customer's home country; unknown when either is.",
        "away from home",
        "at home",
    ),
    money(
        "max_amount_90d",
        "Largest amount in 90 days",
        "90 days",
        "Largest settled amount sent to others or withdrawn, of the latest 1,000; unknown without any.",
        "largest amount sent",
    ),
    count(
        "approved_count_90d",
        "Settled payments in 90 days",
        "90 days",
        "Settled payments to others and withdrawals, not counting this one.",
        "earlier payments",
    ),
)

# The 41 that every model sees, in the order of the vector.
MODEL_TABLE = (
    money("transaction_amount", "Amount as models see it", "", "The same as `amount_base`.", "amount"),
    flag(
        "flag_amount",
        "High amount for its kind",
        "",
        "At least 5,000.00 (own accounts 20,000.00, withdrawal 1,000.00, card 500.00).",
        "an amount that is high for its kind",
        "an amount that is usual for its kind",
    ),
    number(
        "transfer_type_encoded",
        "Kind of payment as a number",
        "0 own, 1 to somebody else, 2 withdrawal, 3 card",
        "",
        "`transfer_type` for models.",
        "kind of payment as a number",
        3,
    ),
    ratio(
        "transfer_type_risk",
        "Risk of the kind of payment",
        "0 to 1",
        "",
        "What the kind alone says: own 0.05, to somebody else 0.4, withdrawal 0.5, card 0.3.",
        "risk of the kind of payment",
    ),
    number(
        "channel_encoded",
        "Channel as a number",
        "0 portal, 1 API, 2 teller, 3 standing order, 4 gateway, 5 bulk file",
        "",
        "`channel` for models.",
        "channel as a number",
        5,
    ),
    ratio(
        "deviation_from_avg",
        "Deviation from the usual amount",
        "standard deviations",
        "90 days",
        "Amount less `user_avg_amount`, over `user_std_amount` (1.00 at least); unknown without history.",
        "deviation from the usual amount",
    ),
    ratio(
        "amount_to_max_ratio",
        "Amount beside the largest",
        "times",
        "90 days",
        "Amount over `user_max_amount`; unknown without history.",
        "amount beside the largest",
    ),
    money(
        "rolling_std",
        "Spread of the last ten amounts",
        "the last 10 payments",
        "Standard deviation of the settled amounts among the customer's last 10 payments; unknown without any.",
        "spread of amounts",
    ),
    money(
        "user_avg_amount",
        "Usual amount",
        "90 days",
        "Mean of the settled amounts to others; unknown without any.",
        "usual amount",
    ),
    money(
        "user_std_amount",
        "Spread of amounts",
        "90 days",
        "Standard deviation of the settled amounts to others; unknown without any.",
        "spread of amounts",
    ),
    money(
        "user_max_amount",
        "Largest amount as models see it",
        "90 days",
        "The same as `max_amount_90d`.",
        "largest amount",
    ),
    ratio(
        "user_txn_frequency",
        "Payments a day",
        "payments a day",
        "90 days",
        "Settled payments over the days since the customer's first payment, 1 to 90.",
        "payments a day",
    ),
    ratio(
        "intl_ratio",
        "Share of payments from abroad",
        "0 to 1",
        "90 days",
        "Settled payments asked for outside the home country over all settled ones; unknown without any.",
        "share of payments from abroad",
    ),
    number("hour", "Hour of the day", "0 to 23, UTC", "", "Hour of the request.", "hour of the day", 23),
    number(
        "day_of_week",
        "Day of the week",
        "1 Monday to 7 Sunday, UTC",
        "",
        "Day of the request.",
        "day of the week",
        7,
    ),
    flag("is_weekend", "Weekend", "", "Saturday or Sunday (UTC).", "at the weekend", "on a weekday"),
    flag("is_night", "Night", "", "From 23:00 to 6:00 (UTC).", "at night", "during the day"),
    number(
        "time_since_last",
        "Seconds since the last payment",
        "seconds",
        "90 days",
        "Seconds since the customer last asked for a payment; unknown after 90 days without one.",
        "seconds since the last payment",
        7_776_000,
    ),
    flag(
        "recent_burst",
        "Burst",
        "10 minutes",
        "Three or more transfers in 10 minutes, counting this one.",
        "in a burst of payments",
        "not in a burst of payments",
    ),
    count(
        "txn_count_30s",
        "Transfers in 30 seconds",
        "30 seconds",
        "Transfers and card payments the customer asked for, counting this one, whatever became of them; "
        "withdrawals, standing orders and bulk files left out.",
        "transfers",
    ),
    count("txn_count_10min", "Transfers in 10 minutes", "10 minutes", "As `txn_count_30s`.", "transfers"),
    count("txn_count_1hour", "Transfers in an hour", "an hour", "As `txn_count_30s`.", "transfers"),
    ratio(
        "transaction_velocity",
        "Payments an hour",
        "payments an hour",
        "24 hours",
        "Payments of every kind asked for in 24 hours, counting this one, over 24.",
        "payments an hour",
    ),
    money(
        "hourly_total",
        "Total sent in an hour",
        "an hour",
        "What the customer asked to send or withdraw, counting this payment, own accounts left out.",
        "total sent",
    ),
    count(
        "hourly_count",
        "Payments in an hour",
        "an hour",
        "Payments of every kind the customer asked for, standing orders and bulk files too, counting this one.",
    ),
    money("daily_total", "Total sent in 24 hours", "24 hours", "As `hourly_total`.", "total sent"),
    count("daily_count", "Transfers in 24 hours", "24 hours", "As `txn_count_30s`.", "transfers"),
    money(
        "weekly_total",
        "Settled in 7 days",
        "7 days",
        "Settled amounts to others, not counting this payment.",
        "settled total",
    ),
    count(
        "weekly_txn_count",
        "Settled payments in 7 days",
        "7 days",
        "Settled payments to others, not counting this one.",
        "settled payments",
    ),
    money(
        "weekly_avg_amount",
        "Usual amount of the week",
        "7 days",
        "Mean of the settled amounts to others; unknown without any.",
        "usual amount",
    ),
    ratio(
        "weekly_deviation",
        "Deviation from the week",
        "shares of the mean",
        "7 days",
        "Amount less `weekly_avg_amount`, over `weekly_avg_amount`; unknown without any.",
        "deviation from the week",
    ),
    count(
        "monthly_txn_count",
        "Settled payments in 30 days",
        "30 days",
        "Settled payments to others, not counting this one.",
        "settled payments",
    ),
    money(
        "monthly_avg_amount",
        "Usual amount of the month",
        "30 days",
        "Mean of the settled amounts to others; unknown without any.",
        "usual amount",
    ),
    ratio(
        "monthly_deviation",
        "Deviation from the month",
        "standard deviations",
        "30 days",
        "Amount less `monthly_avg_amount`, over the month's standard deviation (1.00 at least).",
        "deviation from the month",
    ),
    ratio(
        "amount_vs_monthly_avg",
        "Amount beside the month's usual",
        "times",
        "30 days",
        "Amount over `monthly_avg_amount`; unknown without any.",
        "amount beside the month's usual",
    ),
    ratio(
        "user_high_risk_txn_ratio",
        "Share of risky payments",
        "0 to 1",
        "30 days",
        "Payments asked for with a high amount, away from home, or at night to a new payee, over all; "
        "unknown without any.",
        "share of risky payments",
    ),
    flag(
        "user_multiple_accounts_flag",
        "Several accounts",
        "30 days",
        "The customer asked for payments from more than one account, counting this one.",
        "from several accounts",
        "from one account",
    ),
    ratio(
        "cross_account_transfer_ratio",
        "Share of own transfers",
        "0 to 1",
        "30 days",
        "Payments asked for between the customer's own accounts over all; unknown without any.",
        "share of own transfers",
    ),
    flag(
        "geo_anomaly_flag",
        "Away from home as models see it",
        "",
        "`away_from_home`, and no when that is unknown.",
        "away from home",
        "not known to be away from home",
    ),
    flag(
        "is_new_beneficiary",
        "New payee",
        "all time",
        "No settled payment of this customer ever went to this payee. Own accounts are never new.",
        "to a new payee",
        "to a known payee",
    ),
    count(
        "beneficiary_txn_count_30d",
        "Payments to this payee in 30 days",
        "30 days",
        "Settled payments of this customer to this payee, not counting this one.",
        "payments to this payee",
    ),
)

ENTITIES: Mapping[str, str] = {"beneficiary": "payee or terminal", "device": "device", "ip": "IP address"}
RISK_DAYS = (1, 7, 30)


def _entity_features() -> tuple[Feature, ...]:
    found = []
    for entity, words in ENTITIES.items():
        for days in RISK_DAYS:
            window = "24 hours" if days == 1 else f"{days} days"
            found.append(
                count(
                    f"{entity}_count_{days}d",
                    f"All payments of the {words} in {window}",
                    window,
                    f"Payments of all customers asked for with this {words}, not counting this one, 1,000 at most.",
                    f"payments of all customers with this {words}",
                )
            )
            found.append(
                ratio(
                    f"{entity}_fraud_rate_{days}d",
                    f"Fraud rate of the {words} in {window}",
                    "frauds per payment",
                    window,
                    f"Frauds with this {words} that became known in the window, over its payments in the window (at "
                    "least one, at most 1,000). A fraud counts from the moment it was confirmed, not from its payment.",
                    f"fraud rate of the {words}",
                )
            )
    return tuple(found)


ENTITY_TABLE = _entity_features()
FEATURES: Mapping[str, Feature] = {feature.name: feature for feature in FACT_TABLE + MODEL_TABLE + ENTITY_TABLE}
MODEL_FEATURES: tuple[str, ...] = tuple(feature.name for feature in MODEL_TABLE)
ENTITY_FEATURES: tuple[str, ...] = tuple(feature.name for feature in ENTITY_TABLE)
# What the supervised model sees; the unsupervised layers see the first 41.
VECTOR_FEATURES: tuple[str, ...] = MODEL_FEATURES + ENTITY_FEATURES

SCHEMA_HASH = hashlib.sha256(
    json.dumps(
        [
            (feature.name, feature.kind, feature.unit, feature.window, feature.description)
            for feature in FEATURES.values()
        ]
    ).encode()
).hexdigest()
