"""The back office as the tests walk it: every address, the right that opens it, and one of each thing to open."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.utils import timezone

from accounts import services as accounts
from accounts.models import Account, AccountFee
from accounts.rules.fees import Operation, flat
from audit import services as audit
from audit.models import Seal
from bankportal.models import EndOfDayRun
from fraud import services as fraud
from fraud.models import ApiCall, DriftReport, ModelVersion, Rule, Webhook
from fraud.services import backtests
from identity import services as identity
from identity.models import User
from identity.permissions import ROLE_PERMISSIONS, Role
from loans import services as loans
from notifications.models import Message, OutboxEvent
from payments import services as payments
from payments.models import Limit
from reconciliation import queries as reconciliation
from reconciliation.models import Line, Match, OutsideStatement
from tests.accounts.factories import open_test_account, set_test_fee
from tests.conftest import make_user, owner_rights
from tests.kyc import helpers
from tests.loans.factories import granted, referred
from tests.payments.bulk import checked, paid, to
from tests.payments.factories import CHECKED, PIN, case_of, give_pin, held_payment, pay

# Who may read an app's lists and details; a new table of these apps is covered by itself.
READ = {
    "accounts": "account_view",
    "audit": "audit_view",
    "bankportal": "ledger_view",
    "fraud": "fraud_view",
    "identity": "user_view",
    "kyc": "kyc_view",
    "ledger": "ledger_view",
    "loans": "loan_view",
    "notifications": "notification_view",
    "payments": "payment_view",
    "reconciliation": "ledger_view",
}
# What Django's own forms may add and change; everything else is read-only there, and nothing can be deleted.
EDIT = {
    "accounts/product": "product_edit",
    "accounts/referencerate": "product_edit",
    "loans/bucket": "product_edit",
    "loans/loanproduct": "product_edit",
    "loans/policy": "product_edit",
}
GENERIC = re.compile(
    r"^admin/(?P<app>\w+)/(?P<model>\w+)/(?P<rest>add/|<path:object_id>/(change/|delete/|history/)?)?$"
)


@dataclass(frozen=True)
class Page:
    """What a page of our own needs; `form` is what a POST of it sends, None for a page that only shows."""

    permission: str
    form: dict[str, Any] | None = None
    post_only: bool = False
    leads_on: bool = False


REASON = {"reason": "Because the test says so."}
# Pages of our own, without `admin/`. A page that is missing here fails the walk: write down who may open it.
PAGES: dict[str, Page] = {
    "accounts/account/<path:object_id>/close/": Page("account_close", REASON),
    "accounts/account/<path:object_id>/freeze/": Page("account_freeze", REASON),
    "accounts/account/<path:object_id>/unfreeze/": Page("account_freeze", REASON),
    "accounts/account/<path:object_id>/reactivate/": Page("account_reactivate", REASON),
    "accounts/accountfee/<path:object_id>/waive/": Page("fee_waive", REASON),
    "accounts/account/open-at-counter/": Page(
        "account_open_for_customer",
        {"client_id": str(uuid4()), "email": "bob@example.com", "product": "SAV-EUR", "amount": "500.00"},
    ),
    "accounts/feeversion/set/": Page(
        "product_edit", {"product": "CUR-EUR", "operation": "TRANSFER", "band_1_fixed": "1.00", **REASON}
    ),
    "payments/limit/<path:object_id>/change-limits/": Page("payment_limits", {"daily": "5.00", **REASON}),
    "payments/limit/set-for-customer/": Page(
        "payment_limits", {"email": "bob@example.com", "channel": "PORTAL", "daily": "5.00", **REASON}
    ),
    "fraud/case/<uuid:case_id>/assign/": Page("fraud_decide", {"assignee": "1"}, post_only=True),
    "fraud/case/<uuid:case_id>/claim/": Page("fraud_decide", {}, post_only=True),
    "fraud/case/<uuid:case_id>/check/": Page("fraud_decide", {"checks": "history"}, post_only=True),
    "fraud/case/<uuid:case_id>/decline/": Page("fraud_decide", {**REASON, "checks": CHECKED}),
    "fraud/case/<uuid:case_id>/note/": Page("fraud_decide", {"text": "A note."}, post_only=True),
    "fraud/case/<uuid:case_id>/put-back/": Page("fraud_decide", {}, post_only=True),
    "fraud/case/<uuid:case_id>/release/": Page("fraud_decide", {**REASON, "checks": CHECKED}),
    "fraud/case/desk/": Page(
        "fraud_approve_rules",
        {**REASON, "critical_hours": "2", "suspicious_hours": "20", "sample_hours": "99", "sample_percent": "1"},
    ),
    "fraud/case/next/": Page("fraud_decide", {}, post_only=True),
    "fraud/case/together/": Page("fraud_decide", {**REASON, "decision": "DECLINE", "cases": "1"}),
    "fraud/backtest/<uuid:backtest_id>/progress/": Page("fraud_view"),
    "fraud/backtest/<uuid:backtest_id>/use/": Page("fraud_switch", REASON),
    "fraud/backtest/thresholds/": Page("fraud_edit_rules", {"flag_at": "0.4", "block_at": "0.9", "days": "30"}),
    "fraud/backtest/try-thresholds/": Page("fraud_edit_rules", {}, leads_on=True),
    "fraud/creditscore/<int:credit_id>/clear/": Page("fraud_decide", REASON),
    "fraud/creditscore/<int:credit_id>/confirm/": Page("fraud_decide", REASON),
    "fraud/featuresconfig/budget/": Page(
        "fraud_approve_rules", {**REASON, "flagged_share": "2", "blocked_share": "0.1"}
    ),
    "fraud/featuresconfig/feature/<slug:feature>/": Page("fraud_switch", REASON),
    "fraud/featuresconfig/layer/<slug:layer>/": Page("fraud_switch", REASON),
    "fraud/listentry/<uuid:entry_id>/approve/": Page("fraud_approve_rules", REASON),
    "fraud/listentry/<uuid:entry_id>/end/": Page("fraud_approve_rules", REASON),
    "fraud/listentry/add-entries/": Page("fraud_edit_rules", {}, leads_on=True),
    "fraud/listentry/new/": Page("fraud_edit_rules", {**REASON, "listing": "BLOCK", "kind": "COUNTRY", "values": "AQ"}),
    "fraud/snooze/<uuid:snooze_id>/end/": Page("fraud_decide", REASON),
    "fraud/snooze/new/": Page(
        "fraud_decide", {**REASON, "rule": "LARGE_TO_NEW_PAYEE", "who": "bob@example.com", "days": "7"}
    ),
    "fraud/snooze/snooze-a-rule/": Page("fraud_decide", {}, leads_on=True),
    "fraud/webhook/<uuid:webhook_id>/end/": Page("user_manage", REASON),
    "fraud/webhook/<uuid:webhook_id>/again/": Page("user_manage", {**REASON, "delivery": str(uuid4())}),
    "fraud/webhook/new/": Page("user_manage", {**REASON, "client": "1", "url": "https://shop.example/"}),
    "fraud/webhook/set-address/": Page("user_manage", {}, leads_on=True),
    "fraud/modelversion/<uuid:version_id>/nominate/": Page("fraud_edit_rules", REASON),
    "fraud/modelversion/<uuid:version_id>/promote/": Page("fraud_approve_rules", REASON),
    "fraud/modelversion/<uuid:version_id>/turn-down/": Page("fraud_approve_rules", REASON),
    "fraud/modelversion/roll-back/": Page("fraud_approve_rules", REASON),
    "fraud/modelversion/train/": Page("fraud_edit_rules", {**REASON, "days": "30", "trials": "0"}),
    "fraud/modelversion/trainings/": Page("fraud_view"),
    "fraud/rule/<uuid:rule_id>/approve/": Page("fraud_approve_rules", REASON),
    # Only its maker edits a draft; others are led to the rule.
    "fraud/rule/<uuid:rule_id>/edit/": Page("fraud_edit_rules", {"name": "Another name"}, leads_on=True),
    "fraud/rule/<uuid:rule_id>/new-version/": Page("fraud_edit_rules", {}, post_only=True),
    "fraud/rule/<uuid:rule_id>/retire/": Page("fraud_approve_rules", REASON),
    "fraud/rule/<uuid:rule_id>/return/": Page("fraud_approve_rules", REASON),
    "fraud/rule/<uuid:rule_id>/backtest/": Page("fraud_edit_rules", {"days": "30"}),
    "fraud/rule/<uuid:rule_id>/backtests/": Page("fraud_view"),
    "fraud/rule/<uuid:rule_id>/shadow/": Page("fraud_edit_rules", REASON),
    "fraud/rule/<uuid:rule_id>/submit/": Page("fraud_edit_rules", {**REASON, "days": "30"}),
    "fraud/rule/limit/": Page("fraud_edit_rules", {"name": "A limit"}),
    "fraud/rule/set-limit/": Page("fraud_edit_rules", {}, leads_on=True),
    "fraud/rule/new/": Page("fraud_edit_rules", {"name": "A rule"}),
    "fraud/rule/preview/": Page("fraud_edit_rules", {}, post_only=True),
    "fraud/rule/write-rule/": Page("fraud_edit_rules", {}, leads_on=True),
    "identity/apiclient/<path:object_id>/revoke/": Page("user_manage", REASON),
    "identity/apiclient/create/": Page("user_manage", {**REASON, "name": "Another", "scopes": ["deposits:write"]}),
    "identity/connection/<path:object_id>/end/": Page("user_manage", REASON),
    "identity/connection/declare/": Page("user_view", {**REASON, "email": "nobody@example.com", "relation": "SIBLING"}),
    "identity/user/<path:object_id>/clear-lockout/": Page("user_manage", REASON),
    "identity/user/<path:object_id>/deactivate/": Page("user_manage", REASON),
    "identity/user/<path:object_id>/reactivate/": Page("user_manage", REASON),
    "identity/user/<path:object_id>/roles/": Page("user_manage", {**REASON, "roles": ["administrator"]}),
    "identity/user/<path:object_id>/unlock-pin/": Page("user_manage", REASON),
    "kyc/application/<uuid:application_id>/approve/": Page("kyc_decide", REASON),
    "kyc/application/<uuid:application_id>/number/": Page("kyc_decide", REASON, post_only=True),
    "kyc/application/<uuid:application_id>/reject/": Page(
        "kyc_decide", {**REASON, "kind": "RETRY", "public_reason": "The picture of the card is blurred."}
    ),
    "kyc/application/document/<uuid:document_id>/": Page("kyc_document_view"),
    "kyc/application/document/<uuid:document_id>/page/<int:page>/": Page("kyc_document_view"),
    "ledger/glcode/balance-sheet/": Page("ledger_view"),
    "ledger/glcode/general-ledger/<int:account_id>/": Page("ledger_view"),
    "ledger/glcode/income-statement/": Page("ledger_view"),
    "ledger/glcode/trial-balance/": Page("ledger_view"),
    "ledger/seal/<int:number>/verify/": Page("ledger_view"),
    "loans/application/<path:object_id>/approve/": Page("loan_decide", REASON),
    "loans/application/<path:object_id>/decline/": Page("loan_decide", {**REASON, "told": "Your income varies."}),
    "loans/loan/<path:object_id>/plan/": Page("loan_service"),
    "loans/loan/<path:object_id>/propose/": Page("loan_service", {**REASON, "instalments": "24"}),
    "loans/loan/<path:object_id>/payout/": Page("loan_service", REASON),
    "loans/loan/<path:object_id>/payout/agree/": Page("loan_service", REASON),
    "loans/loan/<path:object_id>/payout/refuse/": Page("loan_service", REASON),
    "loans/loan/<path:object_id>/cancel-rest/": Page("loan_service", REASON),
    "loans/loan/<path:object_id>/write-off/": Page("loan_service", REASON),
    "loans/loan/portfolio/": Page("loan_view"),
    "loans/restructure/<path:object_id>/agree/": Page("loan_service", REASON),
    "loans/restructure/<path:object_id>/refuse/": Page("loan_service", REASON),
    "payments/payment/<path:object_id>/case/": Page("fraud_view", leads_on=True),
    "payments/payment/<path:object_id>/reverse/": Page("payment_reverse", REASON),
    "payments/payment/cash-in/": Page("payment_deposit", {"amount": "10.00", "client_id": str(uuid4())}),
    "reconciliation/line/<path:object_id>/match/": Page("ledger_reconcile", REASON),
    "reconciliation/line/match-again/": Page("ledger_reconcile", {"currency": "EUR"}),
    "reconciliation/match/<path:object_id>/undo/": Page("ledger_reconcile", REASON),
    "reconciliation/outsidestatement/import/": Page("ledger_reconcile", {"source": "ofx", "currency": "EUR"}),
    "payments/payment/cash-out/": Page("payment_withdraw", {"amount": "10.00", "client_id": str(uuid4())}),
}
# Pages of the site itself: what staff of any role gets there.
SITE = {
    "": 200,
    "(?P<url>.*)$": 404,
    "autocomplete/": 403,
    "identity/user/own-sign-ins/": 200,
    "jsi18n/": 200,
    "password_change/": 302,
    "password_change/done/": 200,
    "r/<path:content_type_id>/<path:object_id>/": 404,
    "search/": 200,
}
APP_INDEX = "(?P<app_label>"


@dataclass(frozen=True)
class Things:
    """One of each thing, in the state in which it can be decided about."""

    by_route: dict[str, str]
    by_name: dict[str, str]

    def address(self, route: str) -> str:
        """`route` (with `admin/`) with a value for each parameter."""
        given = dict(self.by_name)
        inner = route.removeprefix("admin/")
        if inner in self.by_route:
            given["object_id"] = self.by_route[inner]
        elif (found := GENERIC.match(route)) and found["app"] in READ:
            given["object_id"] = self.by_route.get(f"{found['app']}/{found['model']}") or example(
                found["app"], found["model"]
            )
        plain = route.replace("(?P<url>.*)$", "no-such-page")
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda part: given[part[1]], plain)


def example(app: str, model: str) -> str:
    """The id of some row of a table."""
    row = apps.get_model(app, model)._default_manager.order_by("pk").first()
    return str(row.pk) if row is not None else "0"


def furnish(alice: User) -> Things:
    """Make the things: accounts, payments, an application, a case, rules, a client; none belongs to staff."""
    now = timezone.now()
    bob = User.objects.filter(email="bob@example.com").first() or make_user("bob@example.com", Role.CUSTOMER)
    give_pin(alice)
    current = open_test_account(alice, "CUR-EUR", "1000.00")
    frozen = open_test_account(alice, "SAV-EUR", "500.00")
    bobs = open_test_account(bob, "CUR-EUR", "100.00")
    dormant = open_test_account(alice, "WAL-EUR", "5.00")
    Account.objects.filter(pk=dormant.pk).update(status="DORMANT", dormant_at=now, dormancy_warned_at=now)
    officer = make_user("furnisher@bank.example", Role.COMPLIANCE)
    accounts.freeze_account(actor=officer, account_id=frozen.pk, reason="For the test", now=now)
    done, waiting = pay(alice, current, bobs), held_payment(alice, current, bobs)
    payments.score_credits(now=timezone.now(), back=timedelta(hours=1))
    payments.save_payee(actor=alice, name="Bob Baker", number=bobs.number, pin=PIN, now=now)
    draft = payments.draft_standing_order(
        actor=alice,
        debit_account_id=current.pk,
        iban="DE89370400440532013000",
        amount="5.00",
        first_date=now.date(),
        now=now,
    )
    payments.make_standing_order(draft=draft, pin=PIN, now=now)
    paid(checked(open_test_account(alice, "BUS-EUR", "100.00"), [to(bobs, "1.00")]))
    application = helpers.pending(make_user("dora@example.com", Role.CUSTOMER, name="Dora Dean"))
    shipped = Rule.objects.filter(state="LIVE").order_by("code")[0]
    rule = fraud.new_version(actor=officer, rule_id=shipped.pk, now=now)
    fraud.submit_rule(actor=officer, rule_id=rule.pk, reason="For the test", now=now)
    backtests.run_backtest(backtest_id=rule.backtests.get().pk, now=now)
    fraud.shadow_rule(actor=officer, rule_id=rule.pk, reason="For the test", now=now)
    entry = fraud.add_entries(
        actor=officer,
        listing="ALLOW",
        kind="PAYEE",
        values=["NOBODY-IS-CALLED-THIS"],
        reason="For the test",
        ends_at=now + timedelta(days=30),
        rules=[shipped.code],
        now=now,
    )[0]
    fraud.switch_feature(actor=officer, name="is_night", enabled=False, reason="For the test", now=now)
    tried = fraud.request_threshold_backtest(
        actor=officer, flag_at=0.4, block_at=0.9, from_at=now - timedelta(days=1), to_at=now, now=now
    )
    backtests.run_backtest(backtest_id=tried.pk, now=now)
    snooze = fraud.snooze_rule(actor=officer, code=shipped.code, who=bob.email, days=7, reason="For the test", now=now)
    model = ModelVersion.objects.create(number=1, manifest="{}", signature="0" * 64, created_at=now)
    DriftReport.objects.create(day=now.date(), rows=1, features={}, score=0.0, alert_share=0.0)
    client = identity.create_api_client(actor=None, name="Furniture", scopes=["deposits:write"], now=now).client
    ApiCall.objects.create(at=now, user=officer, client=client, method="GET", path="/", status=200, latency_ms=1.0)
    webhook = Webhook.objects.create(client=client, url="https://shop.example/", set_by=officer, set_at=now)
    with transaction.atomic():
        audit.record(actor=None, action="test.furnished", subject_kind="test", subject_id="1")
    event = OutboxEvent.objects.create(user=bob, kind="pin_set", created_at=now, next_attempt_at=now, relayed_at=now)
    Message.objects.create(event=event, user=bob, kind="pin_set", title="T", body="B", created_at=now)
    with owner_rights() as cursor:
        # Made by hand: the function that seals waits for every transaction beside this test.
        cursor.execute(LEDGER_SEAL, {"digest": "0" * 64, "at": now})
    EndOfDayRun.objects.create(day=now.date(), started_at=now)
    Seal.objects.create(number=1, from_xid=0, to_xid=1, count=1, digest="0" * 64, sealed_at=now)
    AccountFee.objects.create(
        account=current,
        period=now.date().replace(day=1),
        fee_version=set_test_fee("CUR-EUR", Operation.MONTHLY, flat(1)),
        basis_minor=0,
        amount_minor=1,
        asked_at=now,
        tried_at=now,
    )
    account = reconciliation.settlement_account("EUR")
    outside = OutsideStatement.objects.create(
        ledger_account_id=account,
        currency="EUR",
        source="csv",
        file_name="march.csv",
        sha256="0" * 64,
        first_date=now.date(),
        last_date=now.date(),
        line_count=1,
        imported_by=officer,
        imported_at=now,
    )
    line = Line.objects.create(
        statement=outside, number=1, booked_date=now.date(), amount_minor=7_77, currency="EUR", description="Odd"
    )
    match = Match.objects.create(
        ledger_account_id=account, rule="AMOUNT", amount_minor=1_00, currency="EUR", made_at=now
    )
    lender = make_user("furnisher.lending@bank.example", Role.LENDING)
    close = identity.declare_connection(
        actor=lender, email=bob.email, relation="SIBLING", reason="For the test", now=now
    )
    loan, wish = granted(alice, current, lender, now=now), referred(alice, current, now=now)
    plan = loans.propose(
        actor=lender,
        loan_id=loan.pk,
        instalments=24,
        annual_rate=None,
        first_due_date=None,
        reason="For the test",
        now=now,
    )
    return Things(
        by_route={
            **{f"loans/application/<path:object_id>/{deed}/": str(wish.pk) for deed in ("approve", "decline")},
            **{
                f"loans/loan/<path:object_id>/{deed}/": str(loan.pk)
                for deed in ("plan", "propose", "payout", "payout/agree", "payout/refuse", "cancel-rest", "write-off")
            },
            **{f"loans/restructure/<path:object_id>/{deed}/": str(plan.pk) for deed in ("agree", "refuse")},
            "reconciliation/line/<path:object_id>/match/": str(line.pk),
            "reconciliation/match/<path:object_id>/undo/": str(match.pk),
            "accounts/account": str(current.pk),
            "accounts/account/<path:object_id>/close/": str(current.pk),
            "accounts/account/<path:object_id>/reactivate/": str(dormant.pk),
            "accounts/accountfee/<path:object_id>/waive/": example("accounts", "accountfee"),
            "accounts/account/<path:object_id>/freeze/": str(current.pk),
            "accounts/account/<path:object_id>/unfreeze/": str(frozen.pk),
            "identity/user": str(bob.pk),
            **{f"identity/user/<path:object_id>/{deed}/": str(bob.pk) for deed in USER_DEEDS},
            "identity/apiclient/<path:object_id>/revoke/": str(client.pk),
            "identity/connection/<path:object_id>/end/": str(close.pk),
            "payments/limit/<path:object_id>/change-limits/": str(
                Limit.objects.get(customer=None, channel="PORTAL").pk
            ),
            "payments/payment/<path:object_id>/case/": str(waiting.pk),
            "payments/payment/<path:object_id>/reverse/": str(done.pk),
        },
        by_name={
            "account_id": str(current.ledger_account_id),
            "number": "1",
            "application_id": str(application.pk),
            "case_id": str(case_of(waiting).pk),
            "content_type_id": "1",
            "credit_id": example("fraud", "creditscore"),
            "entry_id": str(entry.pk),
            "feature": "is_night",
            "layer": "autoencoder",
            "backtest_id": str(tried.pk),
            "snooze_id": str(snooze.pk),
            "document_id": str(application.documents.all()[0].pk),
            "object_id": str(uuid4()),
            "page": "1",
            "rule_id": str(rule.pk),
            "version_id": str(model.pk),
            "webhook_id": str(webhook.pk),
        },
    )


LEDGER_SEAL = """
    INSERT INTO ledger_seal (number, previous, start, cut, entries, first_entry, last_entry, rows_digest, digest, sealed_at)
    VALUES (1, %(digest)s, '0', '1', 1, 1, 1, %(digest)s, %(digest)s, %(at)s)
