"""Block and allow lists: a block counts at once, an allow entry after a second person's word; both at the next payment."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from audit import services as audit
from common.db import use_case
from common.errors import Invalid
from fraud import queries
from fraud.errors import EntryNotFound, EntryStateConflict, OneAuthor, ReasonMissing
from fraud.models import EntryState, ListEntry, RuleAction, RuleState
from fraud.queries.lists import entries_in_force
from fraud.rules.lists import Listing, ListKind, Value, value_of
from fraud.services.ruleset import touch_ruleset
from identity import services as identity
from identity.models import User

MOST_AT_ONCE = 500
LONGEST_ALLOWED = timedelta(days=366)


def add_entries(
    *,
    actor: User,
    listing: str,
    kind: str,
    values: Sequence[str],
    reason: str,
    now: datetime,
    ends_at: datetime | None = None,
    rules: Sequence[str] = (),
    label: str = "",
) -> list[ListEntry]:
    """Write entries, all or none. BLOCK counts from the next payment on; ALLOW waits for another person.

    `rules` are the codes that an ALLOW entry makes quiet; it must end within a year. Raises PermissionMissing,
    ReasonMissing and Invalid at its field.
    """
    identity.require(actor, "fraud_edit_rules")
    if not reason.strip():
        raise ReasonMissing
    if listing not in set(Listing) or kind not in set(ListKind):
        raise Invalid("Choose a list and what it names.", field="listing")
    named = _values(kind, values)
    _need_end(listing, ends_at, now)
    codes = _codes(listing, rules)
    with use_case():
        _need_new(named, listing, now)
        blocks = listing == Listing.BLOCK
        entries = ListEntry.objects.bulk_create(
            ListEntry(
                listing=listing,
                kind=kind,
                value=value.text,
                label=label[:120],
                shape=value.shape,
                key=value.key,
                rules=codes,
                reason=reason.strip(),
                state=EntryState.ACTIVE if blocks else EntryState.PENDING,
                maker=actor,
                created_at=now,
                active_at=now if blocks else None,
                ends_at=ends_at,
            )
            for value in named
        )
        if blocks:
            touch_ruleset(now=now)
        for entry in entries:
            _record(entry, actor, "fraud.entry_added", reason)
    return entries


def approve_entry(*, actor: User, entry_id: uuid.UUID, reason: str, now: datetime) -> ListEntry:
    """Let an ALLOW entry count. Raises PermissionMissing, EntryNotFound, EntryStateConflict, OneAuthor."""
    identity.require(actor, "fraud_approve_rules")
    with use_case():
        entry = _locked(entry_id)
        if entry.state != EntryState.PENDING:
            raise EntryStateConflict
        if entry.maker_id == actor.pk:
            raise OneAuthor
        if entry.ends_at is not None and entry.ends_at <= now:
            raise EntryStateConflict("This entry would have ended already: turn it down.")
        entry.state, entry.checker, entry.active_at = EntryState.ACTIVE, actor, now
        entry.save(update_fields=["state", "checker", "active_at"])
        touch_ruleset(now=now)
        _record(entry, actor, "fraud.entry_approved", reason)
    return entry


def end_entry(*, actor: User, entry_id: uuid.UUID, reason: str, now: datetime) -> ListEntry:
    """Turn an entry down, or end it. A block protects customers, so somebody else than its author lifts it.

    Raises PermissionMissing, EntryNotFound, EntryStateConflict, OneAuthor.
    """
    with use_case():
        entry = _locked(entry_id)
        own_allow = entry.maker_id == actor.pk and entry.listing == Listing.ALLOW
        identity.require(actor, "fraud_edit_rules" if own_allow else "fraud_approve_rules")
        if entry.state == EntryState.ENDED:
            raise EntryStateConflict("This entry has ended already.")
        if entry.listing == Listing.BLOCK and entry.maker_id == actor.pk:
            raise OneAuthor("You wrote this entry: somebody else has to lift it.")
        entry.state, entry.ended_by, entry.ended_at = EntryState.ENDED, actor, now
        entry.save(update_fields=["state", "ended_by", "ended_at"])
        touch_ruleset(now=now)
        _record(entry, actor, "fraud.entry_ended", reason)
    return entry


def soft_rules() -> list[tuple[str, str]]:
    """(code, name) of the live rules that can be made quiet: those that hold a payment, not those that refuse it."""
    asked = queries.asked_rules()
    return [(rule.code, rule.name) for rule in asked if rule.state == RuleState.LIVE and rule.action == RuleAction.FLAG]


def _values(kind: str, values: Sequence[str]) -> list[Value]:
    lines = [line for line in values if line.strip()]
    if not 1 <= len(lines) <= MOST_AT_ONCE:
        raise Invalid(f"Give 1 to {MOST_AT_ONCE} entries, one a line.", field="values")
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(value_of(kind, line))
        except Invalid as error:
            place = f"Line {number}: " if len(lines) > 1 else ""
            raise Invalid(f"{place}{error.text}", field="values") from error
    return list({value.key: value for value in found}.values())


def _need_end(listing: str, ends_at: datetime | None, now: datetime) -> None:
    if ends_at is not None and ends_at <= now:
        raise Invalid("Choose a day in the future.", field="ends_on")
    if listing == Listing.ALLOW and (ends_at is None or ends_at > now + LONGEST_ALLOWED):
        raise Invalid("An allow entry ends within a year: choose its last day.", field="ends_on")


def _codes(listing: str, rules: Sequence[str]) -> list[str]:
    if listing == Listing.BLOCK:
        if rules:
            raise Invalid("A block names no rules: it refuses the payment whatever they say.", field="rules")
        return []
    known = {code for code, _ in soft_rules()}
    if not rules or not set(rules) <= known:
        raise Invalid("Choose the rules that stay quiet; only live rules that hold a payment can.", field="rules")
    return sorted(set(rules))


def _need_new(named: Sequence[Value], listing: str, now: datetime) -> None:
    for entry in entries_in_force([value.key for value in named], listing=listing, now=now):
        raise Invalid(f"{entry.label or entry.value} is on this list already.", field="values")


def _locked(entry_id: uuid.UUID) -> ListEntry:
    entry = ListEntry.objects.select_for_update(of=("self",)).filter(pk=entry_id).first()
    if entry is None:
        raise EntryNotFound
    return entry


def _record(entry: ListEntry, actor: User, action: str, reason: str) -> None:
    audit.record(
        actor=actor,
        action=action,
        subject_kind="fraud_entry",
        subject_id=entry.pk,
        reason=reason,
        data={"list": entry.listing, "kind": entry.kind, "value": entry.value, "rules": entry.rules},
    )
