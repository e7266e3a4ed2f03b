"""The time zones that people may choose."""

import zoneinfo

ZONES = frozenset(zoneinfo.available_timezones())
"""Looked up once: to list them means to read a folder with six hundred files."""
