"""`manage.py verify_audit`: prove that the audit trail is what was sealed, or say where it is not."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from audit import queries, verification
from audit.models import AuditEvent
from common import seals


class Command(BaseCommand):
    help = "Recompute every seal of the audit trail and compare the heads; exit non-zero on any discrepancy."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--heads", type=Path, help="a head file that was carried away (default: the one kept here)")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        file = seals.HeadFile(options["heads"]) if options["heads"] else queries.head_file()
        if options["heads"] and not file.path.is_file():
            raise CommandError(f"There is no head file {file.path}.")
        counts = verification.Counts()
        found = 0
        with tqdm(total=AuditEvent.objects.count(), unit="event", file=sys.stderr, desc="Verifying") as progress:
            for discrepancy in verification.verify(head_file=file, counts=counts, advanced=progress.update):
                found += 1
                progress.write(str(discrepancy), file=sys.stdout)
        taken = time.monotonic() - began
        self.stdout.write(
            f"{counts.events:,} events in {counts.seals:,} seals, {counts.heads:,} heads checked in {taken:.1f} s "
            f"({counts.events / taken:,.0f} events/s); {counts.unsealed:,} events are not sealed yet."
        )
        if found:
            raise CommandError(f"The audit trail is not what was sealed: {found} discrepancies, named above.")
        self.stdout.write("Every event is as it was sealed.")
