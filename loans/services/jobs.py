"""What the daily jobs share: chunks of loans, refusals that stay with their loan, and two workers at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from django.db import DatabaseError, OperationalError
from django.db.models import QuerySet

from common.errors import DomainError
from loans.models import Loan
from loans.services import booking

logger = logging.getLogger(__name__)

# So many loans on which nothing happens share one transaction and one entry; so many others share a transaction. The
# customers' accounts are locked meanwhile, so it stays well below a second.
QUIET_CHUNK, CHUNK = 500, 50
_DEADLOCK = ("40P01", "40001")

Claim = Callable[[QuerySet[Loan]], QuerySet[Loan]]


@dataclass(frozen=True, slots=True)
class Done:
    """What one call did: loans dealt with, loans that refused (see the log)."""

    done: int
    failed: int

    def __str__(self) -> str:
        return f"{self.done} loans" + (f", {self.failed} failed" if self.failed else "")


class Act(Protocol):
    """Does the work for those of the loans that it can claim and that still need it. Opens its own transaction."""

    def __call__(self, ids: Sequence[UUID], claim: Claim) -> Worked: ...


@dataclass(frozen=True, slots=True)
class Worked:
    """The loans that were held, and how many of them there was something to do for."""

    held: Collection[UUID]
    done: int


def each(ids: Sequence[UUID], act: Act) -> Done:
    """Every loan once, in chunks of one transaction each.

    A chunk that refuses is done again loan by loan, so that one loan holds up no other. What another worker holds is left
    for last and then waited for: when this returns, every loan was dealt with by somebody.
    """
    first, skipped = _once(ids, act, booking.claim_free)
    last, _ = _once(skipped, act, booking.claim)
    return Done(first.done + last.done, first.failed + last.failed)


def _once(ids: Sequence[UUID], act: Act, claim: Claim) -> tuple[Done, list[UUID]]:
    """One pass, and the loans that it could not hold."""
    done, failed, skipped = 0, 0, list[UUID]()
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        try:
            worked = act(chunk, claim)
        except (DomainError, DatabaseError) as problem:
            _require_alive(problem)
            one_by_one = _alone(chunk, act)
            done, failed = done + one_by_one.done, failed + one_by_one.failed
        else:
            done += worked.done
            skipped += [loan_id for loan_id in chunk if loan_id not in worked.held]
    return Done(done, failed), skipped


def _alone(ids: Sequence[UUID], act: Act) -> Done:
    done = failed = 0
    for loan_id in ids:
        try:
            done += act([loan_id], booking.claim).done
        except (DomainError, DatabaseError) as problem:
            _require_alive(problem)
            logger.exception("a loan's day was not done", extra={"loan_id": str(loan_id)})
            failed += 1
    return Done(done, failed)


def _require_alive(problem: Exception) -> None:
    """A database that went away ends the run; a deadlock is one loan's affair."""
    if isinstance(problem, OperationalError) and getattr(problem.__cause__, "pgcode", None) not in _DEADLOCK:
        raise problem
