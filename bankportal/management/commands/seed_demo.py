"""Fill the demo bank once: `manage.py seed_demo`. Safe to interrupt and to run again."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from bankportal.demo import bank, bookkeeping, featured, firm, gateway, identity_checks, lending, suspicions
from bankportal.demo.staff import STAFF


class Command(BaseCommand):
    help = "Fill the demo bank with 200 customers, 90 days of history and work for the back office. Only in a sandbox."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="no progress bars")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SANDBOX:
            raise CommandError("seed_demo writes play money and known passwords; it runs with SANDBOX=true only.")
        if not settings.DEMO_PASSWORD:
            raise CommandError("seed_demo needs DEMO_PASSWORD: the password of every demo login.")
        bank.lock()
        if not bank.is_seeded():
            self._seed(quiet=options["quiet"])
        self._print_logins()

    def _seed(self, *, quiet: bool) -> None:
        end = bank.begin(now=bank.utc_minute(timezone.now()))
        books = bank.enrol(end=end, password=settings.DEMO_PASSWORD, quiet=quiet)
        waiting = books.persons[bank.CUSTOMERS - bank.PENDING - 1 : -1]
        with identity_checks.submitted_meanwhile(persons=waiting, users=books.users, end=end, quiet=quiet):
            bookkeeping.live_ninety_days(books, end=end, quiet=quiet)
        featured.ensure(books, end=end)
        firm.ensure(books, end=end)
        lending.ensure(books, end=end)
        gateway.ensure(books, end=end, quiet=quiet)
        suspicions.ensure(books, end=end)
        bank.finish()

    def _print_logins(self) -> None:
        """Lines that `run.py` shows: LOGIN, role, address, note, parted by tabs."""
        for role, email, _name in STAFF:
            self.stdout.write(f"LOGIN\t{role.value}\t{email}\tback office")
        for email, note in featured.LOGINS:
            self.stdout.write(f"LOGIN\tcustomer\t{email}\t{note}")
