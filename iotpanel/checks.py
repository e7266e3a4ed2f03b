"""System checks of the platform's own settings: each has an id and a hint that says what to do.

`manage.py check` runs those that ask nobody; `migrate` and `check --database default` also look at the database;
`check --deploy` also asks whether the installation may meet the world.
"""

import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connections
from django.utils.module_loading import import_string

OLDEST_POSTGRESQL = 14
VERSIONS = """
    SELECT current_setting('server_version_num')::int / 10000, EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
"""
SCHEMES = {"REDIS_URL": ("redis", "rediss", "unix"), "MQTT_URL": ("mqtt", "mqtts", "unix")}


@register()
def check_home(**_options: Any) -> list[CheckMessage]:
    """E001: the place for files cannot be written to."""
    folder = settings.IOTPANEL_HOME
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if os.access(folder, os.W_OK):
        return []
    return [Error(f"{folder} cannot be written to.", hint="Set IOTPANEL_HOME to a folder of this user.", id="iotpanel.E001")]


@register()
def check_addresses(**_options: Any) -> list[CheckMessage]:
    """E002: an address of a server is not of a kind that we speak."""
    return [
        Error(f"{name} begins with “{scheme}”.", hint=f"Write one of {', '.join(f'{each}://' for each in schemes)}.", id="iotpanel.E002")
        for name, schemes in SCHEMES.items()
        if (scheme := urlsplit(getattr(settings, name)).scheme) not in schemes
    ]


@register()
def check_sinks(**_options: Any) -> list[CheckMessage]:
    """E003: a sink of the uplink cannot be imported, so every batch would fail."""
    found: list[CheckMessage] = []
    for name in ("UPLINK_SINKS", "CHANGE_SINKS"):
        for path in getattr(settings, name):
            try:
                import_string(path)
            except ImportError as error:
                found.append(Error(f"{name} names {path}: {error}", hint="Name a function by its dotted path.", id="iotpanel.E003"))
    return found


@register()
def check_numbers(**_options: Any) -> list[CheckMessage]:
    """E004: a number that makes no sense."""
    found: list[CheckMessage] = []
    if settings.RETENTION_DAYS < 1:
        found.append(Error("IOTPANEL_RETENTION_DAYS is below 1.", hint="Keep raw readings for at least one day.", id="iotpanel.E004"))
    if settings.TRUSTED_PROXIES < 0:
        hint = "0: there is no proxy; 1: one proxy writes X-Forwarded-For."
        found.append(Error("IOTPANEL_TRUSTED_PROXIES is negative.", hint=hint, id="iotpanel.E004"))
    return found


@register(Tags.database)
def check_database(databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """E005: too old a PostgreSQL. W001: no TimescaleDB."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        try:
            found += _database(alias)
        except DatabaseError as error:
            found.append(Error(f"The database does not answer: {error}", hint="Look at DATABASE_URL.", id="iotpanel.E006"))
    return found


def _database(alias: str) -> list[CheckMessage]:
    with connections[alias].cursor() as cursor:
        cursor.execute(VERSIONS)
        version, timescale = cursor.fetchone()
    if version < OLDEST_POSTGRESQL:
        text = f"PostgreSQL {version} is too old."
        return [Error(text, hint=f"Use version {OLDEST_POSTGRESQL} or newer.", id="iotpanel.E005")]
    if not timescale and settings.TIMESCALE:
        hint = "Everything works, on plain tables that slow down as they grow. IOTPANEL_TIMESCALE=0 says that this is meant."
        return [Warning("The database has no TimescaleDB.", hint=hint, id="iotpanel.W001")]
    return []


@register(Tags.security, deploy=True)
def check_deployment(**_options: Any) -> list[CheckMessage]:
    """W002 to W004: what works, and should not be shown to the world."""
    found: list[CheckMessage] = []
    if "*" in settings.ALLOWED_HOSTS:
        hint = "Set IOTPANEL_ALLOWED_HOSTS to the names by which people reach the platform."
        found.append(Warning("Any host name is accepted.", hint=hint, id="iotpanel.W002"))
    if settings.HTTPS and not settings.TRUSTED_PROXIES:
        hint = "Set IOTPANEL_TRUSTED_PROXIES to the number of proxies in front, or throttling counts everybody as one address."
        found.append(Warning("A proxy terminates TLS, and none is trusted.", hint=hint, id="iotpanel.W003"))
    if settings.METRICS_TOKEN and len(settings.METRICS_TOKEN) < 16:
        found.append(Warning("The token for /metrics is short.", hint="Use 16 random characters or more.", id="iotpanel.W004"))
    return found
