"""`manage.py loan_schedule --terms FILE.json`: the schedule of a loan, before there is one or after what happened to it."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from loans.errors import InvalidEvent, InvalidTerms, LoanClosed
from loans.rules import events, parsing, presenting, schemas
from loans.rules.schedule import make_schedule
from loans.rules.servicing import service
from loans.rules.terms import Terms

_SCHEMAS = {"terms": schemas.terms_schema, "events": schemas.events_schema}


class Command(BaseCommand):
    help = "Print the repayment schedule of the terms in a JSON file (docs/loans.md says which fields there are)."

    def add_arguments(self, parser: CommandParser) -> None:
        wanted = parser.add_mutually_exclusive_group(required=True)
        wanted.add_argument("--terms", metavar="FILE.json", help="the terms; - reads standard input")
        wanted.add_argument("--schema", choices=sorted(_SCHEMAS), nargs="?", const="terms", help="print a JSON Schema")
        parser.add_argument("--events", metavar="FILE.json", help="a list of events: print the loan after them")
        parser.add_argument(
            "--as-of", metavar="DATE", help="with events: the day to look at, by default the last one's"
        )
        parser.add_argument("--format", choices=("json", "table"), default="table")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["schema"]:
            self.stdout.write(json.dumps(_SCHEMAS[options["schema"]](), indent=2))
            return
        if options["as_of"] and not options["events"]:
            raise CommandError("--as-of goes with --events.")
        try:
            terms = parsing.parse_terms(parsing.load_json(_read(options["terms"])))
            self.stdout.write(_serviced(terms, options) if options["events"] else _planned(terms, options["format"]))
        except (InvalidTerms, InvalidEvent, LoanClosed) as refused:
            where = f"{refused.field}: " if refused.field else ""
            raise CommandError(f"{where}{refused.text}") from None


def _planned(terms: Terms, form: str) -> str:
    schedule = make_schedule(terms=terms)
    return json.dumps(presenting.as_json(schedule), indent=2) if form == "json" else presenting.as_table(schedule)


def _serviced(terms: Terms, options: dict[str, Any]) -> str:
    happened = events.parse_events(parsing.load_json_list(_read(options["events"])), currency=terms.currency)
    loan = service(terms=terms, events=happened, as_of=_as_of(terms, happened, options["as_of"]))
    if options["format"] == "json":
        return json.dumps(presenting.serviced_as_json(loan, terms.currency), indent=2)
    return presenting.serviced_as_table(loan, terms.currency)


def _as_of(terms: Terms, happened: tuple[events.Event, ...], given: str | None) -> date:
    if given:
        return parsing.day(given, "as_of")
    return happened[-1].on if happened else terms.start_date


def _read(name: str) -> str:
    if name == "-":
        return sys.stdin.read()
    try:
        return Path(name).read_text(encoding="utf-8")
    except OSError as wrong:
        raise CommandError(f"Cannot read {name}: {wrong.strerror}.") from None
    except UnicodeDecodeError:
        raise CommandError(f"{name} is not UTF-8 text.") from None
