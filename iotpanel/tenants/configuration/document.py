"""The document as text: YAML that comes out the same each time, and goes in without surprises.

YAML is read as JSON's types only: `no` is a text, `012` and `2024-01-01` too. Anchors, tags and doubled keys are
refused: the first are how small files become huge, the second how they run code, the third how a line gets lost.
"""

import re
from collections.abc import Hashable
from typing import Any

import yaml
from django.utils.translation import gettext as _
from yaml.nodes import MappingNode, Node

from iotpanel.api.errors import ApiError, TooLarge

VERSION = 1
MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 64
WIDTH = 120
Document = dict[str, Any]


class _Reader(yaml.CSafeLoader):
    """Constructs what JSON has, and nothing else."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _value in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is no text, so it can be no key", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands here twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)

    def flatten_mapping(self, node: Node) -> None:
        """`<<` is a key like any other."""


_RESOLVERS: list[tuple[str, re.Pattern[str]]] = []


def _resolve(tag: str, pattern: str, first: str) -> None:
    _RESOLVERS.append((tag, re.compile(pattern)))
    _Reader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


_resolve("bool", r"^(?:true|false)$", "tf")
_resolve("null", r"^(?:null|~|)$", "n~")
_Reader.yaml_implicit_resolvers.setdefault("", []).append(("tag:yaml.org,2002:null", re.compile(r"^$")))
_resolve("int", r"^[-+]?(?:0|[1-9][0-9]{0,40})$", "-+0123456789")
_resolve("float", r"^[-+]?(?:0|[1-9][0-9]{0,40})?\.?[0-9]{1,400}(?:[eE][-+]?[0-9]{1,3})?$", "-+.0123456789")


class _Writer(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(writer: yaml.CSafeDumper, text: str) -> Any:
    """Scripts as blocks, so that a change of one line is a change of one line; quoted where it would be read as something else."""
    style = None
    if any(character in text for character in "\r\x85\u2028\u2029"):
        style = '"'  # a block would turn these into plain line ends
    elif "\n" in text:
        style = "|"
    elif any(pattern.match(text) for _tag, pattern in _RESOLVERS):
        style = "'"
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Writer.add_representer(str, _text)


def write(document: Document) -> str:
    """The document as YAML, in the order of its keys; the same document gives the same text."""
    text: str = yaml.dump(document, Dumper=_Writer, sort_keys=False, allow_unicode=True, default_flow_style=False, width=WIDTH)
    return text


def read(text: str | bytes) -> Document:
    """The document. Raises ApiError `bad_document` with the line, TooLarge."""
    raw = text.encode(errors="replace") if isinstance(text, str) else text
    if len(raw) > MAX_BYTES:
        raise TooLarge("too_large", _("A configuration has at most %(limit)d MB.") % {"limit": MAX_BYTES // 2**20})
    try:
        plain = raw.decode("utf-8-sig")
        _refuse_tricks(plain)
        found = yaml.load(plain, Loader=_Reader)  # noqa: S506 - a subclass of the safe loader
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ApiError("bad_document", _("This is no configuration: %(reason)s") % {"reason": _reason(error)}) from error
    return _checked(found)


def _refuse_tricks(text: str) -> None:
    """Before anything is built of it. Raises YAMLError."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(problem="anchors and aliases are not taken", problem_mark=_mark(event))
        if getattr(event, "tag", None) not in (None, "!"):
            raise yaml.MarkedYAMLError(problem="tags are not taken", problem_mark=_mark(event))
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem=f"deeper than {MAX_DEPTH}", problem_mark=_mark(event))


def _mark(event: yaml.Event) -> Any:
    return event.start_mark


def _checked(found: Any) -> Document:
    if not isinstance(found, dict) or found.get("version") != VERSION:
        raise ApiError("bad_document", _("A configuration begins with “version: %(version)d”.") % {"version": VERSION})
    return {name: {} if section is None else section for name, section in found.items() if name != "version"}


def _reason(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem} (line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1})"
    return str(error)[:200] or type(error).__name__
