"""Instants as whole microseconds since 1970, and as the aware datetimes of models: the stores' names for the registry's pair."""

from devices.timestamps import to_datetime, to_microseconds

__all__ = ["to_datetime", "to_microseconds"]
