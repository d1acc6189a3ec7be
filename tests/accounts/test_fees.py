"""Fees are versions in time: entered in the back office, never changed, and what was paid keeps its fee."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.models import Account, FeeBand, FeeVersion
from accounts.queries import fees as queries
from accounts.rules import fees
from accounts.rules.fees import Band, Operation, Tariff
from audit.models import AuditEvent
from common.errors import Forbidden
from common.money import Money
from identity.models import User
from notifications.models import OutboxEvent
from notifications.rules import kinds
from tests.accounts.factories import open_test_account

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
TIERED = Tariff((Band(0, 90, Decimal(0)), Band(1_000_00, 0, Decimal("0.1"))), least_minor=2, most_minor=20_00)


@pytest.fixture
def enter(administrator: User) -> Callable[..., FeeVersion]:
    def do(tariff: Tariff, **given: Any) -> FeeVersion:
        facts: dict[str, Any] = {
            "actor": administrator,
            "product_code": "CUR-EUR",
            "operation": Operation.TRANSFER,
            "tariff": tariff,
            "reason": "Board decision",
            "now": NOW,
        }
        return services.set_fee(**{**facts, **given})

    return do


def asked(minor: int, at: datetime, operation: Operation = Operation.TRANSFER) -> int:
    price = queries.price(product_code="CUR-EUR", operation=operation, amount=Money(minor, "EUR"), at=at)
    return price.fee.amount_minor


def test_each_moment_has_its_own_fee(enter: Callable[..., FeeVersion]) -> None:
    later = NOW + timedelta(days=60)
    enter(fees.flat(1_00))
    enter(TIERED, valid_from=later)
    assert asked(2_000_00, NOW - timedelta(microseconds=1)) == 0
    assert asked(2_000_00, NOW) == 1_00
    assert asked(2_000_00, later - timedelta(microseconds=1)) == 1_00
    assert asked(2_000_00, later) == 2_00
    assert asked(2_000_00, later, Operation.WITHDRAWAL) == 0


def test_of_two_from_the_same_moment_the_later_entered_one_holds(enter: Callable[..., FeeVersion]) -> None:
    later = NOW + timedelta(days=60)
    enter(fees.flat(9_00), valid_from=later)
    enter(fees.flat(1_00), valid_from=later)
    assert asked(10_00, later) == 1_00


def test_entering_leaves_a_trace(enter: Callable[..., FeeVersion], administrator: User) -> None:
    version = enter(TIERED)
    event = AuditEvent.objects.get(action="fee.set", subject_id=str(version.pk))
    assert (event.actor, event.reason) == (administrator, "Board decision")
    assert event.data["fee"] == "€0.90 below €1,000.00, 0.1% from €1,000.00, at least €0.02, at most €20.00"
    assert version.tariff == TIERED


def test_tells_each_holder_once_what_changes_and_when(
    enter: Callable[..., FeeVersion], alice: User, bob: User, charlie: User
) -> None:
    for owner, product in ((alice, "CUR-EUR"), (alice, "CUR-EUR"), (bob, "CUR-EUR"), (charlie, "SAV-EUR")):
        open_test_account(owner, product)
    Account.objects.filter(owner=bob).update(status="CLOSED", closed_at=NOW)

    enter(TIERED, valid_from=NOW + timedelta(days=60))

    told = OutboxEvent.objects.get(kind="fee_changes")
    title, body, path = kinds.write(told.kind, told.data)
    assert (told.user, path) == (alice, "/accounts/")
    assert title == "A fee of your Current account changes on 30 Apr 2026"
    assert body.startswith("Transfer to others: Free until then, €0.90 below €1,000.00, 0.1% from €1,000.00, at least")


def test_tells_nobody_of_a_fee_that_stays_the_same(enter: Callable[..., FeeVersion], alice: User) -> None:
    open_test_account(alice)
    enter(fees.flat(0))
    assert not OutboxEvent.objects.filter(kind="fee_changes").exists()
    enter(fees.flat(1_00))
    enter(fees.flat(1_00), valid_from=NOW + timedelta(days=60))
    assert OutboxEvent.objects.filter(kind="fee_changes").count() == 1


def test_refuses_what_is_no_fee_and_who_may_not(enter: Callable[..., FeeVersion], officer: User) -> None:
    wrong: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"valid_from": NOW - timedelta(seconds=1)}, services.InvalidFee),
        ({"tariff": Tariff(())}, services.InvalidFee),
        ({"reason": "  "}, services.ReasonRequired),
        ({"product_code": "NOPE"}, services.UnknownProduct),
        ({"actor": officer}, Forbidden),
    ]
    before = FeeVersion.objects.count()
    for given, error in wrong:
        with pytest.raises(error):
            enter(**{"tariff": fees.flat(1), **given})
    assert FeeVersion.objects.count() == before


def test_the_database_lets_no_version_change(enter: Callable[..., FeeVersion], administrator: User) -> None:
    version = enter(TIERED)
    band = FeeBand(fee=version, position=3, from_minor=5_00, fixed_minor=1, rate=0)
    past = FeeVersion(
        product_id="CUR-EUR",
        operation="TRANSFER",
        valid_from=NOW - timedelta(days=1),
        entered_by=administrator,
        entered_at=NOW,
    )
    for change in (
        lambda: FeeVersion.objects.filter(pk=version.pk).update(most_minor=1),
        lambda: FeeBand.objects.filter(fee=version).update(fixed_minor=1),
        FeeBand.objects.filter(fee=version).delete,
        band.save,
        past.save,
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


FORM = {
    "product": "CUR-EUR",
    "operation": "WITHDRAWAL",
    "band_1_fixed": "0.90",
    "band_2_from": "1000",
    "band_2_per": "0.1",
    "most": "20.00",
    "reason": "Board decision",
}


def test_an_administrator_sets_a_tiered_fee_in_the_back_office(
    administrator: User, login: Callable[[User], Client]
) -> None:
    client = login(administrator)
    page = client.get("/admin/accounts/feeversion/set/").content.decode()
    assert 'aria-label="Per cent"' in page
    answer = client.post("/admin/accounts/feeversion/set/", FORM)
    assert answer.status_code == 302
    price = queries.price(
        product_code="CUR-EUR", operation=Operation.WITHDRAWAL, amount=Money(2_000_00, "EUR"), at=timezone.now()
    )
    assert (price.fee.amount_minor, price.note) == (2_00, "0.1% of €2,000.00, for amounts from €1,000.00")
    listed = client.get("/admin/accounts/feeversion/?product__code__exact=CUR-EUR").content.decode()
    assert "€0.90 below €1,000.00, 0.1% from €1,000.00, at most €20.00" in listed
    shown = client.get("/admin/accounts/product/CUR-EUR/change/").content.decode()
    assert "Withdrawal to another bank: €0.90 below €1,000.00" in shown


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"band_1_fixed": "0.001"}, "EUR has 2 decimals at most."),
        ({"band_1_fixed": "-1"}, "Enter"),
        ({"band_1_fixed": "1e3"}, "Enter"),
        ({"band_2_per": "101"}, "less than or equal to 100"),
        ({"band_2_per": "NaN"}, "Enter a number"),
        ({"band_2_from": "0"}, "Each band starts above the one before."),
        ({"least": "30"}, "The most is not below the least."),
        ({"valid_from": "2020-01-01"}, "never for the past"),
        ({"operation": "DEPOSIT"}, "Select a valid choice"),
        ({"product": "NOPE"}, "Select a valid choice"),
        ({"reason": ""}, "required"),
    ],
)
def test_the_form_says_what_is_wrong(
    administrator: User, login: Callable[[User], Client], changes: dict[str, str], text: str
) -> None:
    before = FeeVersion.objects.count()
    answer = login(administrator).post("/admin/accounts/feeversion/set/", {**FORM, **changes})
    assert answer.status_code == 422
    assert text in answer.content.decode()
    assert FeeVersion.objects.count() == before


def test_yen_have_no_decimals_and_dollars_do(administrator: User, login: Callable[[User], Client]) -> None:
    answer = login(administrator).post("/admin/accounts/feeversion/set/", {**FORM, "product": "WAL-USD"})
    assert answer.status_code == 302
    assert queries.price_lists([FeeVersion.objects.latest("pk").product], at=timezone.now())["WAL-USD"][1].summary == (
        "US$0.90 below US$1,000.00, 0.1% from US$1,000.00, at most US$20.00"
    )


def test_the_api_lists_what_costs_something(client: Client) -> None:
    products = {each["code"]: each for each in client.get("/api/v1/products/").json()}
    assert products["SAV-EUR"]["fees"][0] == {
        "operation": "TRANSFER",
        "text": "€0.50",
        "bands": [{"from_amount": "0.00", "fixed": "0.50", "percent": "0"}],
        "least": None,
        "most": None,
    }
    assert products["CUR-EUR"]["fees"] == []
