"""A raise at every step inside the posting functions leaves nothing half done.

The functions are instrumented for the test alone: after each of their statements stands one that raises when asked to.
"""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from ledger import queries, services, sql, verification
from ledger.services import Leg, Transfer

pytestmark = pytest.mark.django_db

TABLES = (
    "ledger_entryreference",
    "ledger_entry",
    "ledger_posting",
    "ledger_balance",
    "ledger_hold",
    "ledger_holdevent",
    "ledger_ledgeraccount",
    "ledger_statuschange",
)
FAULT = "BK099"


def instrumented(stem: str) -> tuple[str, int]:
    """The function with a fault point after each statement of its body, and how many points there are."""
    text = sql.text(stem)
    start = re.search(r"^BEGIN$", text, re.MULTILINE)
    assert start is not None
    lines, points = [], 0
    for line in text[start.end() :].splitlines():
        lines.append(line)
        if line.rstrip().endswith(";") and not line.startswith("END"):
            points += 1
            lines.append(
                f"IF current_setting('bankportal.fault', true) = '{stem} {points}' THEN"
                f" RAISE EXCEPTION 'fault' USING ERRCODE = '{FAULT}'; END IF;"
            )
    return text[: start.end()] + "\n".join(lines), points


def everything() -> list[str]:
    """One digest for each table."""
    with connection.cursor() as cursor:
        digests = []
        for table in TABLES:
            cursor.execute(f"SELECT md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) FROM {table} t")
            digests.append(cursor.fetchone()[0])
    return digests


@pytest.fixture
def bank(customer, fees, source, now, settle):
    """What can be done, by name; each a call that succeeds when nothing goes wrong."""
    payer, payee = customer(10_000), customer(5_000)
    hold = services.place_hold(
        external_ref=uuid4(),
        account_id=payer,
        amount_minor=500,
        expires_at=now + timedelta(days=1),
        source_kind="x",
        source_id="x",
        now=now,
    ).hold_id
    entry = services.post_transfer(
        external_ref=uuid4(), debit_account_id=payer, credit_account_id=payee, amount_minor=70, **source
    ).entry_id
    later = {**source, "booked_at": now - timedelta(days=40)}
    settle()
    return {
        # Booked before what the accounts have seen, so that the entry moves to another month as well.
        "post_transfer": lambda: services.post_transfer(
            external_ref=uuid4(), debit_account_id=payer, credit_account_id=payee, amount_minor=30, **later
        ),
        "write_entry": lambda: services.post_entry(
            external_ref=uuid4(), legs=[Leg(payer, -60), Leg(payee, 50), Leg(fees, 10)], **source
        ),
        # One item posts, one is refused and one comes again, in another month than the accounts have seen.
        "post_batch": lambda: services.post_batch(
            items=[
                Transfer(
                    external_ref=UUID(int=number),
                    debit_account_id=payer,
                    credit_account_id=payee,
                    amount_minor=amount,
                    kind="x",
                    description="x",
                    source_kind="x",
                    source_id="x",
                )
                for number, amount in ((1, 30), (2, 99_999), (1, 30))
            ],
            booked_at=later["booked_at"],
        ),
        "reverse_entry": lambda: services.reverse_entry(
            entry_id=entry, external_ref=uuid4(), description="x", booked_at=now, source_kind="x", source_id="x"
        ),
        "place_hold": lambda: services.place_hold(
            external_ref=uuid4(),
            account_id=payer,
            amount_minor=5,
            expires_at=now + timedelta(days=1),
            source_kind="x",
            source_id="x",
            now=now,
        ),
        "post_hold": lambda: services.post_hold(
            hold_id=hold, external_ref=uuid4(), legs=[Leg(payer, -300), Leg(payee, 300)], **source
        ),
        "release_hold": lambda: services.void_hold(hold_id=hold, now=now),
        "close_hold": lambda: services.void_hold(hold_id=hold, now=now),
        "check_postings": lambda: services.post_transfer(
            external_ref=uuid4(), debit_account_id=payer, credit_account_id=payee, amount_minor=30, **source
        ),
        "check_entries": lambda: services.post_transfer(
            external_ref=uuid4(), debit_account_id=payer, credit_account_id=payee, amount_minor=30, **source
        ),
        "move_entry": lambda: services.post_transfer(
            external_ref=uuid4(), debit_account_id=payer, credit_account_id=payee, amount_minor=30, **later
        ),
        "set_status": lambda: services.set_status(account_id=payer, status="FROZEN"),
        "guard_account": lambda: services.set_status(account_id=payer, status="FROZEN"),
        "open_account": lambda: services.open_account(
            gl_code="2100", currency="EUR", name="x", floor=0, external_ref=uuid4()
        ),
    }


@pytest.mark.parametrize(
    "stem",
    [
        "post_transfer",
        "write_entry",
        "post_batch",
        "reverse_entry",
        "place_hold",
        "post_hold",
        "release_hold",
        "close_hold",
        "check_postings",
        "check_entries",
        "move_entry",
        "set_status",
        "guard_account",
        "open_account",
    ],
)
def test_a_fault_at_any_step_leaves_everything_as_it_was(bank, as_owner, stem):
    text, points = instrumented(stem)
    before, codes = everything(), []
    with as_owner() as cursor:
        cursor.execute(text)
    for point in range(1, points + 1):
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('bankportal.fault', %s, true)", [f"{stem} {point}"])
        try:
            with transaction.atomic():
                bank[stem]()
                # This step was not on the way: take the success back as well.
                transaction.set_rollback(True)
        except DatabaseError as problem:
            codes.append(getattr(problem.__cause__, "pgcode", ""))
        assert everything() == before
    assert set(codes) == {FAULT}, "no fault point was reached, or something else went wrong"
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('bankportal.fault', '', true)")
    bank[stem]()
    assert everything() != before
    # The instrumented function itself is the one thing that is not as shipped.
    assert {problem.subject for problem in verification.verify()} == {f"function ledger_{stem}"}


def test_a_fault_between_two_postings_takes_the_first_one_back(customer, pay):
    payer, payee = customer(1_000), customer()
    before = everything()

    def pay_twice() -> None:
        with transaction.atomic():
            pay(payer, payee, 600)
            pay(payer, payee, 600)

    with pytest.raises(services.InsufficientFunds):
        pay_twice()
    assert everything() == before
    assert queries.balance(payer).posted == 1_000
