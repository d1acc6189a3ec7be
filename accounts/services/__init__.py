"""Opening, freezing, closing and naming accounts. A `*_within` twin is for callers that opened the transaction."""

from __future__ import annotations

from accounts.errors import (
    AccountClosed,
    AccountDormant,
    AccountFrozen,
    AccountInUse,
    AccountNotEmpty,
    AccountOwes,
    ClientIdReused,
    ClosingOutdated,
    FundingNotAllowed,
    InvalidFee,
    InvalidNickname,
    KycRequired,
    NotYourOwn,
    OpeningBelowMinimum,
    PeriodNotAllowed,
    ReasonRequired,
    StatementDamaged,
    StatementTooLong,
    StatusNotAllowed,
    StoreDown,
    UnknownAccount,
    UnknownCustomer,
    UnknownProduct,
    UnknownStatement,
)
from accounts.rules.funding import FundingSource, cash, own_account, sandbox
from accounts.services.account_fees import ask_account_fees, collect_open_fees
from accounts.services.closing import close_account, close_account_within, confirm_closing
from accounts.services.decisions import (
    freeze_account,
    freeze_account_within,
    rename_account,
    unfreeze_account,
    unfreeze_account_within,
)
from accounts.services.dormancy import (
    mark_dormant,
    note_activity,
    reactivate_account,
    reactivate_for_customer,
    warn_silent,
)
from accounts.services.each import Run
from accounts.services.fees import set_fee
from accounts.services.interest import post_interest
from accounts.services.opening import (
    OpenedAccount,
    OpeningReview,
    open_account,
    open_account_within,
    open_at_counter,
    review_opening,
)
from accounts.services.statements import issue_due_statements, issue_statement, sweep_statement_files
from accounts.services.steps import lock_debitable_for

__all__ = [
    "AccountClosed",
    "AccountDormant",
    "AccountFrozen",
    "AccountInUse",
    "AccountNotEmpty",
    "AccountOwes",
    "ClientIdReused",
    "ClosingOutdated",
    "FundingNotAllowed",
    "FundingSource",
    "InvalidFee",
    "InvalidNickname",
    "KycRequired",
    "NotYourOwn",
    "OpenedAccount",
    "OpeningBelowMinimum",
    "OpeningReview",
    "PeriodNotAllowed",
    "ReasonRequired",
    "Run",
    "StatementDamaged",
    "StatementTooLong",
    "StatusNotAllowed",
    "StoreDown",
    "UnknownAccount",
    "UnknownCustomer",
    "UnknownProduct",
    "UnknownStatement",
    "ask_account_fees",
    "cash",
    "close_account",
    "close_account_within",
    "collect_open_fees",
    "confirm_closing",
    "freeze_account",
    "freeze_account_within",
    "issue_due_statements",
    "issue_statement",
    "lock_debitable_for",
    "mark_dormant",
    "note_activity",
    "open_account",
    "open_account_within",
    "open_at_counter",
    "own_account",
    "post_interest",
    "reactivate_account",
    "reactivate_for_customer",
    "rename_account",
    "review_opening",
    "sandbox",
    "set_fee",
    "sweep_statement_files",
    "unfreeze_account",
    "unfreeze_account_within",
    "warn_silent",
]
