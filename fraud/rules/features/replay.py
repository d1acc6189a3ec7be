"""The features of a whole history at once: the same windows and the same arithmetic as for one payment, over columns.

What a request reads from running totals in the database, a replay computes as running totals over sorted columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraud.rules.features import arithmetic
from fraud.rules.features.arithmetic import DAY_US, LATEST, OWN, STARTS, UNKNOWN, Arrays, Given, Past
from fraud.rules.features.table import RISK_DAYS, VECTOR_FEATURES

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """One row for each payment asked for, and one for each that settles later; codes are whole numbers from 0.

    In order of time. `requested` rows get a vector. `settled` rows count as settled from their own moment on.
    `known_us` is the moment a payment was confirmed as fraud, NEVER without. `device` and `ip` are UNKNOWN when not told.
    """

    at_us: Ints
    customer: Ints
    account: Ints
    payee: Ints
    device: Ints
    ip: Ints
    amount_minor: Ints
    type_code: Ints
    channel_code: Ints
    away: Bools
    requested: Bools
    settled: Bools
    known_us: Ints


def replay(events: Events) -> NDArray[np.float64]:
    """One row of VECTOR_FEATURES for each event (NaN throughout for one that only settles), in the order given.

    Raises ValueError for events out of order.
    """
    if len(events.at_us) and (np.diff(events.at_us) < 0).any():
        raise ValueError("events must be in order of time")
    order = np.argsort(events.customer, kind="stable")
    sorted_events = _reordered(events, order)
    past = _past(sorted_events)
    counts, frauds = _entity_risk(events)
    rows = np.empty((len(order), len(VECTOR_FEATURES)))
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    this = Given(
        sorted_events.at_us,
        sorted_events.amount_minor,
        sorted_events.type_code,
        sorted_events.channel_code,
        sorted_events.away,
    )
    found = arithmetic.compute(
        this,
        Past(
            **past,
            entity_counts=[column[order] for column in counts],
            entity_frauds=[column[order] for column in frauds],
        ),
        Arrays(),
    )
    for index, name in enumerate(VECTOR_FEATURES):
        # Each column goes as soon as it is in its place: a replay of millions of payments is mostly these.
        rows[:, index] = found.pop(name)[back]
    rows[~events.requested] = np.nan
    return rows


def _reordered(events: Events, order: Ints) -> Events:
    return Events(**{name: getattr(events, name)[order] for name in Events.__slots__})


class _Running:
    """Positions within groups: row i lies in its group at i, its group begins at first[i]."""

    def __init__(self, group: Ints, at_us: Ints) -> None:
        size = len(group)
        self.index = np.arange(size)
        starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if size else self.index
        lengths = np.diff(np.r_[starts, size])
        self.first = np.repeat(starts, lengths)
        self.rank = np.repeat(np.arange(len(starts)), lengths)
        self.moments = np.unique(at_us)
        self.key = self.rank * (len(self.moments) + 1) + np.searchsorted(self.moments, at_us, side="right")

    def begin(self, at_us: Ints) -> Ints:
        """The first row of the same group that lies after the moment."""
        wanted = self.rank * (len(self.moments) + 1) + np.searchsorted(self.moments, at_us, side="right")
        return np.searchsorted(self.key, wanted, side="right")

    @staticmethod
    def totals(values: NDArray) -> Ints:
        """Running totals with a leading zero: the sum of rows a to b - 1 is totals[b] - totals[a]."""
        return np.r_[0, np.cumsum(values.astype(np.int64))]


def _past(events: Events) -> dict[str, Any]:
    running = _Running(events.customer, events.at_us)
    here = running.index
    begins = {name: running.begin(events.at_us - length) for name, length in STARTS.items()}
    begins["last10"] = np.maximum(running.first, here - arithmetic.TEN)

    def sums(values: NDArray, *windows: str) -> list[Ints]:
        totals = running.totals(values)
        return [totals[here] - totals[begins[window]] for window in windows]

    payee_settled, payee_settled_30d = _payees(events)
    this = Given(events.at_us, events.amount_minor, events.type_code, events.channel_code, events.away)
    asked, own = events.requested, events.type_code == OWN
    known = np.where(events.amount_minor >= 0, events.amount_minor, 0)
    settled = events.settled & ~own & (events.amount_minor >= 0)
    minor = np.where(settled, known, 0)
    square = np.minimum(minor, arithmetic.HIGHEST_SQUARED_MINOR) ** 2
    transfers = sums(asked & arithmetic.is_transfer(this), "30s", "10min", "1hour", "24hour")
    requests = sums(asked, "1hour", "24hour", "30d")
    sent = sums(np.where(asked & ~own, known, 0), "1hour", "24hour")
    counts = sums(settled, "7d", "30d", "90d", "last10")
    amounts = sums(minor, "7d", "30d", "90d", "last10")
    high = sums(square // arithmetic.SPLIT, "30d", "90d", "last10")
    low = sums(square % arithmetic.SPLIT, "30d", "90d", "last10")
    risky = asked & arithmetic.is_risky(this, payee_settled, Arrays())
    moved = np.r_[False, events.account[1:] != events.account[:-1]] & (here > running.first)
    return {
        "transfers_30s": transfers[0],
        "transfers_10min": transfers[1],
        "transfers_1hour": transfers[2],
        "transfers_24hour": transfers[3],
        "requests_1hour": requests[0],
        "requests_24hour": requests[1],
        "requests_30d": requests[2],
        "sent_1hour_minor": sent[0],
        "sent_24hour_minor": sent[1],
        "settled_7d": counts[0],
        "settled_7d_minor": amounts[0],
        "settled_30d": counts[1],
        "settled_30d_minor": amounts[1],
        "squares_30d": (high[0], low[0]),
        "settled_90d": counts[2],
        "settled_90d_minor": amounts[2],
        "squares_90d": (high[1], low[1]),
        "settled_last10": counts[3],
        "settled_last10_minor": amounts[3],
        "squares_last10": (high[2], low[2]),
        "abroad_90d": sums(settled & events.away, "90d")[0],
        "risky_30d": sums(risky, "30d")[0],
        "own_30d": sums(asked & own, "30d")[0],
        "other_accounts_30d": _other_accounts(moved, begins["30d"], here),
        "largest_90d_minor": _largest(
            np.where(settled, minor, UNKNOWN), np.maximum(begins["90d"], here - LATEST), here
        ),
        "since_last_us": _since_last(events, running, begins["90d"]),
        "since_first_us": np.where(here > running.first, events.at_us - events.at_us[running.first], UNKNOWN),
        "payee_settled": payee_settled,
        "payee_settled_30d": payee_settled_30d,
    }


def _other_accounts(moved: Bools, begin: Ints, here: Ints) -> Ints:
    """How often the account changed from one row to the next, from the first row in the window to this one."""
    totals = _Running.totals(moved)
    inside = np.minimum(begin + 1, here + 1)
    return totals[here + 1] - totals[inside]


def _since_last(events: Events, running: _Running, begin: Ints) -> Ints:
    """Microseconds since the customer's last request within 90 days."""
    last = np.maximum.accumulate(np.where(events.requested, running.index, UNKNOWN))
    before = np.r_[UNKNOWN, last[:-1]] if len(last) else last
    seen = before >= np.maximum(begin, running.first)
    return np.where(seen, events.at_us - events.at_us[np.maximum(before, 0)], UNKNOWN)


