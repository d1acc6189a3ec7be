"""The same table through numpy-financial, in an environment of its own (requirements-bench.txt).

`numpy_rival.py COUNT PRINCIPAL RATE PERIODS` prints, as JSON, tables per second of processor time and the payment of the first.
Stands alone: it must not import this project.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import numpy_financial as npf


def table(principal: float, rate: float, periods: int) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Payment, and per period interest, principal and what is owed after it; binary fractions, no dates, no rounding."""
    numbers = np.arange(1, periods + 1)
    payment = npf.pmt(rate, periods, -principal)
    interest = npf.ipmt(rate, numbers, periods, -principal)
    repaid = npf.ppmt(rate, numbers, periods, -principal)
    return payment, interest, repaid, principal - np.cumsum(repaid)


def main(count: int, principal: float, yearly: float, periods: int) -> None:
    """Warm up, then measure `count` tables of principals one apart."""
    rate = yearly / 1200
    first = table(principal, rate, periods)
    for _ in range(20):
        table(principal, rate, periods)
    started = time.process_time()
    for number in range(count):
        table(principal + number, rate, periods)
    spent = time.process_time() - started
    sys.stdout.write(json.dumps({"per_second": count / spent, "payment": float(first[0])}))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
