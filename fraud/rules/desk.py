"""What the fraud desk goes by: how urgent a case is, and which approved payments are looked at anyway. Pure."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from fraud.rules.facts import RiskLevel, risk_level

# What a case is filed under when no rule and no layer spoke: the payment was drawn by lot.
SAMPLED = "SAMPLED"
_SPAN = 2**32


class Urgency(IntEnum):
    """What is claimed first: critical cases, then suspicious ones, then samples. `services.opening` counts on the numbers."""

    SAMPLE = 1
    SUSPICIOUS = 2
    CRITICAL = 3


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """Hours until a case of each urgency is due, and the share of approved payments that is sampled (0 to 1)."""

    critical_hours: int = 4
    suspicious_hours: int = 24
    sample_hours: int = 168
    sample_share: float = 0.005

    def hours(self, urgency: Urgency) -> int:
        """From the opening of a case until it is due."""
        return {
            Urgency.CRITICAL: self.critical_hours,
            Urgency.SUSPICIOUS: self.suspicious_hours,
            Urgency.SAMPLE: self.sample_hours,
        }[urgency]

    def due_at(self, urgency: Urgency, opened_at: datetime) -> datetime:
        return opened_at + timedelta(hours=self.hours(urgency))


def urgency_of(score: float, *, sampled: bool = False) -> Urgency:
    """A payment that was stopped is at least suspicious, whatever its score."""
    if sampled:
        return Urgency.SAMPLE
    return Urgency.CRITICAL if risk_level(score) is RiskLevel.CRITICAL else Urgency.SUSPICIOUS


def sample_limit(share: float) -> int:
    """Decisions whose `sample_number` lies below this are in the sample of `share`."""
    return round(min(max(share, 0.0), 1.0) * _SPAN)


def sample_number(decision_id: uuid.UUID) -> int:
    """A number from 0 below 2**32 that belongs to the decision for good: the first 32 bits of the MD5 of its id.

    PostgreSQL computes the same, so the sample is drawn there; a larger share keeps everything of a smaller one.
    """
    return int.from_bytes(hashlib.md5(str(decision_id).encode(), usedforsecurity=False).digest()[:4], "big")
