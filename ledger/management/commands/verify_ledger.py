"""`manage.py verify_ledger`: prove the ledger right from its postings and seals, or say where it is not."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from common.errors import DomainError
from common.seals import HeadFileBroken
from ledger import verification


class Command(BaseCommand):
    help = (
        "Recompute sums, sequences, balances, holds, reversals, snapshots and seals from the entries; "
        "exit non-zero on any discrepancy."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, default=100, help="discrepancies named per check (default 100)")
        parser.add_argument("--since", type=int, metavar="SEAL", help="trust this seal; look at what came after it")
        parser.add_argument(
            "--jobs", type=int, default=min(os.cpu_count() or 1, 8), help="connections that share the work"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        try:
            found = self._verify(**{name: options[name] for name in ("limit", "since", "jobs")})
            size = verification.counts()
            entries = size.entries if options["since"] is None else verification.newer_than(options["since"])
        except (DomainError, HeadFileBroken) as problem:
            raise CommandError(str(problem)) from problem
        taken = time.monotonic() - began
        what = "checked" if options["since"] is None else f"after seal {options['since']} checked"
        self.stdout.write(
            f"{entries:,} entries {what} in {taken:.1f} s ({entries / taken:,.0f} entries/s). The ledger has "
            f"{size.entries:,} entries, {size.postings:,} postings, {size.accounts:,} accounts, {size.seals:,} seals."
        )
        if found:
            raise CommandError(f"The ledger is not right: {found} discrepancies, named above.")
        self.stdout.write("Every balance follows from its postings, and every entry is as it was sealed.")

    def _verify(self, *, limit: int, since: int | None, jobs: int) -> int:
        found = 0
        with tqdm(file=sys.stderr, desc="Verifying", bar_format="{l_bar}{bar}| {elapsed}{postfix}") as bar:

            def progress(title: str, done: int, total: int) -> None:
                bar.total = total
                bar.set_postfix_str(title, refresh=False)
                bar.update(done - bar.n)

            for discrepancy in verification.verify(jobs=jobs, since=since, limit=limit, progress=progress):
                found += 1
                bar.write(str(discrepancy), file=sys.stdout)
        return found
