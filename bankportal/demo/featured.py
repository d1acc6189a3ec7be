"""The customers whose logins are printed."""

from __future__ import annotations

from datetime import datetime

from bankportal.demo.bank import Books
from identity import queries as identity_queries
from identity import services as identity

PIN = "4826"
LOGINS = [
    ("mira@demo.example", f"portal, PIN {PIN}"),
    ("jonas@demo.example", f"portal, PIN {PIN}"),
    ("lena@demo.example", f"portal, business account, PIN {PIN}"),
    ("new@demo.example", "portal, identity check not started"),
]


def ensure(books: Books, *, end: datetime) -> None:
    """Give the featured customers the PIN that is printed beside their login."""
    for email, _note in LOGINS[:-1]:
        user = next(user for user in books.users.values() if user.email == email)
        if not identity_queries.has_pin(user):
            identity.set_pin(actor=user, pin=PIN, now=end)
