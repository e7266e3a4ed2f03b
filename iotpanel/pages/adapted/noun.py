"""What tells forwarders and channels apart, for the pages that both share."""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

from iotpanel.registry import Registry
from iotpanel.tenants.models import Tenant

Sent = Mapping[str, str]


class Noun(NamedTuple):
    """`kind` is the outbox's, `base` the address of the list; `records` has the verbs, `try_out` sends a test message.

    `read_more` reads the fields that are not the adapter's, and `fields` says what they hold: of an instance or of what was sent.
    """

    kind: str
    base: str
    model: type[Any]
    table: Registry[Any]
    records: ModuleType
    create: Callable[..., Any]
    update: Callable[..., Any]
    delete: Callable[[Any], None]
    try_out: Callable[[Any], Any]
    read_more: Callable[[Sent], dict[str, Any]]
    fields: Callable[[Tenant, Any, Sent | None], dict[str, Any]]
    words: Callable[[], dict[str, str]]

    @property
    def name(self) -> str:
        """Of its addresses and templates."""
        return f"{self.kind}s"
