"""The back office's side navigation and start page: each role sees its own work and nothing it may not open."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince

from audit.rules.actions import told
from common.geography import country_name
from common.money import Money, display
from common.subjects import page_of
from insights.queries import bank


class Item(NamedTuple):
    """A list in the navigation; `queue` names the queue whose count is its badge."""

    title: str
    icon: str
    model: str
    permission: str
    query: str = ""
    queue: str = ""


GROUPS: dict[str, list[Item]] = {
    "Reviews": [
        Item("Identity checks", "badge", "kyc_application", "kyc_view", "", "kyc"),
        Item("Fraud cases", "gpp_maybe", "fraud_case", "fraud_view", "?status__exact=OPEN", "fraud"),
        Item("Loan applications", "request_quote", "loans_application", "loan_view", "", "loans"),
        Item("Credits to look at", "move_to_inbox", "fraud_creditscore", "fraud_view", "?state=open", "credits"),
        Item("Held payments", "hourglass_top", "payments_payment", "payment_view", "?status__exact=HELD", "held"),
    ],
    "Customers": [
        Item("Users", "group", "identity_user", "user_view"),
        Item("Connected persons", "diversity_3", "identity_connection", "user_view"),
        Item("Accounts", "account_balance_wallet", "accounts_account", "account_view"),
        Item("Account fees", "receipt_long", "accounts_accountfee", "account_view"),
        Item("Payments", "swap_horiz", "payments_payment", "payment_view"),
        Item("Standing orders", "event_repeat", "payments_standingorder", "payment_view"),
        Item("Bulk files", "upload_file", "payments_bulkfile", "payment_view"),
        Item("Payees", "contacts", "payments_payee", "payment_view"),
    ],
    "Lending": [
        Item("Loans", "credit_score", "loans_loan", "loan_view"),
        Item("Late loans", "running_with_errors", "loans_loan", "loan_view", "?late=1"),
        Item("Portfolio", "pie_chart", "loans_portfolio", "loan_view"),
        Item("Other plans", "edit_calendar", "loans_restructure", "loan_view", "?status__exact=PROPOSED"),
        Item("Loan products", "real_estate_agent", "loans_loanproduct", "loan_view"),
        Item("Lending policy", "gavel", "loans_policy", "loan_view"),
        Item("Buckets of late loans", "schedule", "loans_bucket", "loan_view"),
    ],
    "Fraud": [
        Item("Fraud rules", "rule", "fraud_rule", "fraud_view", "", "rules"),
        Item("Fraud lists", "playlist_remove", "fraud_listentry", "fraud_view", "", "lists"),
        Item("Snoozed rules", "snooze", "fraud_snooze", "fraud_view"),
        Item("Backtests", "experiment", "fraud_backtest", "fraud_view"),
        Item("Fraud models", "model_training", "fraud_modelversion", "fraud_view", "", "models"),
        Item("Fraud drift", "monitoring", "fraud_driftreport", "fraud_view", "", "drift"),
        Item("Fraud engine", "toggle_on", "fraud_featuresconfig", "fraud_view"),
        Item("Calls of the fraud API", "api", "fraud_apicall", "fraud_view"),
        Item("Webhooks of gateways", "webhook", "fraud_webhook", "fraud_view"),
    ],
    "Ledger": [
        Item("Journal entries", "menu_book", "ledger_entry", "ledger_view"),
        Item("Ledger accounts", "account_tree", "ledger_ledgeraccount", "ledger_view"),
        Item("Chart of accounts", "list_alt", "ledger_glcode", "ledger_view"),
        Item("Trial balance", "balance", "ledger_trialbalance", "ledger_view"),
        Item("Balance sheet", "account_balance", "ledger_balancesheet", "ledger_view"),
        Item("Income statement", "trending_up", "ledger_incomestatement", "ledger_view"),
        Item("Holds", "lock_clock", "ledger_hold", "ledger_view"),
        Item("Reconciliation", "balance", "reconciliation_line", "ledger_view", "?matched=no"),
        Item("Matches", "join", "reconciliation_match", "ledger_view"),
        Item("Outside statements", "upload_file", "reconciliation_outsidestatement", "ledger_view"),
        Item("Seals", "verified", "ledger_seal", "ledger_view"),
        Item("Ends of day", "bedtime", "bankportal_endofdayrun", "ledger_view"),
    ],
    "Configuration": [
        Item("Products", "category", "accounts_product", "account_view"),
        Item("Fees", "sell", "accounts_feeversion", "account_view"),
        Item("Limits", "speed", "payments_limit", "payment_view"),
        Item("Reference rates", "currency_exchange", "accounts_referencerate", "account_view"),
    ],
    "Oversight": [
        Item("Audit trail", "history", "audit_auditevent", "audit_view"),
        Item("Messages", "mail", "notifications_message", "notification_view"),
    ],
}

QUEUE_TEXT: dict[str, tuple[str, str, str, str]] = {
    "kyc": ("Identity checks to decide", "kyc_application", "", "badge"),
    "fraud": ("Open fraud cases", "fraud_case", "?status__exact=OPEN", "gpp_maybe"),
    "credits": ("Credits to look at", "fraud_creditscore", "?state=open", "move_to_inbox"),
    "loans": ("Loans to decide", "loans_application", "", "request_quote"),
    "rules": ("Fraud rules to approve", "fraud_rule", "?state__exact=SHADOW", "rule"),
    "lists": ("Entries of lists to approve", "fraud_listentry", "?state__exact=PENDING", "playlist_add_check"),
    "models": ("Fraud models to approve", "fraud_modelversion", "?state__exact=NOMINATED", "model_training"),
    "drift": ("Values of payments that drifted", "fraud_driftreport", "", "monitoring"),
    "held": ("Held payments", "payments_payment", "?status__exact=HELD", "hourglass_top"),
    "frozen": ("Frozen accounts", "accounts_account", "?status__exact=FROZEN", "ac_unit"),
}
FIGURE_TEXT: dict[str, tuple[str, str, str]] = {
    "deposits": ("Deposits today", "payments_payment", "?kind__exact=DEPOSIT&status__exact=COMPLETED"),
    "transfers": ("Transfers today", "payments_payment", "?kind__in=TRANSFER,OWN_TRANSFER&status__exact=COMPLETED"),
    "refused": ("Refused today", "payments_payment", "?status__exact=REFUSED"),
    "customers": ("New customers today", "identity_user", "?role=customer"),
    "balances": ("Customer balances", "accounts_account", ""),
}

# What tells of a row of a figure whether it is of today.
_CREATED = {"payments_payment": "created_at", "identity_user": "date_joined"}


def list_url(model: str, query: str = "") -> str:
    """The address of a model's list in the back office, or empty when it has none."""
    try:
        return f"{reverse(f'admin:{model}_changelist')}{query}"
    except NoReverseMatch:
        return ""


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups by work; items that the user may not open are left out, and so are empty groups."""
    badges, nearest = _badges(request), _nearest_list(request.path)
    groups: list[Any] = []
    for title, items in GROUPS.items():
        shown = [_link(request, item, badges, nearest) for item in items if _may_open(request, item)]
        if shown:
            groups.append({"title": title, "separator": bool(groups), "items": shown})
    if request.user.is_staff:
        overview = {"title": "Start", "icon": "dashboard", "link": reverse("admin:index")}
        overview["active"] = request.path == overview["link"]  # type: ignore[assignment]
        groups.insert(0, {"items": [overview]})
    return groups


def start_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The start page's values: queues, figures of the day, decisions, payments by day."""
    now = timezone.now()
    actor = request.user
    context["queues"] = [_queue_card(queue, now) for queue in bank.queues(actor=actor, now=now)]
    context["next_up"] = _next_up(actor, now)
    context["figures"] = [_figure_card(figure, now) for figure in bank.figures(actor=actor, now=now)]
    context["decisions"] = [
        {
            "title": told(event.action),
            "who": event.actor.get_full_name() if event.actor else "System",
            "reason": event.reason,
            "at": date_format(event.at, "j M, H:i"),
            "url": page_of(event.subject_kind, event.subject_id, actor.has_perm),
        }
        for event in bank.recent_decisions(actor=actor)
    ]
    context["decisions_url"] = list_url("audit_auditevent") if actor.has_perm("identity.audit_view") else ""
    context["chart"] = _chart(bank.payments_by_day(actor=actor, now=now))
    return context


