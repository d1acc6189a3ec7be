"""The ledger as staff see it: nothing here can be changed. Open to holders of `identity.ledger_view`."""

from __future__ import annotations

from ledger.admin import accounts, chart, entries

__all__ = ["accounts", "chart", "entries"]
