"""The transactions API: outcomes, problems, strangers, and requests that come twice."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from common.db import use_case
from common.postgres import line
from fraud.rules.facts import Outcome
from identity import services as identity
from identity.models import ApiClient
from payments import services
from payments.models import Channel, Payment
from payments.services.looking import look
from tests.payments.conftest import Bank
from tests.payments.factories import PIN, pay, posted, verdict

pytestmark = pytest.mark.django_db
BASE = "/api/v1/transactions"


def send(client: Any, path: str, body: dict[str, Any], key: str | None = None) -> Any:
    return client.post(f"{BASE}/{path}", body, format="json", headers={"Idempotency-Key": key or str(uuid4())})


def transfer_body(bank: Bank, **overrides: Any) -> dict[str, Any]:
    body = {
        "debit_account": str(bank.current.pk),
        "payee_number": bank.bobs.number,
        "payee_name": "Bob Baker",
        "amount": "40.00",
        "currency": "EUR",
        "pin": PIN,
    }
    return {**body, **overrides}


def test_a_transfer_answers_with_its_outcome(bank: Bank, api: Any) -> None:
    client = api(bank.alice)
    done = send(client, "transfer", transfer_body(bank))
    assert (done.status_code, done.json()["status"], done.json()["amount"]) == (201, "COMPLETED", "40.00")
    for outcome, status in ((Outcome.FLAGGED, "HELD"), (Outcome.BLOCKED, "REFUSED")):
        with verdict(outcome):
            answer = send(client, "transfer", transfer_body(bank))
        assert (answer.status_code, answer.json()["status"]) == (201, status)
        assert answer.json()["reasons"] == [{"code": "TEST_RULE", "text": "This payment looks unlike you."}]


def test_a_transfer_takes_four_trips_to_the_database(bank: Bank, api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its key with its PIN and all that the rules ask, the past, the posting, and the rows with the end of the transaction."""
    client = api(bank.alice)
    send(client, "transfer", transfer_body(bank))
    trips: list[bytes | str] = []
    execute = line.Cursor.execute

    def counted(self: Any, query: Any, values: Any = None) -> None:
        trips.append(query)
        execute(self, query, values)

    monkeypatch.setattr(line.Cursor, "execute", counted)
    monkeypatch.setattr(line.Line, "_run", lambda self, statements: self.cursor().execute(statements))
    assert send(client, "transfer", transfer_body(bank)).status_code == 201
    assert len(trips) == 4, trips


def test_what_was_asked_ahead_counts_for_that_payment_only(bank: Bank) -> None:
    facts: dict[str, Any] = {"actor": bank.alice, "channel": Channel.API, "now": timezone.now()}
    here, there = (
        services.looking_for(client_id=uuid4(), debit_account_id=account.pk, payee_number=bank.bobs.number, **facts)
        for account in (bank.current, bank.savings)
    )
    ahead = services.Ahead(here)
    with use_case():
        assert look(here, ahead=ahead).debit == bank.current
        ahead.lock()
        ahead.answer(ahead.question.ask(ahead.parameters))
        found = ahead._found
        assert found is not None
        assert look(there, ahead=ahead).debit == bank.savings
        assert look(here, ahead=ahead) is found
        assert look(here, ahead=ahead) is not found, "a second payment looks for itself"


