"""`manage.py end_of_day`: run the end of a day, or go on with one that stopped."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from bankportal import end_of_day
from common.errors import DomainError


class Command(BaseCommand):
    help = "Expiry, interest, balances, seal and checks of a day. Safe to stop and to run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--day", type=date.fromisoformat, help="YYYY-MM-DD; without it yesterday and every open day"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            day = options["day"]
            runs = [end_of_day.run(day=day, now=now)] if day else end_of_day.run_due(now=now)
        except DomainError as problem:
            raise CommandError(str(problem)) from problem
        if not runs:
            self.stdout.write("Nothing to do: yesterday's end of day is finished.")
        for run in runs:
            self.stdout.write(f"{run}: {'finished' if run.finished_at else 'not finished'}")
            for step in run.steps.all():
                self.stdout.write(f"  {step.name:10} {'done' if step.finished_at else 'OPEN'}  {step.note}")
        if any(run.finished_at is None for run in runs):
            raise CommandError("Some steps are open. Run the command again when their cause is gone.")
