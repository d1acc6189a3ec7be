"""The tables of the ledger. Nothing here writes: the functions in `ledger/sql` do, and the runtime role has SELECT only.

Sign convention: a credit is positive, a debit is negative. A customer's deposit account is a liability of the bank, so
a positive balance is money that the bank owes its customer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

if TYPE_CHECKING:
    _IntegerField = models.Field[int | None, int | None]
else:
    # Django's fields take no type arguments while the program runs.
    _IntegerField = models.Field


class Xid8Field(_IntegerField):
    """PostgreSQL's 64-bit transaction id: the only order in which commits cannot overtake a snapshot."""

    def db_type(self, connection: Any) -> str:
        return "xid8"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> int | None:
        return None if value is None else int(value)

    def get_prep_value(self, value: Any) -> str | None:
        # An integer literal has no cast to xid8, a text literal has.
        return None if value is None else str(int(value))


class CurrentXid(models.Func):
    function = "pg_current_xact_id"
    template = "%(function)s()"
    arity = 0
    output_field = Xid8Field()


class Kind(models.TextChoices):
    ASSET = "ASSET", "Asset"
    LIABILITY = "LIABILITY", "Liability"
    EQUITY = "EQUITY", "Equity"
    INCOME = "INCOME", "Income"
    EXPENSE = "EXPENSE", "Expense"


class Side(models.TextChoices):
    DEBIT = "DEBIT", "Debit"
    CREDIT = "CREDIT", "Credit"


class Status(models.TextChoices):
    ACTIVE = "ACTIVE", "Active"
    FROZEN = "FROZEN", "Frozen"
    CLOSED = "CLOSED", "Closed"


class GlCode(models.Model):
    """One line of the chart of accounts. `is_internal`: one account per currency, without a floor or a balance row."""

    code = models.CharField(max_length=8, primary_key=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=9, choices=Kind)
    normal_side = models.CharField(max_length=6, choices=Side)
    is_internal = models.BooleanField()

    class Meta:
        verbose_name = "general ledger code"
        constraints = [
            models.CheckConstraint(
                name="ledger_glcode_normal_side",
                condition=Q(kind__in=["ASSET", "EXPENSE"], normal_side="DEBIT")
                | Q(kind__in=["LIABILITY", "EQUITY", "INCOME"], normal_side="CREDIT"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class LedgerAccount(models.Model):
    """Where money is: a customer's account, or one of the bank's own. Never deleted; only name and status change."""

    gl_code = models.ForeignKey(GlCode, on_delete=models.PROTECT, related_name="accounts")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=9, choices=Kind)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=6, choices=Status, db_default=Status.ACTIVE)
    is_internal = models.BooleanField()
    external_ref = models.UUIDField(unique=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "ledger account"
        constraints = [
            models.CheckConstraint(name="ledger_ledgeraccount_currency", condition=Q(currency__regex=r"^[A-Z]{3}$")),
            models.CheckConstraint(name="ledger_ledgeraccount_status", condition=Q(status__in=Status.values)),
            models.CheckConstraint(name="ledger_ledgeraccount_kind", condition=Q(kind__in=Kind.values)),
            models.UniqueConstraint(
                name="ledger_ledgeraccount_one_internal",
                fields=["gl_code", "currency"],
                condition=Q(is_internal=True),
            ),
            # What a balance row repeats of its account is held to it by a foreign key on these three columns.
            models.UniqueConstraint(name="ledger_ledgeraccount_balance_key", fields=["id", "currency", "status"]),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.name} ({self.currency})"


class StatusChange(models.Model):
    """Append-only: when an account was frozen, released or closed. Written by a trigger on the account."""

    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="status_changes")
    old_status = models.CharField(max_length=6, choices=Status)
    new_status = models.CharField(max_length=6, choices=Status)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "status change"

    def __str__(self) -> str:
        return f"{self.account_id}: {self.old_status} to {self.new_status}"


class Balance(models.Model):
    """The lock and the running state of one account that is not internal. Amounts in minor units.

    `currency` and `status` repeat the account's, so that posting locks and checks one narrow row; a foreign key on
    (account, currency, status) with ON UPDATE CASCADE keeps them equal. `seq` and `booked_at` belong to the last posting.
    """

    account = models.OneToOneField(
        LedgerAccount, primary_key=True, on_delete=models.PROTECT, related_name="balance", db_constraint=False
    )
    posted = models.BigIntegerField(db_default=0)
    held = models.BigIntegerField(db_default=0)
    floor = models.BigIntegerField(null=True)
    seq = models.BigIntegerField(db_default=0)
    booked_at = models.DateTimeField(null=True)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=6, choices=Status)

    class Meta:
        verbose_name = "balance"
        constraints = [
            # One constraint, not two: each is read anew by every posting.
            models.CheckConstraint(
                name="ledger_balance_covers_floor",
                condition=Q(held__gte=0) & (Q(floor__isnull=True) | Q(floor__lte=F("posted") - F("held"))),
            ),
        ]

    def __str__(self) -> str:
        return f"Balance of {self.account_id}"


