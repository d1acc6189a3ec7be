"""The SQL room: one function a file, `<stem>.sql` holds `ledger_<stem>`. Migrations load the files; a test holds the database to them."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent

# Trigger functions and inner parts: the runtime role may not call them.
INTERNAL = (
    "refuse_change",
    "check_entries",
    "check_postings",
    "guard_account",
    "guard_balance",
    "guard_reference",
    "make_partition",
    "move_entry",
    "explain_refusal",
    "replay_entry",
    "write_entry",
    "release_hold",
    "seal_digest",
)
# Plain arithmetic, put in place by the planner: anyone may call it.
ARITHMETIC = ("first_id",)
# What the runtime role may call.
PUBLIC = (
    "post_transfer",
    "post_batch",
    "post_entry",
    "reverse_entry",
    "place_hold",
    "post_hold",
    "close_hold",
    "open_account",
    "internal_account",
    "set_status",
    "set_floor",
    "take_snapshots",
    "make_months",
    "posting_at",
    "seq_at",
    "balance_at",
    "booked_on",
    "valued_on",
    "take_daily_balances",
    "seal_rows",
    "seal",
)
# Triggers and indexes on the tables.
GUARDS = ("triggers", "seal_guards", "daily_guards")


def text(stem: str) -> str:
    """The SQL of one file."""
    return (FOLDER / f"{stem}.sql").read_text(encoding="utf-8")


def all_functions() -> str:
    """Every function, in an order in which none is missing when it is first used."""
    return "\n".join(text(stem) for stem in ARITHMETIC + INTERNAL + PUBLIC)
