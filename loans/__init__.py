"""Lending: what a loan costs, and what is owed on any day of its life."""
