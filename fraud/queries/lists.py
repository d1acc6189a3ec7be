"""What lists and snoozes say of payments: one indexed look-up, and none at all while nothing is in force."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q

from common.rows import Prepared
from fraud.models import EntryState, ListEntry, Snooze
from fraud.rules.lists import NOTHING_SAID, SHAPES, Entry, Listing, Snoozed, Standing, Told, keys_of, standing

_FOUND = Prepared(
    """
SELECT id, key, listing, value, label, reason, rules::json, active_at, ends_at, NULL::uuid, NULL
  FROM fraud_listentry
 WHERE state = 'ACTIVE' AND key = ANY(%(keys)s::bigint[])
 UNION ALL
SELECT id, NULL, NULL, NULL, NULL, NULL, NULL::json, from_at, ends_at, holder_id, rule_code
  FROM fraud_snooze
 WHERE ended_at IS NULL AND holder_id = ANY(%(holders)s::uuid[])
"""
)


@dataclass(frozen=True, slots=True)
class InUse:
    """The shapes of entries in force, and whether any rule is snoozed; loaded with the engine."""

    shapes: tuple[str, ...] = ()
    snoozes: bool = False

    def __bool__(self) -> bool:
        return bool(self.shapes) or self.snoozes


NOTHING_IN_USE = InUse()
# One look into the index for each shape, however many entries have it.
_SHAPES = """
SELECT shape FROM unnest(%s::text[]) AS known (shape)
 WHERE EXISTS (SELECT FROM fraud_listentry AS entry WHERE entry.shape = known.shape AND entry.state = 'ACTIVE')
"""


def in_use() -> InUse:
    """What a payment has to be looked up by."""
    with connection.cursor() as cursor:
        cursor.execute(_SHAPES, [[str(shape) for shape in SHAPES]])
        shapes = tuple(shape for (shape,) in cursor.fetchall())
    return InUse(shapes, Snooze.objects.filter(ended_at__isnull=True).exists())


@dataclass(frozen=True, slots=True)
class Asked:
    """A payment as lists know it; `at` is the moment whose lists are asked."""

    told: Told
    customer_id: uuid.UUID
    account_ref: uuid.UUID
    at: datetime


def standings_of(many: Sequence[Asked], *, used: InUse) -> list[Standing]:
    """What is in force for each payment, with one look-up for all of them, and none while nothing is."""
    if not used:
        return [NOTHING_SAID] * len(many)
    keys = [keys_of(asked.told, used.shapes) for asked in many]
    holders = [(asked.customer_id, asked.account_ref) for asked in many]
    entries, snoozes = _found({key for each in keys for key in each}, {holder for both in holders for holder in both})
    return [
        standing(
            entries=[entry for key in named for entry in entries.get(key, ())],
            snoozes=[snooze for holder in of for snooze in snoozes.get(holder, ())],
            keys=named,
            holders=of,
            at=asked.at,
        )
        for asked, named, of in zip(many, keys, holders, strict=True)
    ]


def _found(
    keys: Iterable[int], holders: Iterable[uuid.UUID]
) -> tuple[dict[int, list[Entry]], dict[uuid.UUID, list[Snoozed]]]:
    """Entries by key and snoozes by holder."""
    rows = _FOUND.all({"keys": list(keys), "holders": list(holders)})
    entries: dict[int, list[Entry]] = {}
    snoozes: dict[uuid.UUID, list[Snoozed]] = {}
    for pk, key, listing, value, label, reason, rules, from_at, until, holder, code in rows:
        if listing is None:
            snoozes.setdefault(holder, []).append(Snoozed(pk, holder, code, from_at, until))
        else:
            entry = Entry(pk, key, listing, label or value, reason, tuple(rules), from_at, until)
            entries.setdefault(key, []).append(entry)
    return entries, snoozes


@dataclass(frozen=True, slots=True)
class Quieted:
    """Everything that ever made one rule quiet, for asking it about the past."""

    entries: tuple[Entry, ...]
    snoozes: tuple[Snoozed, ...]
    shapes: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.entries or self.snoozes)


def quieted(code: str, *, from_at: datetime, to_at: datetime) -> Quieted:
    """The snoozes of a rule and the ALLOW entries that name it, as far as they were in force in `[from_at, to_at)`."""
    allowed = ListEntry.objects.filter(
        Q(ends_at__gt=from_at), listing=Listing.ALLOW, rules__contains=[code], active_at__lt=to_at
    )
    entries = tuple(_entry(row) for row in allowed.order_by("pk"))
    shapes = tuple(sorted({row.shape for row in allowed}))
    slept = Snooze.objects.filter(rule_code=code, from_at__lt=to_at, ends_at__gt=from_at).order_by("pk")
    snoozes = tuple(
        Snoozed(row.pk, row.holder_id, row.rule_code, row.from_at, min(row.ends_at, row.ended_at or row.ends_at))
        for row in slept
    )
    return Quieted(entries, snoozes, shapes)


def _entry(row: ListEntry) -> Entry:
    ends = [moment for moment in (row.ends_at, row.ended_at) if moment is not None]
    assert row.active_at is not None
    return Entry(
        row.pk,
        row.key,
        row.listing,
        row.label or row.value,
        row.reason,
        tuple(row.rules),
        row.active_at,
        min(ends) if ends else None,
    )


def entries_in_force(value_keys: Iterable[int], *, listing: str, now: datetime) -> Iterator[ListEntry]:
    """Entries of a list that name one of these keys now or wait for approval."""
    lasting = Q(ends_at__isnull=True) | Q(ends_at__gt=now)
    open_states = [EntryState.PENDING, EntryState.ACTIVE]
    found = ListEntry.objects.filter(lasting, key__in=list(value_keys), listing=listing, state__in=open_states)
    return found.order_by("created_at", "pk").iterator()
