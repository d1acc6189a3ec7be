"""`manage.py verify_loans`: does the loan book equal the ledger to the cent, and each loan its own story?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from loans import verification
from loans.models import Loan, Movement


class Command(BaseCommand):
    help = "Check loans against the ledger and against their own events. Exit code 1 when something does not add up."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quick", action="store_true", help="leave out running each active loan's story again")

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        for finding in verification.verify(replayed=not options["quick"]):
            self.stdout.write(str(finding))
            found += 1
        if found:
            raise CommandError(f"{found} findings.")
        loans, movements = Loan.objects.count(), Movement.objects.count()
        self.stdout.write(
            f"The loan book is right: {loans} loans, {movements} movements, equal to the ledger to the cent."
        )
