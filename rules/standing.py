"""How a device stood at an instant of the past: its attributes, scope by scope, and whether it was online."""

from collections.abc import Mapping
from typing import Any, Self

from .facts import Facts

SCOPES = ("reported", "shared", "server")  # a later one counts before the others


def merged(scopes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The attributes as rules see them: the server's word counts before the shared one, and that before the device's."""
    found: dict[str, Any] = {}
    for scope in SCOPES:
        found |= {key: value for key, value in scopes.get(scope, {}).items() if value is not None}
    return found


class Standing:
    """Changed in place, from moment to moment. `online` is None where nobody knows."""

    def __init__(self, scopes: Mapping[str, Mapping[str, Any]] | None = None, online: bool | None = None) -> None:
        self.online = online
        self._scopes = {scope: dict(values) for scope, values in (scopes or {}).items()}
        self.attributes: Mapping[str, Any] = merged(self._scopes)

    @property
    def is_known(self) -> bool:
        """Whether anything was ever heard of attributes, be it that one was taken away."""
        return bool(self._scopes)

    def ahead(self) -> Self:
        """The same, to look ahead with."""
        return type(self)(self._scopes, self.online)

    def change(self, scope: str, values: Mapping[str, Any]) -> None:
        """Attributes that changed; a value of None is gone. What was handed out before stays as it was."""
        self._scopes.setdefault(scope, {}).update(values)
        self.attributes = merged(self._scopes)

    def tell(self, facts: Facts, speaks: bool = False) -> None:
        """Have a condition see this. Who speaks is there, as it is live; who was never heard of is not known to be."""
        facts.attributes = self.attributes
        facts.online = True if speaks and self.online is not None else self.online
