"""`manage.py retention`: delete what has been kept long enough, and say what went."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bankportal import retention


class Command(BaseCommand):
    help = "Delete what has been kept long enough. The worker does it each hour; safe to run twice."

    def handle(self, *args: Any, **options: Any) -> None:
        def tell(kept: retention.Kept, count: int) -> None:
            self.stdout.write(f"{count:8} deleted  {kept.what} (kept {kept.time})")

        if not retention.run(now=timezone.now(), tell=tell):
            raise CommandError(
                "Not everything could be deleted; the log says why. Run the command again when its cause is gone."
            )
