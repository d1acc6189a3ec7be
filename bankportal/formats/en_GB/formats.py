"""Moments as a bank writes them: 24 hours, no "p.m.". Read by Django through FORMAT_MODULE_PATH."""

from __future__ import annotations

DATETIME_FORMAT = "j M Y, H:i"
SHORT_DATETIME_FORMAT = "j M Y, H:i"
TIME_FORMAT = "H:i"
