"""`manage.py loans_step`: one step of the loans' end of day, as the end of day runs it beside itself when there are many."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from loans import services

STEPS = {
    "collect": services.collect,
    "accrue": services.accrue,
    "classify": services.classify,
    "remind": services.remind,
}


class Command(BaseCommand):
    help = (
        "Run one step of the loans' end of a day and print what was done as JSON. Safe to run at any time, also twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("step", choices=sorted(STEPS))
        parser.add_argument("--day", required=True, help="the day that ended, such as 2026-03-31")
        parser.add_argument("--now", help="the time of booking (default: now)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            day = date.fromisoformat(options["day"])
            now = datetime.fromisoformat(options["now"]) if options["now"] else datetime.now(UTC)
        except ValueError as error:
            raise CommandError(f"This is not a date: {error}.") from error
        if now.tzinfo is None or day >= now.astimezone(UTC).date():
            raise CommandError("The day has not ended at that time, or the time says no zone.")
        done = STEPS[options["step"]](day=day, now=now)
        self.stdout.write(json.dumps({"done": done.done, "failed": done.failed}))
