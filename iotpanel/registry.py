"""Kinds of a thing by a visible table: kind -> dotted path, imported when it is first used.

A table that can be read in one place tells a newcomer what exists, and an adapter whose client library is heavy
costs nothing until somebody chooses it.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Generic, TypeVar, cast

T = TypeVar("T")


class UnknownKind(LookupError):
    """Nobody registered this kind; the text names those that exist."""


class Registry(Mapping[str, T], Generic[T]):
    """A read-only mapping from kind to what the dotted path names (`package.module:attribute`)."""

    def __init__(self, what: str, paths: Mapping[str, str]) -> None:
        self.what = what
        self.paths = dict(paths)
        self._found: dict[str, T] = {}

    def __getitem__(self, kind: str) -> T:
        """The class or function of a kind; raises UnknownKind, and ImportError where its library is missing."""
        if kind not in self._found:
            self._found[kind] = self._load(kind)
        return self._found[kind]

    def _load(self, kind: str) -> T:
        if kind not in self.paths:
            raise UnknownKind(f"No {self.what} of kind {kind!r}; there are: {', '.join(sorted(self.paths))}")
        module, _, attribute = self.paths[kind].partition(":")
        return cast(T, getattr(import_module(module), attribute))

    def __contains__(self, kind: object) -> bool:
        return kind in self.paths  # without importing it

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)