def _payees(events: Events) -> tuple[Ints, Ints]:
    """Settled payments of the customer to this payee: ever, and in 30 days."""
    order = np.lexsort((np.arange(len(events.payee)), events.payee, events.customer))
    pair = np.r_[False, (np.diff(events.customer[order]) != 0) | (np.diff(events.payee[order]) != 0)].cumsum()
    pair = pair[: len(order)]
    running = _Running(pair, events.at_us[order])
    totals = running.totals(events.settled[order])
    here = running.index
    ever = totals[here] - totals[running.first]
    month = totals[here] - totals[running.begin(events.at_us[order] - STARTS["30d"])]
    found = np.empty((2, len(order)), dtype=np.int64)
    found[0, order], found[1, order] = ever, month
    return found[0], found[1]


def _largest(values: Ints, begin: Ints, end: Ints) -> Ints:
    """The largest of `values[begin:end]`, UNKNOWN for an empty range; a sparse table of powers of two."""
    length = end - begin
    found = np.full(len(values), UNKNOWN, dtype=np.int64)
    table, width = values, 1
    while True:
        here = (length >= width) & (length < 2 * width)
        left, right = begin[here], end[here] - width
        found[here] = np.maximum(table[left], table[right])
        if not (length >= 2 * width).any():
            return found
        table = np.maximum(table[: len(table) - width], table[width:])
        width *= 2


def _entity_risk(events: Events) -> tuple[list[Ints], list[Ints]]:
    """Counts of payments and of frauds known by then, for each entity and window, in the order of `Past`."""
    counts: list[Ints] = []
    frauds: list[Ints] = []
    for codes in (events.payee, events.device, events.ip):
        known = np.flatnonzero((codes != UNKNOWN) & events.requested)
        counts += _windows(codes, events.at_us, known, events.at_us, _capped)
        confirmed = known[events.known_us[known] != NEVER]
        frauds += _frauds(codes, events, known, confirmed)
    return counts, frauds


def _capped(begin: Ints, here: Ints) -> Ints:
    return np.minimum(here - begin, LATEST)


def _windows(codes: Ints, moments: Ints, rows: Ints, at_us: Ints, count: Callable[[Ints, Ints], Ints]) -> list[Ints]:
    order = rows[np.argsort(codes[rows], kind="stable")]
    running = _Running(codes[order], moments[order])
    found = []
    for days in RISK_DAYS:
        column = np.zeros(len(codes), dtype=np.int64)
        column[order] = count(running.begin(at_us[order] - days * DAY_US), running.index)
        found.append(column)
    return found


def _frauds(codes: Ints, events: Events, rows: Ints, confirmed: Ints) -> list[Ints]:
    """Frauds of the same entity that became known in `(at - days, at]`."""
    order = confirmed[np.lexsort((events.known_us[confirmed], codes[confirmed]))]
    moments = np.unique(events.known_us[order])
    width = len(moments) + 1
    key = codes[order] * width + np.searchsorted(moments, events.known_us[order], side="right")

    def until(at_us: Ints) -> Ints:
        wanted = codes[rows] * width + np.searchsorted(moments, at_us, side="right")
        return np.searchsorted(key, wanted, side="right")

    now = until(events.at_us[rows])
    found = []
    for days in RISK_DAYS:
        column = np.zeros(len(codes), dtype=np.int64)
        column[rows] = now - until(events.at_us[rows] - days * DAY_US)
        found.append(column)
    return found
