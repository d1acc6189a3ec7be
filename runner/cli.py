"""The command line: which command, which arguments, and one line for an error."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from runner import checks, commands, demo, signals
from runner.console import Problem

USAGE = """\
usage: python3 run.py [demo] [--check]        run the demo bank; with --check: start, probe, stop
       python3 run.py test [pytest arguments] all checks and tests, on throwaway services
       python3 run.py manage COMMAND ...      Django's commands, with the bank's services
       python3 run.py bench NAME [--json F]   one benchmark, on throwaway services

environment: PORT (8000), BANKPORTAL_STATE (.local), DATABASE_URL, DATABASE_OWNER_URL, REDIS_URL,
             CELERY_BROKER_URL and AWS_* replace the embedded parts.
"""


class Parser(argparse.ArgumentParser):
    """Reports a wrong argument as one line."""

    def error(self, message: str) -> None:  # type: ignore[override]
        """Raise instead of printing the usage."""
        raise Problem(f"{message}. `python3 run.py --help` shows the commands.")


def _demo(arguments: Sequence[str]) -> int:
    parser = Parser(prog="run.py demo", add_help=False)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(list(arguments))
    return demo.demo(dict(os.environ), check=options.check)


def _bench(arguments: Sequence[str]) -> int:
    parser = Parser(prog="run.py bench", add_help=False)
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args(list(arguments))
    return commands.bench(dict(os.environ), name=options.name, json_file=options.json)


def dispatch(arguments: Sequence[str]) -> int:
    """Run the command that the arguments name; raises `Problem`."""
    command, *rest = arguments or ["demo"]
    if command in ("-h", "--help", "help"):
        print(USAGE, end="")
        return 0
    if command.startswith("-"):
        command, rest = "demo", list(arguments)
    environ = dict(os.environ)
    match command:
        case "demo":
            return _demo(rest)
        case "test":
            return checks.test(environ, rest)
        case "manage":
            return commands.manage(environ, rest)
        case "bench":
            return _bench(rest)
    raise Problem(f"There is no command {command!r}. `python3 run.py --help` shows the commands.")


def main(arguments: Sequence[str]) -> int:
    """Run a command and turn what went wrong into one clear line and an exit code."""
    signals.listen()
    try:
        return dispatch(arguments)
    except Problem as problem:
        sys.stdout.flush()
        print(f"run.py: {problem}", file=sys.stderr)
        return 1
    except signals.Stop as stop:
        print(file=sys.stderr)
        return stop.exit_code
