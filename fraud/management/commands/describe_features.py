"""Print the table of features as docs/fraud-features.md has it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from fraud.rules.features.listing import markdown


class Command(BaseCommand):
    help = "Print every feature with its unit, window and meaning, as Markdown."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(markdown(), ending="")
