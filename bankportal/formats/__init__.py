"""Formats of our own, by locale."""
