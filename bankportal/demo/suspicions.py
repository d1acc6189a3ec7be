"""What the fraud desk of the demo bank finds in the morning: transfers that wait, were declined, or were cancelled."""

from __future__ import annotations

from datetime import datetime, timedelta

from bankportal.demo.bank import Books, decide
from bankportal.demo.staff import stable_id
from common.money import Money
from ledger import queries as ledger_queries
from payments import services as payments
from payments.models import Channel, Payment, Status


def ensure(books: Books, *, end: datetime) -> None:
    """Large transfers to new payees and bursts of small ones in the last hours; some are already decided.

    Chosen by what the accounts held before the first of them, so that an interrupted run goes on with the same.
    """
    before = end - timedelta(minutes=100)
    held = {
        index: ledger_queries.balance_at(account.ledger_account_id, before) for index, account in books.current.items()
    }
    rich = sorted(held, key=lambda index: (-held[index], index))
    for place, person in enumerate(rich[:9]):
        _large_to_a_new_payee(books, person, place, balance=held[person], now=end - timedelta(minutes=95 - 9 * place))
    for place, person in enumerate(rich[9:12]):
        _burst(books, person, place, now=end - timedelta(minutes=40 - 8 * place))


def _large_to_a_new_payee(books: Books, person: int, place: int, *, balance: int, now: datetime) -> None:
    payment = _pay(
        books,
        person,
        _somebody_else(books, person, 60 + place),
        # Large, and still within what the bank lets anybody send to a new payee in a day.
        amount_minor=min(balance * (60 + 4 * place) // 100, 980_000 - 31_700 * place),
        text="Invoice",
        now=now,
        name=f"large/{place}",
    )
    if payment.status != Status.HELD:
        return
    if place in (1, 4, 7):
        decide(books, payment, release=False, now=now + timedelta(minutes=12))
    elif place in (2, 5):
        decide(books, payment, release=True, now=now + timedelta(minutes=9))


def _somebody_else(books: Books, person: int, steps: int) -> int:
    count = len(books.current)
    return (person + 1 + steps % (count - 1)) % count


def _burst(books: Books, person: int, place: int, *, now: datetime) -> None:
    """Seven transfers within ten minutes: the sixth and the seventh are held."""
    for step in range(7):
        _pay(
            books,
            person,
            _somebody_else(books, person, 16 + step),
            amount_minor=1_900 + 230 * step,
            text="Shared costs",
            now=now + timedelta(seconds=70 * step),
            name=f"burst/{place}/{step}",
        )


def _pay(books: Books, person: int, payee: int, *, amount_minor: int, text: str, now: datetime, name: str) -> Payment:
    return payments.submit_transfer(
        actor=books.users[person],
        debit_account_id=books.current[person].pk,
        payee_number=books.current[payee].number,
        payee_name=books.users[payee].full_name,
        amount=Money(amount_minor, "EUR").plain,
        client_id=stable_id("suspicion", name),
        channel=Channel.PORTAL,
        now=now,
        description=text,
        country=books.persons[person].country,
    )
