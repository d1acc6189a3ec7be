"""Going through accounts one by one: each is a transaction of its own, so a killed run leaves each done or untouched.

The claim on an account's row skips what others hold: runs at once share the work, and what somebody held is asked for
again. The row is the lock that payments take first too, so what the account can cover does not change under the work.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic, sleep
from uuid import UUID

from django.db import DatabaseError, OperationalError
from django.db.models import QuerySet

from accounts.models import Account
from common.db import use_case
from common.errors import DomainError

logger = logging.getLogger(__name__)

# Rows that somebody else holds are asked for again after this long.
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Run:
    """What one call did: accounts dealt with, accounts that refused (see the log), and accounts that are still due."""

    done: int
    failed: int
    left: int


def run(*, due: Callable[[], QuerySet[Account]], work: Callable[[Account], bool], what: str, seconds: float) -> Run:
    """Call `work` for every account of `due()`, each claimed in a transaction of its own, until none is left.

    `work` says whether it did something; afterwards its account must not be due any more. Stops after `seconds`: call it
    again to go on. Safe to run twice or at once. One account that refuses does not keep all others from theirs.
    Raises OperationalError when the database goes away.
    """
    give_up = monotonic() + seconds
    done, failed = 0, set[UUID]()
    while monotonic() < give_up:
        for account_id in _walk(due().exclude(pk__in=failed), give_up):
            try:
                done += _one(due, account_id, work)
            except OperationalError:
                raise
            except (DomainError, DatabaseError):
                logger.exception("an account refused its turn", extra={"what": what, "account_id": str(account_id)})
                failed.add(account_id)
        if not due().exclude(pk__in=failed).exists():
            break
        sleep(_PAUSE_SECONDS)
    return Run(done=done, failed=len(failed), left=due().count())


def _walk(due: QuerySet[Account], give_up: float) -> Iterator[UUID]:
    """Once through the accounts that are due, by key."""
    for account_id in due.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=500):
        if monotonic() > give_up:
            return
        yield account_id


def _one(due: Callable[[], QuerySet[Account]], account_id: UUID, work: Callable[[Account], bool]) -> bool:
    with use_case():
        account = claim(account_id)
        # Asked again under the lock: somebody may have been faster.
        return account is not None and due().filter(pk=account_id).exists() and work(account)


def claim(account_id: UUID) -> Account | None:
    """The account, locked until the transaction ends; None while somebody else holds it."""
    rows = Account.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    return rows.select_related("product").filter(pk=account_id).first()
