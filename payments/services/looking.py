"""The look at everything that decides about a payment, under the lock of its debit side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.rows import Together
from payments.queries import Looking, Lookup
from payments.services import parties


class Ahead:
    """A payment's lock and its question, for a trip in which something else is asked before it (`audit.idempotency.once`)."""

    def __init__(self, looking: Looking) -> None:
        self.looking = looking
        self._found: Lookup | None = None

    @property
    def question(self) -> Together:
        return self.looking.question

    @property
    def parameters(self) -> dict[str, Any]:
        return self.looking.parameters

    def lock(self) -> None:
        """Before the trip's question looks at anything."""
        parties.lock_debit_side_first(owner_id=self.looking.owner.pk)

    def answer(self, rows: Mapping[str, tuple[Any, ...] | None]) -> None:
        """What was found under that lock."""
        self._found = self.looking.read(rows)

    def take(self) -> Lookup | None:
        """What was found, once: a second payment has to look for itself."""
        found, self._found = self._found, None
        return found


def look(looking: Looking, *, ahead: Ahead | None = None) -> Lookup:
    """Lock the debit side and ask, in one trip; or what was asked ahead about this very payment in this transaction."""
    if ahead is not None and ahead.looking == looking and (found := ahead.take()) is not None:
        return found
    parties.lock_debit_side_first(owner_id=looking.owner.pk)
    return looking.ask()
