from __future__ import annotations


def ensure() -> None:
    """Bring the reference data of fraud up to date; safe to run again."""
