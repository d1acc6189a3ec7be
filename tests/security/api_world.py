"""Things of two customers that everybody else tries to reach through the API, and who tries."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cached_property
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.models import Account
from identity import services as identity
from identity.models import ApiClient, User
from identity.permissions import STAFF_ROLES, Role
from kyc.models import Application, Document
from loans.models import Application as LoanApplication
from loans.models import Loan
from payments import services as payments
from payments.models import BulkFile, Payee, Payment, StandingOrder
from tests.accounts.factories import open_test_account
from tests.conftest import PASSWORD
from tests.kyc import files, helpers
from tests.loans.factories import granted, referred
from tests.payments import bulk
from tests.payments.factories import PIN, give_pin, pay
from tests.security import office
from tests.security.operations import API, Call

CALLERS = ["bob", "stranger", *sorted(STAFF_ROLES), "key with scope", "key without scope"]


class World:
    """What belongs to Alice and to Dora, and the bodies that name it. What takes long to make is made when it is asked for."""

    def __init__(self, alice: User, dora: User, bob: User) -> None:
        give_pin(alice)
        self.alice, self.dora = alice, dora
        self.account: Account = open_test_account(alice, "CUR-EUR", "1000.00")
        self.bobs: Account = open_test_account(bob, "CUR-EUR", "100.00")
        self.payment: Payment = pay(alice, self.account, self.bobs)

    def complete(self) -> World:
        """Everything there, so that nothing is made while somebody looks whether something was."""
        self.address("")
        return self

    @cached_property
    def month(self) -> date:
        """Of a statement that was issued."""
        opened = self.account.opened_at
        month = opened.date().replace(day=1)
        accounts.issue_statement(account=self.account, month=month, now=opened + timedelta(days=40))
        return month

    @cached_property
    def payee(self) -> Payee:
        return payments.save_payee(
            actor=self.alice, name="Bob Baker", number=self.bobs.number, iban="", pin=PIN, now=timezone.now()
        )

    @cached_property
    def order(self) -> StandingOrder:
        now = timezone.now()
        draft = payments.draft_standing_order(
            actor=self.alice,
            debit_account_id=self.account.pk,
            payee_number=self.bobs.number,
            payee_name="Bob Baker",
            amount="5.00",
            unit="MONTH",
            first_date=now.date(),
            now=now,
        )
        return payments.make_standing_order(draft=draft, pin=PIN, now=now)

    @cached_property
    def firm(self) -> Account:
        return open_test_account(self.alice, "BUS-EUR", "100.00")

    @cached_property
    def file(self) -> BulkFile:
        return bulk.checked(self.firm, [bulk.to(self.bobs, "1.00")])

    @cached_property
    def loan(self) -> Loan:
        lender = office.make_user("lender@bank.example", Role.LENDING)
        return granted(self.alice, self.account, lender, now=timezone.now())

    @cached_property
    def wish(self) -> LoanApplication:
        return referred(self.alice, self.account, now=timezone.now())

    @cached_property
    def application(self) -> Application:
        return helpers.draft(self.dora)

    @cached_property
    def document(self) -> Document:
        return helpers.upload(self.dora, self.application)

    @property
    def secrets(self) -> list[str]:
        return [str(self.account.pk), self.account.number, str(self.payment.pk), str(self.application.pk)]

    def address(self, route: str) -> str:
        return (
            "/"
            + API
            + route.replace("<uuid:account_id>", str(self.account.pk))
            .replace("<uuid:application_id>", str(self.application.pk))
            .replace("<uuid:document_id>", str(self.document.pk))
            .replace("<uuid:payment_id>", str(self.payment.pk))
            .replace("<uuid:payee_id>", str(self.payee.pk))
            .replace("<uuid:order_id>", str(self.order.pk))
            .replace("<uuid:bulk_id>", str(self.file.pk))
            .replace("<uuid:loan_id>", str(self.loan.pk))
            .replace("<uuid:loan_application_id>", str(self.wish.pk))
            .replace("<uuid:hold_id>", str(uuid4()))
            .replace("<uuid:match_id>", str(uuid4()))
            .replace("<uuid:transaction_id>", str(uuid4()))
            .replace("<uuid:rule_id>", str(uuid4()))
            .replace("<uuid:backtest_id>", str(uuid4()))
            .replace("<str:name>", "geo_anomaly_flag")
            .replace("<str:channel>", "PORTAL")
            .replace("<str:month>", f"{self.month:%Y-%m}")
        )

    def body(self, call: Call) -> dict[str, Any]:
        money = {"amount": "5.00", "pin": PIN, "debit_account": str(self.account.pk)}
        picture = SimpleUploadedFile("scan.jpg", files.picture(color="#33a"), content_type="image/jpeg")
        bodies: dict[Call, dict[str, Any]] = {
            ("POST", "accounts/<uuid:account_id>/close"): {"pin": PIN, "expected_rest": "1.23"},
            ("POST", "accounts/<uuid:account_id>/reactivate"): {"pin": PIN},
            ("PATCH", "kyc/applications/<uuid:application_id>"): {"city": "Paris"},
            ("POST", "kyc/applications/<uuid:application_id>/documents"): {"kind": "SELFIE", "file": picture},
            ("POST", "standing-orders/"): {
                **money,
                "payee_number": self.bobs.number,
                "payee_name": self.bobs.owner.full_name,
                "unit": "MONTH",
                "first_date": timezone.now().date().isoformat(),
            },
            ("POST", "bulk-files/"): {
                "debit_account": str(self.firm.pk),
                "file": SimpleUploadedFile("wages.csv", bulk.csv_of([bulk.to(self.bobs, "2.00")])),
            },
            ("POST", "bulk-files/<uuid:bulk_id>/confirm"): {"sha256": self.file.sha256, "pin": PIN},
            ("POST", "transactions/batch"): {
                "debit_account": str(self.account.pk),
                "items": [{"payee_number": self.bobs.number, "payee_name": "Bob Baker", "amount": "5.00"}],
                "pin": PIN,
            },
            ("POST", "transactions/transfer"): {
                **money,
                "payee_number": self.bobs.number,
                "payee_name": self.bobs.owner.full_name,
            },
            ("POST", "transactions/withdraw"): {**money, "iban": "DE89370400440532013000"},
            ("POST", "loans/<uuid:loan_id>/repayments"): {"amount": "5.00"},
            ("POST", "loans/<uuid:loan_id>/prepayment-quote"): {"amount": "5.00"},
            ("POST", "loans/applications/<uuid:loan_application_id>/accept"): {"pin": PIN},
            ("PATCH", "users/profile"): {"full_name": "Some Name"},
            ("POST", "users/pin"): {"pin": "8305", "password": PASSWORD},
        }
        return bodies.get(call, {})

    def call(self, client: APIClient, call: Call) -> Any:
        body = self.body(call)
        shape = "multipart" if "file" in body else "json"
        headers = {"Idempotency-Key": str(uuid4())}
        method, route = call
        return getattr(client, method.lower())(self.address(route), body or None, format=shape, headers=headers)


def key_client(*scopes: str) -> APIClient:
    """A client with a real key that has exactly these scopes."""
    issued = identity.create_api_client(
        actor=None, name=f"Key {uuid4().hex[:8]}", scopes=["deposits:write"], now=timezone.now()
    )
    ApiClient.objects.filter(pk=issued.client.pk).update(scopes=list(scopes))
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=issued.key)
    return client
