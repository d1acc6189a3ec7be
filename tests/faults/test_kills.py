"""kill -9 under load, in short; `python3 run.py bench faults` does it twenty times with every part, and has the control."""

from __future__ import annotations

import random

from bankportal.bench import faults
from bankportal.bench.stack import Stack
from tests.dice import SEED


def test_what_was_acknowledged_under_load_is_there_once(bank: Stack) -> None:
    faults.let_through(bank)
    before = faults.count_payments(bank)

    with faults.Load(bank) as load:
        missed = faults.kill_in_turns(bank, load, parts=("postgres", "web"), times=1, dice=random.Random(SEED))
        load.end()

        assert (missed, load.refusals) == ([], [])
        assert faults.lost(bank, load) == []
        assert faults.twice(bank) == []
        unanswered = faults.count_payments(bank) - before - len(load.acknowledged)
        assert 0 <= unanswered <= faults.CLIENTS
    # Ends with an error when anything differs.
    bank.run("manage.py", "verify_ledger")
