"""The reconciliation desk: import a file, look at what is open, match and unmatch with a reason."""

from reconciliation.admin import lines, matches, statements

__all__ = ["lines", "matches", "statements"]
