"""Payments from outside as events: the columns of the Fraud Detection Handbook, read with every mistake named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fraud.rules.facts import Channel, TransferType
from fraud.rules.features.arithmetic import CHANNEL_CODES, DAY_US, TYPE_CODES, UNKNOWN
from fraud.rules.features.replay import NEVER, Events

REQUIRED = ("TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD")
SCENARIO = "TX_FRAUD_SCENARIO"
MOST_MINOR = 10**15


class BadDataset(ValueError):
    """The file cannot be used; the text says why, for people."""


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Payments in order of time. `scenario` is 0 for ordinary ones, None when the file does not tell."""

    at_us: NDArray[np.int64]
    customer: NDArray[np.int64]
    terminal: NDArray[np.int64]
    amount_minor: NDArray[np.int64]
    fraud: NDArray[np.int64]
    scenario: NDArray[np.int64] | None

    @property
    def day(self) -> NDArray[np.int64]:
        """Days since 1970."""
        return self.at_us // DAY_US

    @property
    def first_date(self) -> date:
        return date.fromordinal(date(1970, 1, 1).toordinal() + int(self.day[0]))

    @property
    def last_date(self) -> date:
        return date.fromordinal(date(1970, 1, 1).toordinal() + int(self.day[-1]))

    def events(self, *, label_delay_days: float) -> Events:
        """As card payments of an outside gateway; each fraud becomes known so many days after it happened."""
        size = len(self.at_us)
        nothing = np.full(size, UNKNOWN, dtype=np.int64)
        yes = np.ones(size, dtype=bool)
        return Events(
            at_us=self.at_us,
            customer=self.customer,
            account=self.customer,
            payee=self.terminal,
            device=nothing,
            ip=nothing,
            amount_minor=self.amount_minor,
            type_code=np.full(size, TYPE_CODES[TransferType.CARD]),
            channel_code=np.full(size, CHANNEL_CODES[Channel.GATEWAY]),
            away=~yes,
            requested=yes,
            settled=yes,
            known_us=np.where(self.fraud == 1, self.at_us + int(label_delay_days * DAY_US), NEVER),
        )


def read(path: str | Path) -> Dataset:
    """Raises BadDataset."""
    frame = _frame(Path(path))
    missing = [name for name in REQUIRED if name not in frame.columns]
    if missing:
        raise BadDataset(f"The file lacks the columns {', '.join(missing)}. It needs {', '.join(REQUIRED)}.")
    if frame.empty:
        raise BadDataset("The file has no rows.")
    gaps = [name for name in REQUIRED if frame[name].isna().any()]
    if gaps:
        raise BadDataset(f"There are gaps in {', '.join(gaps)}; every row needs a value there.")
    if not pd.api.types.is_datetime64_any_dtype(frame["TX_DATETIME"]):
        raise BadDataset("TX_DATETIME holds no points in time.")
    frame = frame.sort_values("TX_DATETIME", kind="stable")
    moments = frame["TX_DATETIME"]
    if moments.dt.tz is not None:
        moments = moments.dt.tz_convert("UTC").dt.tz_localize(None)
    return Dataset(
        at_us=moments.astype("datetime64[us]").astype("int64").to_numpy(),
        customer=pd.factorize(frame["CUSTOMER_ID"])[0].astype(np.int64),
        terminal=pd.factorize(frame["TERMINAL_ID"])[0].astype(np.int64),
        amount_minor=_amounts(frame),
        fraud=_labels(frame),
        scenario=_whole(frame, SCENARIO) if SCENARIO in frame.columns else None,
    )


def _frame(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise BadDataset(f"There is no file {path}.")
    try:
        return pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise BadDataset(f"{path.name} is not a Parquet file that can be read.") from error


def _amounts(frame: pd.DataFrame) -> NDArray[np.int64]:
    amounts = pd.to_numeric(frame["TX_AMOUNT"], errors="coerce").to_numpy(dtype=np.float64)
    bad = ~np.isfinite(amounts) | (amounts < 0) | (amounts > MOST_MINOR / 100)
    if bad.any():
        raise BadDataset(f"TX_AMOUNT of {int(bad.sum())} rows is no amount from 0 up.")
    return np.round(amounts * 100).astype(np.int64)


def _labels(frame: pd.DataFrame) -> NDArray[np.int64]:
    labels = _whole(frame, "TX_FRAUD")
    if not np.isin(labels, (0, 1)).all():
        raise BadDataset("TX_FRAUD holds other values than 0 and 1.")
    if labels.min() == labels.max():
        raise BadDataset(f"TX_FRAUD holds only one class: every row says {labels[0]}.")
    return labels


def _whole(frame: pd.DataFrame, name: str) -> NDArray[np.int64]:
    values = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64)
    if not np.isfinite(values).all() or (values != np.round(values)).any():
        raise BadDataset(f"{name} holds values that are no whole numbers.")
    return values.astype(np.int64)
