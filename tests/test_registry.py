"""The table of kinds: visible, lazy, and clear about what it does not know."""

import json

import pytest

from iotpanel.registry import Registry, UnknownKind

KINDS: Registry[type] = Registry("decoder", {"json": "json:JSONDecoder", "gone": "no_such_module_anywhere:Thing"})


def test_it_gives_what_the_path_names() -> None:
    assert KINDS["json"] is json.JSONDecoder
    assert KINDS["json"] is KINDS["json"]


def test_it_names_the_kinds_that_exist() -> None:
    with pytest.raises(UnknownKind, match="No decoder of kind 'xml'; there are: gone, json"):
        KINDS["xml"]


def test_it_imports_nothing_to_say_what_there_is() -> None:
    assert list(KINDS) == ["json", "gone"]
    assert "gone" in KINDS
    assert "xml" not in KINDS
    assert len(KINDS) == 2


def test_a_missing_library_is_said_when_it_is_used() -> None:
    with pytest.raises(ModuleNotFoundError):
        KINDS["gone"]
