"""Opening, freezing, closing and naming accounts. A `*_within` twin is for callers that opened the transaction."""

from __future__ import annotations

from accounts.errors import (
    AccountClosed,
    AccountFrozen,
    AccountNotEmpty,
    ClientIdReused,
    FundingNotAllowed,
    InvalidNickname,
    KycRequired,
    NotYourOwn,
    OpeningBelowMinimum,
    PeriodNotAllowed,
    ReasonRequired,
    StatusNotAllowed,
    UnknownAccount,
    UnknownCustomer,
    UnknownProduct,
)
from accounts.rules.funding import FundingSource, cash, own_account, sandbox
from accounts.services.decisions import (
    close_account,
    close_account_within,
    freeze_account,
    freeze_account_within,
    rename_account,
    unfreeze_account,
    unfreeze_account_within,
)
from accounts.services.opening import (
    OpenedAccount,
    OpeningReview,
    open_account,
    open_account_within,
    open_at_counter,
    review_opening,
)
from accounts.services.steps import lock_debitable_for

__all__ = [
    "AccountClosed",
    "AccountFrozen",
    "AccountNotEmpty",
    "ClientIdReused",
    "FundingNotAllowed",
    "FundingSource",
    "InvalidNickname",
    "KycRequired",
    "NotYourOwn",
    "OpenedAccount",
    "OpeningBelowMinimum",
    "OpeningReview",
    "PeriodNotAllowed",
    "ReasonRequired",
    "StatusNotAllowed",
    "UnknownAccount",
    "UnknownCustomer",
    "UnknownProduct",
    "cash",
    "close_account",
    "close_account_within",
    "freeze_account",
    "freeze_account_within",
    "lock_debitable_for",
    "open_account",
    "open_account_within",
    "open_at_counter",
    "own_account",
    "rename_account",
    "review_opening",
    "sandbox",
    "unfreeze_account",
    "unfreeze_account_within",
]