def _next_up(actor: Any, now: datetime) -> list[dict[str, Any]]:
    """What waits longest for this person's decision, each a click away from its page."""
    found: list[dict[str, Any]] = []
    if actor.has_perm("identity.kyc_decide"):
        rows = [
            {
                "url": reverse("admin:kyc_application_change", args=[application.pk]),
                "title": application.full_name,
                "note": f"{application.get_document_kind_display()}, {country_name(application.document_country)}",
                "waits": timesince(application.submitted_at, now, depth=1) if application.submitted_at else "",
            }
            for application in bank.next_applications()
            if application.user_id != actor.pk
        ]
        found.append({"title": "Identity checks to decide next", "rows": rows, "url": list_url("kyc_application")})
    if actor.has_perm("identity.fraud_decide"):
        rows = [
            {
                "url": reverse("admin:fraud_case_change", args=[case.pk]),
                "title": f"{Money(case.decision.amount_minor, case.decision.currency)} from {_payer(case)}",
                "note": f"to {case.decision.beneficiary_label or case.decision.beneficiary_ref}",
                "waits": timesince(case.opened_at, now, depth=1),
            }
            for case in bank.next_cases(actor=actor)
        ]
        url = list_url("fraud_case", "?status__exact=OPEN")
        found.append({"title": "Fraud cases to decide next", "rows": rows, "url": url})
    return found


