"""The fraud desk: the queue of cases, their files, decisions as they were made, and the rules."""

from __future__ import annotations

from fraud.admin.backtests import BacktestAdmin
from fraud.admin.calls import ApiCallAdmin
from fraud.admin.cases import CaseAdmin
from fraud.admin.credits import CreditScoreAdmin
from fraud.admin.decisions import DecisionAdmin
from fraud.admin.drift import DriftReportAdmin
from fraud.admin.lists import ListEntryAdmin, SnoozeAdmin
from fraud.admin.models import ModelVersionAdmin
from fraud.admin.rules import RuleAdmin
from fraud.admin.switches import SwitchAdmin
from fraud.admin.webhooks import WebhookAdmin

__all__ = [
    "ApiCallAdmin",
    "BacktestAdmin",
    "CaseAdmin",
    "CreditScoreAdmin",
    "DecisionAdmin",
    "DriftReportAdmin",
    "ListEntryAdmin",
    "ModelVersionAdmin",
    "RuleAdmin",
    "SnoozeAdmin",
    "SwitchAdmin",
    "WebhookAdmin",
]
