"""The refusals of audit."""

from __future__ import annotations

from common.errors import Conflict, Unavailable


class TrailCut(Conflict):
    code = "trail_cut"
    message = "The head file knows of a seal that is not in the database. Run verify_audit."


class TransactionIdsBehind(Unavailable):
    code = "transaction_ids_behind"
    message = "This server counts transactions from below the newest seal: set it past that with pg_resetwal -x."
