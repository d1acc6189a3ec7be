"""`manage.py verify_ledger`: prove the ledger right from its postings, or say where it is not."""

from __future__ import annotations

import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from ledger import verification


class Command(BaseCommand):
    help = "Recompute sums, sequences, balances, holds, reversals and snapshots; exit non-zero on any discrepancy."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, default=100, help="discrepancies named per check (default 100)")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        found: list[verification.Discrepancy] = []
        with tqdm(total=len(verification.CHECKS), unit="check", file=sys.stderr, desc="Verifying") as progress:

            def started(check: verification.Check) -> None:
                progress.set_postfix_str(check.title)
                progress.update()

            for discrepancy in verification.verify(started=started, limit=options["limit"]):
                found.append(discrepancy)
                progress.write(str(discrepancy), file=sys.stdout)
        entries, postings, accounts = verification.counts()
        taken = time.monotonic() - began
        self.stdout.write(
            f"{entries:,} entries, {postings:,} postings, {accounts:,} accounts checked in {taken:.1f} s "
            f"({entries / taken:,.0f} entries/s)."
        )
        if found:
            raise CommandError(f"The ledger is not right: {len(found)} discrepancies, named above.")
        self.stdout.write("Every balance follows from its postings.")
