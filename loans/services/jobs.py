"""What the daily jobs share: one transaction a loan, failures counted, and what happens once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import DatabaseError, OperationalError

from common.errors import DomainError
from loans.models import Loan, Notice

logger = logging.getLogger(__name__)

# So many quiet loans share one transaction and one ledger entry.
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Done:
    """What one call did: loans dealt with, loans that refused (see the log)."""

    done: int
    failed: int

    def __str__(self) -> str:
        return f"{self.done} loans" + (f", {self.failed} failed" if self.failed else "")


def each(ids: Sequence[UUID], act: Callable[[UUID], bool]) -> Done:
    """Each loan in a transaction of its own; one that refuses holds up no other."""
    done = failed = 0
    for loan_id in ids:
        try:
            done += act(loan_id)
        except OperationalError:
            raise
        except (DomainError, DatabaseError):
            logger.exception("a loan's day was not done", extra={"loan_id": str(loan_id)})
            failed += 1
    return Done(done, failed)


def notice_once(loan: Loan, kind: str, period: str, *, now_day: date) -> bool:
    """Whether this is the first time; callers hold the loan."""
    _, first = Notice.objects.get_or_create(loan=loan, kind=kind, period=period, defaults={"day": now_day})
    return first
