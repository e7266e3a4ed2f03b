"""Configuration as code: a tenant's products, groups and whatever upper apps add, as one YAML document.

`export` writes it, `plan` says what would change, `apply` does it, all or nothing. An app adds a kind with one line in
the setting CONFIGURATION_KINDS, in the order in which kinds need each other.
"""

from collections.abc import Mapping

from django.conf import settings

from iotpanel.registry import Registry

from .kind import Kind


def kinds() -> Mapping[str, Kind]:
    """Name in the document -> kind, in the order in which they are written."""
    table: Mapping[str, type[Kind]] = Registry("configuration", settings.CONFIGURATION_KINDS)
    return {name: table[name]() for name in table}
