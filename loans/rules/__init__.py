"""The arithmetic of loans: pure Python over integer minor units. Conventions and their sources: docs/loans.md."""
