"""Who carries out a decision: the app that owns a kind of payment registers its own functions at start-up.

The call goes up while the import goes down, so this app knows nothing of payments.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from fraud.errors import UnknownSubjectKind
from identity.models import User

# Kinds that this bank screens; `fraud.checks` refuses to start while one of them has nobody to carry out decisions.
REQUIRED_KINDS = ("payment", "gateway")


class Handler(Protocol):
    """Moves the money or gives it back, inside the transaction of the decision. A DomainError undoes the decision."""

    def __call__(self, *, subject_id: uuid.UUID, actor: User, reason: str, now: datetime) -> object: ...


@dataclass(frozen=True, slots=True)
class SubjectPage:
    """Where staff read about the payment itself, how it stands, and until when somebody has to decide."""

    url: str
    standing: str
    expires_at: datetime | None = None


class Describe(Protocol):
    """The payment's own page in the back office; None when there is no such payment."""

    def __call__(self, *, subject_id: uuid.UUID) -> SubjectPage | None: ...


@dataclass(frozen=True, slots=True)
class CheckItem:
    """What an officer has to have done before deciding; `code` is kept, `text` is read."""

    code: str
    text: str


# What to check by the outcome of the screening: FLAGGED, BLOCKED or SAMPLED.
Checklists = Mapping[str, tuple[CheckItem, ...]]


@dataclass(frozen=True, slots=True)
class SubjectHandlers:
    release: Handler
    decline: Handler
    describe: Describe | None = None
    checklists: Checklists = field(default_factory=dict)


_registered: dict[str, SubjectHandlers] = {}


def register(
    kind: str,
    *,
    release: Handler,
    decline: Handler,
    describe: Describe | None = None,
    checklists: Checklists | None = None,
) -> None:
    """Call once, from the owning app's `AppConfig.ready`; a second call for the same kind takes its place."""
    _registered[kind] = SubjectHandlers(
        release=release, decline=decline, describe=describe, checklists=dict(checklists or {})
    )


def checklist(kind: str, outcome: str) -> tuple[CheckItem, ...]:
    """What has to be checked before a case of this kind is decided; empty where its owner asks for nothing."""
    known = _registered.get(kind)
    return known.checklists.get(outcome, ()) if known else ()


def describe(kind: str, subject_id: uuid.UUID) -> SubjectPage | None:
    """The page of what a case is about, where its owner has one."""
    known = _registered.get(kind)
    return known.describe(subject_id=subject_id) if known and known.describe else None


def handlers_for(kind: str) -> SubjectHandlers:
    """Raises UnknownSubjectKind when nobody registered."""
    try:
        return _registered[kind]
    except KeyError:
        raise UnknownSubjectKind(data={"subject_kind": kind}) from None


def missing_kinds() -> list[str]:
    return [kind for kind in REQUIRED_KINDS if kind not in _registered]
