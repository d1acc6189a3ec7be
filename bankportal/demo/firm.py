"""A small firm in the demo bank: its business account, and a month of wages paid from a file."""

from __future__ import annotations

from datetime import datetime

from accounts import services as accounts
from bankportal.demo.bank import Books, decide
from bankportal.demo.featured import PIN
from bankportal.demo.staff import stable_id
from common.money import Money
from identity.models import User
from payments import services as payments
from payments.models import BulkFile, Status

OWNER = "lena@demo.example"
STAFF = 9
CONFIRMED_BY_PHONE = 7


def ensure(books: Books, *, end: datetime) -> None:
    """Open the account and pay the file, once; a file that was cut short is paid by the next run."""
    owner = next(user for user in books.users.values() if user.email == OWNER)
    account = accounts.open_account(
        actor=owner,
        owner=owner,
        product_code="BUS-EUR",
        opening=Money(48_500_00, "EUR"),
        source=accounts.sandbox(),
        client_id=stable_id("account", owner.email, "BUS-EUR"),
        now=end,
    ).account
    accounts.rename_account(actor=owner, account_id=account.pk, nickname="Hartmann Bakery")
    file = BulkFile.objects.filter(customer=owner).first()
    if file is None:
        file = payments.check_bulk_file(
            actor=owner,
            debit_account_id=account.pk,
            data=_wages(books, owner),
            name="wages.csv",
            mode="EACH",
            now=end,
        )
    if file.status == BulkFile.Status.CHECKED:
        payments.confirm_bulk_file(actor=owner, file_id=file.pk, sha256=file.sha256, pin=PIN, now=end)
    while payments.pay_next_rows(file_id=file.pk, now=end):
        pass
    # Wages are far above what the owner pays in private: the first file is held, and an officer asks by phone.
    for row in file.rows.filter(payment__status=Status.HELD).order_by("number")[:CONFIRMED_BY_PHONE]:
        assert row.payment is not None, "the filter asks for one"
        decide(books, row.payment, release=True, now=end)


def _wages(books: Books, owner: User) -> bytes:
    """Nine people of this bank, one of them misspelt, and a number that nobody has."""
    paid = [person for person in books.persons if books.users[person.index] != owner and person.index in books.current]
    lines = ["name;account;amount;reference"]
    for place, person in enumerate(paid[:STAFF]):
        name = person.full_name if place != 3 else person.full_name[:-1]
        lines.append(f"{name};{books.current[person.index].number};{1840 + 65 * place},00;Wages")
    lines.append("Former Employee;BP00000000000000;1700,00;Wages")
    return "\n".join(lines).encode()
