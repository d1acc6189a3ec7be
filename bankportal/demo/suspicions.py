"""What the fraud desk of the demo bank finds in the morning: transfers that wait, were declined, or were cancelled.

Among them accounts that somebody else took over, a large sum in small parts, and a stolen login being tried.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bankportal.demo.bank import Books, decide
from bankportal.demo.staff import stable_id
from common.money import Money
from common.request_context import RequestContext, enter, leave
from ledger import queries as ledger_queries
from payments import services as payments
from payments.models import Channel, Payment, Status

# What the bank lets anybody send to a new payee in a day is 10,000.00: the parts of a sum stay below it together.
_AT_STAKE_AT_MOST = 1_200_000


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
    for place, person in enumerate(rich[12:14]):
        _takeover(books, person, place, balance=held[person], now=end - timedelta(minutes=88 - 40 * place))
    for person in rich[14:15]:
        _smurfing(books, person, balance=held[person], now=end - timedelta(minutes=75))
    for person in rich[15:16]:
        _testing(books, person, now=end - timedelta(minutes=62))


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


def _takeover(books: Books, person: int, place: int, *, balance: int, now: datetime) -> None:
    """Somebody else at a new device abroad sends most of what there is to one stranger, in two parts."""
    stranger = RequestContext(ip=f"198.51.100.{40 + place}", user_agent="Mozilla/5.0 (X11; Linux) Firefox/115.0")
    token = enter(stranger)
    try:
        for step, percent in enumerate((62, 17)):
            _pay(
                books,
                person,
                _somebody_else(books, person, 90 + place),
                amount_minor=min(balance, _AT_STAKE_AT_MOST) * percent // 100,
                text="Transfer",
                now=now + timedelta(minutes=4 * step),
                name=f"takeover/{place}/{step}",
                country="BR",
            )
    finally:
        leave(token)


def _smurfing(books: Books, person: int, *, balance: int, now: datetime) -> None:
    """A large sum in eight like parts to two accounts, within ten minutes."""
    for step in range(8):
        _pay(
            books,
            person,
            _somebody_else(books, person, 110 + step % 2),
            amount_minor=min(balance, _AT_STAKE_AT_MOST) // 10 - 137 * step,
            text="Loan return",
            now=now + timedelta(seconds=68 * step),
            name=f"smurfing/{step}",
        )


def _testing(books: Books, person: int, *, now: datetime) -> None:
    """Tiny amounts to seven accounts in a few minutes, to see whether it works."""
    for step in range(7):
        _pay(
            books,
            person,
            _somebody_else(books, person, 130 + step),
            amount_minor=50 + 31 * step,
            text="Test",
            now=now + timedelta(seconds=40 * step),
            name=f"testing/{step}",
        )


def _pay(
    books: Books,
    person: int,
    payee: int,
    *,
    amount_minor: int,
    text: str,
    now: datetime,
    name: str,
    country: str = "",
) -> Payment:
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
        country=country or books.persons[person].country,
    )