class EntryReference(models.Model):
    """The one table of entries that is not divided by month: here a reference and a reversal are unique over all time.

    Written before the entry, so that a second caller with the same reference waits here. Nothing changes it afterwards.
    """

    external_ref = models.UUIDField(primary_key=True)
    entry = models.ForeignKey(
        "Entry", on_delete=models.PROTECT, related_name="reference", db_index=False, db_constraint=False
    )
    reverses = models.ForeignKey(
        "Entry", null=True, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    xid = Xid8Field(db_default=CurrentXid())

    class Meta:
        verbose_name = "entry reference"
        constraints = [
            models.UniqueConstraint(
                name="ledger_entryreference_one_reversal", fields=["reverses"], condition=Q(reverses__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"Reference {self.external_ref}"


class Entry(models.Model):
    """One journal entry. Append-only: a correction is a new entry that reverses this one.

    The table is divided by month. The number begins with the month of booking (`ledger_first_id`), so it names the partition.
    """

    id = models.BigIntegerField(primary_key=True)
    external_ref = models.UUIDField()
    kind = models.CharField(max_length=32)
    description = models.CharField(max_length=200)
    booked_at = models.DateTimeField()
    value_date = models.DateField()
    source_kind = models.CharField(max_length=32)
    source_id = models.CharField(max_length=64)
    reverses = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="reversals", db_index=False, db_constraint=False
    )
    created_at = models.DateTimeField(db_default=Now())
    xid = Xid8Field(db_default=CurrentXid())

    class Meta:
        verbose_name = "journal entry"
        verbose_name_plural = "journal entries"

    def __str__(self) -> str:
        return f"Entry {self.pk}"


class Posting(models.Model):
    """One leg of an entry. On accounts with a balance row it carries the running sequence and balance; internal ones carry the xid.

    The table is divided by month, as entries are; `ledger_posting_account_seq` is an index of each partition.

    There are no foreign keys or CHECK constraints on this table: the statement-level check `ledger_check_postings` proves
    more (same transaction, same currency) for less, and nothing that a posting refers to can be deleted.
    """

    pk = models.CompositePrimaryKey("entry", "no")
    entry = models.ForeignKey(
        Entry, on_delete=models.PROTECT, related_name="postings", db_index=False, db_constraint=False
    )
    no = models.SmallIntegerField()
    account = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, related_name="postings", db_index=False, db_constraint=False
    )
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    booked_at = models.DateTimeField()
    account_seq = models.BigIntegerField(null=True)
    balance_after = models.BigIntegerField(null=True)
    xid = Xid8Field(null=True)

    class Meta:
        verbose_name = "posting"
        constraints = [
            models.UniqueConstraint(
                name="ledger_posting_account_seq",
                fields=["account", "account_seq"],
                condition=Q(account_seq__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                name="ledger_posting_internal_xid",
                fields=["account", "xid", "entry"],
                include=["amount"],
                condition=Q(account_seq__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"Posting {self.entry_id}/{self.no}"


class Hold(models.Model):
    """Money reserved on an account. It is active until its one terminal event."""

    id = models.UUIDField(primary_key=True, editable=False)
    external_ref = models.UUIDField(unique=True)
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="holds")
    amount = models.BigIntegerField()
    expires_at = models.DateTimeField()
    source_kind = models.CharField(max_length=32)
    source_id = models.CharField(max_length=64)
    placed_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "hold"
        constraints = [
            models.CheckConstraint(name="ledger_hold_amount_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="ledger_hold_expires_later", condition=Q(expires_at__gt=F("placed_at"))),
        ]

    def __str__(self) -> str:
        return f"Hold {self.pk}"


class HoldEventKind(models.TextChoices):
    POSTED = "POSTED", "Posted"
    VOIDED = "VOIDED", "Voided"
    EXPIRED = "EXPIRED", "Expired"


class HoldEvent(models.Model):
    """How a hold ended. `amount` is what was posted of it; the rest went back to the account."""

    hold = models.ForeignKey(Hold, on_delete=models.PROTECT, related_name="events", db_index=False)
    kind = models.CharField(max_length=8, choices=HoldEventKind)
    amount = models.BigIntegerField()
    entry = models.ForeignKey(Entry, null=True, on_delete=models.PROTECT, related_name="hold_events")
    happened_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "hold event"
        constraints = [
            models.UniqueConstraint(
                name="ledger_holdevent_one_terminal",
                fields=["hold"],
                condition=Q(kind__in=["POSTED", "VOIDED", "EXPIRED"]),
            ),
            models.CheckConstraint(
                name="ledger_holdevent_posted_amount",
                condition=Q(kind="POSTED", amount__gt=0, entry__isnull=False)
                | Q(kind__in=["VOIDED", "EXPIRED"], amount=0, entry__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of hold {self.hold_id}"


class BalanceSnapshot(models.Model):
    """What an internal account held when every transaction below `cut` had ended. Balance now = this + postings from `cut` on.

    `last_booked_at` is the latest booking time below the cut. `is_late`: since the snapshot before, something was booked
    more than a minute before that one's latest booking time, so a look at the past has to open this stretch as well.
    """

    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="snapshots", db_index=False)
    cut = Xid8Field()
    balance = models.BigIntegerField()
    postings = models.BigIntegerField()
    last_booked_at = models.DateTimeField()
    is_late = models.BooleanField(db_default=False)
    taken_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "balance snapshot"
        constraints = [
            models.UniqueConstraint(name="ledger_balancesnapshot_account_cut", fields=["account", "cut"]),
        ]
        indexes = [
            models.Index(fields=["account", "last_booked_at", "cut"], name="ledger_balancesnapshot_time"),
            models.Index(fields=["account", "cut"], condition=Q(is_late=True), name="ledger_balancesnapshot_late"),
        ]

    def __str__(self) -> str:
        return f"Snapshot of {self.account_id} at {self.cut}"


class Seal(models.Model):
    """A block of entries, hashed with the seal before it. Append-only; `ledger_seal` writes them, one worker at a time.

    It covers the entries whose transaction id lies in [start, cut). `rows_digest` is the hash of those entries and all their
    postings, `digest` that of the seal itself (`common.seals`). `first_entry` and `last_entry` are the lowest and the highest
    number in it.
    """

    number = models.BigIntegerField(primary_key=True)
    previous = models.CharField(max_length=64)
    start = Xid8Field()
    cut = Xid8Field(unique=True)
    entries = models.BigIntegerField()
    first_entry = models.BigIntegerField()
    last_entry = models.BigIntegerField()
    rows_digest = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    sealed_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "seal"
        constraints = [
            models.CheckConstraint(name="ledger_seal_number_positive", condition=Q(number__gte=1)),
            models.CheckConstraint(name="ledger_seal_entries_positive", condition=Q(entries__gte=1)),
            models.CheckConstraint(
                name="ledger_seal_digests",
                condition=Q(digest__regex="^[0-9a-f]{64}$", rows_digest__regex="^[0-9a-f]{64}$"),
            ),
            models.UniqueConstraint(name="ledger_seal_one_successor", fields=["previous"]),
        ]

    def __str__(self) -> str:
        return f"Seal {self.pk}"


class DailyBalance(models.Model):
    """What an account held at the end of a day (UTC): by time of booking, and by value date. Made from the postings.

    Only days on which something moved have a row. A posting with an earlier value date changes the rows from there on.
    """

    pk = models.CompositePrimaryKey("account", "day")
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="daily_balances", db_index=False)
    day = models.DateField()
    booked = models.BigIntegerField()
    valued = models.BigIntegerField()

    class Meta:
        verbose_name = "daily balance"

    def __str__(self) -> str:
        return f"{self.account_id} on {self.day}"


class DailyMark(models.Model):
    """How far an account's daily balances go: to a sequence number, or on internal accounts to a transaction id."""

    account = models.OneToOneField(LedgerAccount, primary_key=True, on_delete=models.PROTECT, related_name="daily_mark")
    seq = models.BigIntegerField()
    cut = Xid8Field()

    class Meta:
        verbose_name = "mark of daily balances"

    def __str__(self) -> str:
        return f"Daily balances of {self.account_id}"