"""
USER_DEEDS = ("clear-lockout", "deactivate", "reactivate", "roles", "unlock-pin")


def expected_right(route: str) -> str | None:
    """The permission that opens a page by GET; None for what nobody may open. Raises KeyError for an unknown page."""
    inner = route.removeprefix("admin/")
    if inner in PAGES:
        return PAGES[inner].permission
    found = GENERIC.match(route)
    if found is None:
        raise KeyError(route)
    if found["rest"] == "add/":
        return EDIT.get(f"{found['app']}/{found['model']}")
    if found["rest"] and found["rest"].endswith("delete/"):
        return None
    return READ[found["app"]]


def holds(role: Role, permission: str | None) -> bool:
    return permission in ROLE_PERMISSIONS[role]


def staff(role: Role) -> User:
    return make_user(f"walker.{role.value}@bank.example", role, name=role.value.title())


def superuser() -> User:
    """Every permission there is, and the customer's role, to own things as well."""
    made = make_user("root@bank.example", Role.CUSTOMER, name="Rosa Root", is_staff=True, is_superuser=True)
    made.groups.set(Group.objects.filter(name__in=[role.value for role in Role]))
    return made


# Written by looking: the trail, and what a session remembers.
# What writes down that somebody called.
_LEFT_OUT = {"audit_auditevent", "fraud_apicall"}


def state_of_the_bank() -> dict[str, str]:
    """A digest of each table of our own apps: whatever is written anywhere changes one."""
    tables = sorted({model._meta.db_table for model in apps.get_models() if model._meta.app_label in READ} - _LEFT_OUT)
    links = sorted(model._meta.db_table for model in (User.groups.through, User.user_permissions.through))
    found = {}
    with connection.cursor() as cursor:
        for table in (*tables, *links):
            # Names come from our own models.
            cursor.execute(
                f"SELECT count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM \"{table}\" t"
            )
            found[table] = str(cursor.fetchone())
    return found


def differences(before: dict[str, str]) -> list[str]:
    """The tables that are not as they were."""
    now = state_of_the_bank()
    return [table for table in before if before[table] != now[table]]
