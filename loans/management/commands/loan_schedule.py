"""`manage.py loan_schedule --terms FILE.json`: the schedule of a loan, before there is one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from loans.errors import InvalidTerms
from loans.rules import parsing, presenting
from loans.rules.schedule import make_schedule


class Command(BaseCommand):
    help = "Print the repayment schedule of the terms in a JSON file (docs/loans.md says which fields there are)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--terms", metavar="FILE.json", required=True, help="the terms; - reads standard input")
        parser.add_argument("--format", choices=("json", "table"), default="table")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            terms = parsing.parse_terms(parsing.load_json(_read(options["terms"])))
            schedule = make_schedule(terms=terms)
        except InvalidTerms as refused:
            where = f"{refused.field}: " if refused.field else ""
            raise CommandError(f"{where}{refused.text}") from None
        if options["format"] == "json":
            self.stdout.write(json.dumps(presenting.as_json(schedule), indent=2))
        else:
            self.stdout.write(presenting.as_table(schedule))


def _read(name: str) -> str:
    if name == "-":
        return sys.stdin.read()
    try:
        return Path(name).read_text(encoding="utf-8")
    except OSError as wrong:
        raise CommandError(f"Cannot read {name}: {wrong.strerror}.") from None
    except UnicodeDecodeError:
        raise CommandError(f"{name} is not UTF-8 text.") from None
