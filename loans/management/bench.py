"""What `bench_loans` measures: schedules per second, here and in numpy-financial."""

from __future__ import annotations

import json
import subprocess
import time
from datetime import date, timedelta
from pathlib import Path

from loans.rules.parsing import parse_terms
from loans.rules.schedule import make_schedule
from loans.rules.terms import Terms

PRINCIPAL, RATE, INSTALMENTS = 100_000, "7.35", 360
_FIRST_DAY, _DAYS = date(2026, 1, 1), 28


def loans(count: int) -> list[Terms]:
    """Loans of thirty years, their principals one apart, paid out on the days of one month."""
    return [
        parse_terms(
            {
                "principal": str(PRINCIPAL + number),
                "start_date": (_FIRST_DAY + timedelta(days=number % _DAYS)).isoformat(),
                "method": "EQUAL_INSTALMENT",
                "annual_rate": RATE,
                "instalments": INSTALMENTS,
            }
        )
        for number in range(count)
    ]


def schedules_per_second(agreed: list[Terms]) -> float:
    """Whole schedules, dates and cents included, per second of processor time."""
    for terms in agreed[:_DAYS]:
        make_schedule(terms=terms)
    started = time.process_time()
    for terms in agreed:
        make_schedule(terms=terms)
    return len(agreed) / (time.process_time() - started)


class Rival:
    """numpy-financial, run by the interpreter of an environment that has requirements-bench.txt."""

    def __init__(self, *, python: str) -> None:
        self._python = python

    def per_second(self, count: int) -> float:
        """Tables per second of processor time. Raises RuntimeError when its payment is not ours to the cent."""
        arguments = [str(count), str(PRINCIPAL), RATE, str(INSTALMENTS)]
        done = subprocess.run(  # noqa: S603 (our own arguments, no shell)
            [self._python, str(Path(__file__).with_name("numpy_rival.py")), *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"numpy-financial failed: {done.stderr.strip()[-2000:]}")
        found = json.loads(done.stdout)
        ours = make_schedule(terms=loans(1)[0]).rows[0].total
        if round(found["payment"] * 100) != ours:
            raise RuntimeError(f"numpy-financial's payment is {found['payment']}, ours {ours} cents.")
        return float(found["per_second"])
