"""What fraud does for others. Only its task imports anomaly scoring, which brings scikit-learn and pandas with it."""

from __future__ import annotations

from fraud.errors import (
    AlreadyAnswered,
    CaseAlreadyDecided,
    CaseNotFound,
    CaseTaken,
    ChecklistOpen,
    EntryNotFound,
    EntryStateConflict,
    InvalidCondition,
    NotUnderReview,
    OneAuthor,
    OwnCase,
    OwnSnooze,
    ReasonMissing,
    RuleCodeTaken,
    RuleNotFound,
    RuleStateConflict,
    SameMakerAndChecker,
    SnoozeNotFound,
    SnoozeOver,
    TransactionIdReused,
    TransactionNotFound,
    UnknownCheck,
    UnknownSubjectKind,
)
from fraud.services.answers import answer_for_subject
from fraud.services.backtests import LONGEST, request_backtest, was_tried
from fraud.services.budget import in_time
from fraud.services.calls import purge_calls, record_call
from fraud.services.cases import CaseDecision, CaseResult, close_case_for_subject, decide_case, decide_cases
from fraud.services.desk import add_note, assign_case, check_items, claim_next, release_assignment, set_desk
from fraud.services.gateway import Analyzed, analyze_each, analyze_within
from fraud.services.history import lock_customer
from fraud.services.lists import MOST_AT_ONCE, add_entries, approve_entry, end_entry, soft_rules
from fraud.services.opening import open_case
from fraud.services.rules import (
    BACKTEST_DAYS,
    CANDIDATE,
    approve_rule,
    draft_rule,
    new_version,
    retire_rule,
    return_rule,
    shadow_rule,
    submit_rule,
    update_rule,
)
from fraud.services.screening import hold_unscreened, keep_verdict, screen
from fraud.services.silence import LONGEST_SNOOZE_DAYS, end_snooze, snooze_rule
from fraud.services.switches import switch_feature
from fraud.subjects import register as register_subject

__all__ = [
    "BACKTEST_DAYS",
    "CANDIDATE",
    "LONGEST",
    "LONGEST_SNOOZE_DAYS",
    "MOST_AT_ONCE",
    "AlreadyAnswered",
    "Analyzed",
    "CaseAlreadyDecided",
    "CaseDecision",
    "CaseNotFound",
    "CaseResult",
    "CaseTaken",
    "ChecklistOpen",
    "EntryNotFound",
    "EntryStateConflict",
    "InvalidCondition",
    "NotUnderReview",
    "OneAuthor",
    "OwnCase",
    "OwnSnooze",
    "ReasonMissing",
    "RuleCodeTaken",
    "RuleNotFound",
    "RuleStateConflict",
    "SameMakerAndChecker",
    "SnoozeNotFound",
    "SnoozeOver",
    "TransactionIdReused",
    "TransactionNotFound",
    "UnknownCheck",
    "UnknownSubjectKind",
    "add_entries",
    "add_note",
    "analyze_each",
    "analyze_within",
    "answer_for_subject",
    "approve_entry",
    "approve_rule",
    "assign_case",
    "check_items",
    "claim_next",
    "close_case_for_subject",
    "decide_case",
    "decide_cases",
    "draft_rule",
    "end_entry",
    "end_snooze",
    "hold_unscreened",
    "in_time",
    "keep_verdict",
    "lock_customer",
    "new_version",
    "open_case",
    "purge_calls",
    "record_call",
    "register_subject",
    "release_assignment",
    "request_backtest",
    "retire_rule",
    "return_rule",
    "screen",
    "set_desk",
    "shadow_rule",
    "snooze_rule",
    "soft_rules",
    "submit_rule",
    "switch_feature",
    "update_rule",
    "was_tried",
]
