"""Ten times the limit at once at each door that moves money: never more than the limit gets through (V2.4.1, V2.4.2)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from common import throttle
from common.throttle import Limit
from identity.models import User
from payments.api.transactions import Deposit, Transfer, Withdraw
from tests.payments.factories import PIN

FEW = Limit("transfers", count=6, seconds=3600)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that does not refill while the test runs."""
    monkeypatch.setattr(throttle, "TRANSFERS", FEW)
    for view in (Deposit, Transfer, Withdraw):
        monkeypatch.setattr(view, "throttle_classes", (throttle.by_user(FEW),))


def burst(send: Callable[[], Any], times: int = 10 * FEW.count) -> list[Any]:
    def one(_: int) -> Any:
        try:
            return send()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, range(times)))


def test_the_confirm_page_lets_no_burst_through(alice: User, login: Callable[[User], Client]) -> None:
    cookies = login(alice).cookies

    def send() -> Any:
        client = Client()
        client.cookies = cookies
        return client.post(f"/transfer/review/{uuid4()}/", {"pin": PIN})

    answers = burst(send)

    # There is no such review, so whoever gets through finds nothing.
    assert Counter(answer.status_code for answer in answers) == {404: FEW.count, 429: 9 * FEW.count}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert int(refused.headers["Retry-After"]) > 0
    assert "Your money is safe" in refused.content.decode()
    assert "no-store" in refused.headers["Cache-Control"]


@pytest.mark.parametrize("door", ["transfer", "withdraw", "deposit"])
def test_the_api_lets_no_burst_through(door: str, alice: User, api: Callable[[User], APIClient]) -> None:
    def send() -> Any:
        key = {"Idempotency-Key": str(uuid4())}
        return api(alice).post(f"/api/v1/transactions/{door}", {}, format="json", headers=key)

    answers = burst(send)

    assert Counter(answer.status_code for answer in answers) == {400: FEW.count, 429: 9 * FEW.count}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert json.loads(refused.content)["code"] == "throttled"
    assert int(refused.headers["Retry-After"]) > 0


def test_page_and_api_share_one_limit(
    alice: User, login: Callable[[User], Client], api: Callable[[User], APIClient]
) -> None:
    client = login(alice)
    for _ in range(FEW.count):
        assert client.post(f"/transfer/review/{uuid4()}/", {"pin": PIN}).status_code == 404

    assert api(alice).post("/api/v1/transactions/transfer", {}, format="json").status_code == 429
    assert client.post("/deposit/", {}).status_code == 422, "an empty form moves nothing and counts for nothing"


def test_one_persons_burst_holds_nobody_else_up(alice: User, bob: User, login: Callable[[User], Client]) -> None:
    for _ in range(FEW.count + 1):
        last = login(alice).post(f"/transfer/review/{uuid4()}/", {"pin": PIN})

    assert last.status_code == 429
    assert login(bob).post(f"/transfer/review/{uuid4()}/", {"pin": PIN}).status_code == 404