def test_the_same_key_replays_byte_for_byte(bank: Bank, api: Any) -> None:
    client, key = api(bank.alice), str(uuid4())
    first = send(client, "transfer", transfer_body(bank), key)
    again = send(client, "transfer", transfer_body(bank), key)
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    other = send(client, "transfer", transfer_body(bank, amount="41.00"), key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    missing = client.post(f"{BASE}/transfer", transfer_body(bank), format="json")
    assert missing.status_code == 400
    assert posted(bank.bobs) == 14_000


@pytest.mark.parametrize("amount", ["-1", "0", "NaN", "1e3", "0.001", "1,000", "9" * 20, 1.5, True, None, "99999.00"])
def test_a_bad_amount_is_a_problem_document(bank: Bank, api: Any, amount: Any) -> None:
    answer = send(api(bank.alice), "transfer", transfer_body(bank, amount=amount))
    assert answer.status_code in {400, 409, 422}
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json()["errors"][0]["field"] == "amount"
    assert not Payment.objects.exists()


def test_problems_name_their_field(bank: Bank, api: Any) -> None:
    client = api(bank.alice)
    cases = [
        ({"payee_number": bank.savings.number}, 422, "own_account"),
        ({"payee_number": "BP00000000000000"}, 422, "unknown_payee"),
        ({"currency": "USD"}, 422, "currency_mismatch"),
        ({"pin": "9173"}, 422, "wrong_pin"),
        ({"debit_account": str(bank.bobs.pk)}, 404, "account_not_found"),
        ({"debit_account": str(uuid4())}, 404, "account_not_found"),
        ({"country": "deu"}, 400, "validation_error"),
        ({"credit_account": str(bank.savings.pk)}, 400, "validation_error"),
        ({"payee_name": ""}, 400, "validation_error"),
    ]
    for change, status, code in cases:
        answer = send(client, "transfer", transfer_body(bank, **change))
        assert (answer.status_code, answer.json()["code"]) == (status, code), change
    assert not Payment.objects.exists()


def test_own_accounts_withdrawals_and_sandbox_deposits(bank: Bank, api: Any, settings: Any) -> None:
    client = api(bank.alice)
    base = {"debit_account": str(bank.current.pk), "amount": "10.00", "pin": PIN}
    own = send(client, "transfer", {**base, "credit_account": str(bank.savings.pk)})
    assert (own.status_code, own.json()["direction"]) == (201, "OWN")
    out = send(client, "withdraw", {**base, "iban": "DE89370400440532013000"})
    assert (out.status_code, out.json()["kind"]) == (201, "WITHDRAWAL")
    assert send(client, "withdraw", {**base, "iban": "DE00"}).status_code == 422
    assert send(client, "withdraw", {**base, "iban": "DE89370400440532013000", "pin": "9173"}).status_code == 422
    body = {"account_number": bank.current.number, "amount": "3.00"}
    assert send(client, "deposit", body).status_code == 201
    assert send(api(bank.bob), "deposit", body).status_code == 404
    settings.SANDBOX = False
    assert send(client, "deposit", body).json()["code"] == "sandbox_only"
    assert posted(bank.current) == 100_000 - 2_000 + 300


def test_integrators_deposit_with_a_key_that_has_the_scope(bank: Bank) -> None:
    issued = identity.create_api_client(actor=None, name="Payroll", scopes=["deposits:write"], now=timezone.now())
    client = APIClient(headers={"X-API-Key": issued.key})
    body = {"account_number": bank.bobs.number, "amount": "3.00"}
    done = send(client, "deposit", body)
    assert (done.status_code, done.json()["status"]) == (201, "COMPLETED")
    assert Payment.objects.get().source == "INTEGRATOR"
    assert send(client, "deposit", {**body, "account_number": "BP00000000000000"}).status_code == 404
    ApiClient.objects.filter(pk=issued.client.pk).update(scopes=[])
    assert send(client, "deposit", body).json()["code"] == "scope_missing"
    assert send(APIClient(headers={"X-API-Key": "no.key"}), "deposit", body).status_code == 401
    assert posted(bank.bobs) == 10_300


def test_history_and_detail_are_the_callers_own(bank: Bank, api: Any, charlie: Any) -> None:
    done = pay(bank.alice, bank.current, bank.bobs)
    client = api(bank.alice)
    assert [row["id"] for row in client.get(f"{BASE}/history").json()["results"]] == [str(done.pk)]
    assert client.get(f"{BASE}/history", {"status": "NOPE"}).status_code == 400
    assert client.get(f"{BASE}/history/{done.pk}").json()["fee"] == "0.00"
    assert api(bank.bob).get(f"{BASE}/history/{done.pk}").json()["fee"] is None
    assert api(charlie).get(f"{BASE}/history/{done.pk}").status_code == 404
    assert api(charlie).get(f"{BASE}/history").json()["results"] == []
    for path in ("deposit", "withdraw", "transfer"):
        assert send(api(None), path, {}).status_code in {401, 403}
    assert api(None).get(f"{BASE}/history").status_code in {401, 403}


def test_a_locked_pin_is_refused(bank: Bank, api: Any) -> None:
    client = api(bank.alice)
    for _ in range(5):
        send(client, "transfer", transfer_body(bank, pin="9173"))
    answer = send(client, "transfer", transfer_body(bank))
    assert (answer.status_code, answer.json()["code"]) == (403, "pin_locked")
    identity.set_pin(actor=bank.alice, pin=PIN, now=timezone.now())
    assert send(client, "transfer", transfer_body(bank)).status_code == 201
