"""Lending in the back office: applications to decide, loans, the portfolio, products and policy."""

from __future__ import annotations

from loans.admin import applications, loans, products

__all__ = ["applications", "loans", "products"]
