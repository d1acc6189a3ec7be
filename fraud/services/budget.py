"""An answer in time, or none: whoever gets none must not wave the payment through."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from time import monotonic

from django.db import transaction

from common.db import database, require_transaction
from fraud.rules.facts import Outcome, Verdict

logger = logging.getLogger(__name__)


def in_time(
    ask: Callable[[], Verdict], *, subject_id: uuid.UUID, seconds: float, rows_wait: bool = False
) -> Verdict | None:
    """What `ask` answers. None when it fails or takes longer; then nothing of the attempt is kept.

    An approval that came too late must not count as one later. With `rows_wait` the rows of the decision travel with the
    caller's next statement, still within the time limit: when they are refused, that statement fails, and the caller's
    transaction with it. Raises NoTransaction.
    """
    found = all_in_time(lambda: [ask()], subject_id=subject_id, seconds=seconds, rows_wait=rows_wait)
    return None if found is None else found[0]


def all_in_time(
    ask: Callable[[], Sequence[Verdict]], *, subject_id: uuid.UUID, seconds: float, rows_wait: bool = False
) -> Sequence[Verdict] | None:
    """As `in_time` for several; `subject_id` is the first one's."""
    require_transaction()
    # A refusal of what was written before is not one of these checks.
    database().send_writes()
    started = monotonic()
    try:
        with transaction.atomic():
            _limit_statements(milliseconds=int(seconds * 1000))
            verdicts = ask()
            _lift_limit()
            if monotonic() - started > seconds and any(each.outcome is Outcome.APPROVED for each in verdicts):
                raise TimeoutError("the checks took too long")
            if rows_wait:
                database().let_writes_wait()
    except Exception:
        logger.exception("screening failed, the payment is held", extra={"payment_id": str(subject_id)})
        return None
    return verdicts


def _limit_statements(*, milliseconds: int) -> None:
    """No statement of this transaction may take longer, waiting for locks included."""
    database().later("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)], writes=False)


def _lift_limit() -> None:
    """Back to the session's own limit, after what waits."""
    database().later("SET LOCAL statement_timeout TO DEFAULT", writes=False)