def _payer(case: Any) -> str:
    return case.customer_name or "a customer of another system"


def _may_open(request: HttpRequest, item: Item) -> bool:
    return request.user.has_perm(f"identity.{item.permission}") and bool(list_url(item.model))


def _link(request: HttpRequest, item: Item, badges: dict[str, int], nearest: str) -> dict[str, Any]:
    url = list_url(item.model)
    # Two items may lead to one list with another filter: the one whose filter is on is the active one.
    filtered = request.GET.urlencode() == item.query.removeprefix("?")
    link: dict[str, Any] = {
        "title": item.title,
        "icon": item.icon,
        "link": url + item.query,
        "active": url == nearest and (filtered or (not item.query and not _is_queue(request, item))),
    }
    if badges.get(item.queue):
        link["badge"] = str(badges[item.queue])
        link["badge_variant"] = "warning"
    return link


def _nearest_list(path: str) -> str:
    """Some pages lie below a list and have an item of their own: then only theirs is the active one."""
    lists = (list_url(item.model) for items in GROUPS.values() for item in items)
    return max((each for each in lists if each and path.startswith(each)), key=len, default="")


def _is_queue(request: HttpRequest, item: Item) -> bool:
    present = request.GET.urlencode()
    others = (other for group in GROUPS.values() for other in group)
    return any(other.model == item.model and other.query and other.query[1:] == present for other in others)


def _badges(request: HttpRequest) -> dict[str, int]:
    """Counted once a request; the navigation is built more often than that."""
    known: dict[str, int] | None = getattr(request, "_queue_counts", None)
    if known is None:
        known = {queue.name: queue.count for queue in bank.queues(actor=request.user, now=timezone.now())}
        request._queue_counts = known  # type: ignore[attr-defined]
    return known


def _queue_card(queue: bank.Queue, now: datetime) -> dict[str, Any]:
    title, model, query, icon = QUEUE_TEXT[queue.name]
    note = "Nothing waits"
    if queue.count:
        waits = timesince(queue.oldest_at, now, depth=1) if queue.oldest_at else ""
        note = f"{'Oldest waits' if queue.count > 1 else 'Waits for'} {waits}" if waits else "Look at each one"
    if queue.urgent:
        note = f"{queue.urgent} {'expires' if queue.urgent == 1 else 'expire'} within 12 hours"
    if queue.overdue:
        note = f"{queue.overdue} overdue"
    if queue.alarm:
        note = queue.alarm
    return {
        "title": title,
        "count": queue.count,
        "note": note,
        "icon": icon,
        "urgent": bool(queue.urgent or queue.overdue or queue.alarm),
        "url": list_url(model, query),
    }


def _figure_card(figure: bank.Figure, now: datetime) -> dict[str, Any]:
    title, model, query = FIGURE_TEXT[figure.name]
    if model in _CREATED:
        # The list then shows what was counted, and no more.
        query += f"&{urlencode({f'{_CREATED[model]}__gte': f'{now.astimezone(UTC):%Y-%m-%d} 00:00:00+00:00'})}"
    money = display(figure.money) if figure.money is not None else ""
    main, note = (str(figure.count), money) if figure.count is not None else (money, "at reference rates")
    return {"title": title, "figure": main, "note": note, "url": list_url(model, query)}


def _chart(days: list[bank.DayOfPayments]) -> dict[str, Any] | None:
    if not any(day.completed or day.stopped for day in days):
        return None
    data = {
        "labels": [date_format(day.day, "j M") for day in days],
        "datasets": [
            {
                "label": "Completed",
                "data": [day.completed for day in days],
                "backgroundColor": "var(--color-primary-600)",
                "maxBarThickness": 18,
                "borderRadius": 2,
                "maxTicksXLimit": 7,
                "stack": "day",
            },
            {
                "label": "Held or refused",
                "data": [day.stopped for day in days],
                "backgroundColor": "var(--color-base-400)",
                "maxBarThickness": 18,
                "borderRadius": 2,
                "stack": "day",
            },
        ],
    }
    rows = [[date_format(day.day, "j M Y"), day.completed, day.stopped] for day in reversed(days)]
    return {"data": json.dumps(data), "table": {"headers": ["Day", "Completed", "Held or refused"], "rows": rows}}


# The admin's own index lists apps; the start page has its place and the navigation has the lists.
admin.site.index_title = "Start"
