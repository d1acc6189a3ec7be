"""Train every layer on this bank's own decisions; the result is a challenger, which people may put in charge."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from common.errors import DomainError
from fraud.rules.learning.boosting import CHOICES
from fraud.services import training


class Command(BaseCommand):
    help = "Fit the fraud layers on the stored decisions and keep them as a challenger."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=90, help="how far back to learn from")
        parser.add_argument("--trials", type=int, default=0, help=f"choices to search beyond the first {len(CHOICES)}")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["days"] < 1 or options["trials"] < 0:
            raise CommandError("--days must be at least 1, and --trials at least 0.")
        steps = len(CHOICES) + options["trials"] + 3
        with tqdm(total=steps, unit="fit", desc="Training", file=self.stderr, disable=options["verbosity"] == 0) as bar:

            def say(line: str) -> None:
                self.stdout.write(line)
                bar.update()

            try:
                version = training.train(
                    days=options["days"], trials=options["trials"], trained_by=None, now=timezone.now(), say=say
                )
            except DomainError as error:
                raise CommandError(error.text) from error
        self.stdout.write(f"{version} is kept as a challenger. Its report is part of its manifest.")
