"""What fraud does for others. Only its task imports anomaly scoring, which brings scikit-learn and pandas with it."""

from __future__ import annotations

from fraud.errors import (
    CaseAlreadyDecided,
    CaseNotFound,
    InvalidCondition,
    OwnCase,
    ReasonMissing,
    RuleCodeTaken,
    RuleNotFound,
    RuleStateConflict,
    SameMakerAndChecker,
    UnknownSubjectKind,
)
from fraud.services.backtests import request_backtest, was_tried
from fraud.services.calls import purge_calls, record_call
from fraud.services.cases import (
    CaseDecision,
    add_note,
    assign_case,
    close_case_for_subject,
    decide_case,
    release_assignment,
)
from fraud.services.history import lock_customer
from fraud.services.rules import (
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
from fraud.services.switches import switch_feature
from fraud.subjects import register as register_subject

__all__ = [
    "CANDIDATE",
    "CaseAlreadyDecided",
    "CaseDecision",
    "CaseNotFound",
    "InvalidCondition",
    "OwnCase",
    "ReasonMissing",
    "RuleCodeTaken",
    "RuleNotFound",
    "RuleStateConflict",
    "SameMakerAndChecker",
    "UnknownSubjectKind",
    "add_note",
    "approve_rule",
    "assign_case",
    "close_case_for_subject",
    "decide_case",
    "draft_rule",
    "hold_unscreened",
    "keep_verdict",
    "lock_customer",
    "new_version",
    "purge_calls",
    "record_call",
    "register_subject",
    "release_assignment",
    "request_backtest",
    "retire_rule",
    "return_rule",
    "screen",
    "shadow_rule",
    "submit_rule",
    "switch_feature",
    "update_rule",
    "was_tried",
]
