"""Conditions: a tree that a person wrote, compiled once to closures, evaluated many times. Never `eval`.

    {"all": [...]}, {"any": [...]}, {"not": {...}}
    {"property": "temperature", "op": ">", "value": 5}          leaves: rules/leaves.py

A condition answers True, False, or None where something that it needs is not known; `all`, `any` and `not` reckon with
the third as SQL does. Pure Python.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from .facts import Facts, WindowKey
from .problems import BadRule

MOST_LEAVES: Final = 100
DEEPEST: Final = 10
Test = Callable[[Facts], bool | None]


class Use(NamedTuple):
    """Something that a condition looks at, for whoever knows the thing model.

    `source` is property, attribute, event or other; `device` the other device's key; `type` is what it must be
    (number, text, boolean; "" means any), `literal` a constant that it is compared with.
    """

    path: str
    source: str
    key: str
    type: str = ""
    device: str = ""
    literal: Any = None


class Lua(NamedTuple):
    """A Lua expression, by its number in the rule."""

    path: str
    number: int
    source: str


class Counter(NamedTuple):
    """A condition that is counted: each report for which it is so is one in its window."""

    window: WindowKey
    test: "Test"


class Needs:
    """What a rule's conditions need, collected while they are compiled. `token` tells its counters from other rules'."""

    def __init__(self, token: str = "") -> None:
        self.token = token
        self.uses: list[Use] = []
        self.windows: set[WindowKey] = set()
        self.counters: list[Counter] = []
        self.lua: list[Lua] = []
        self.tests: list[tuple[str, Test]] = []  # each comparison, to explain the whole by
        self.any_reading = False  # every report concerns it, whatever it says
        self.silence = False  # when the device last said anything counts
        self.presence = False
        self.previous = False
        self.leaves = 0

    def number(self) -> int:
        self.leaves += 1
        return self.leaves

    @property
    def properties(self) -> frozenset[str]:
        """Properties of the device itself."""
        return frozenset(use.key for use in self.uses if use.source == "property")

    @property
    def attributes(self) -> frozenset[str]:
        return frozenset(use.key for use in self.uses if use.source == "attribute")

    @property
    def others(self) -> frozenset[tuple[str, str]]:
        return frozenset((use.device, use.key) for use in self.uses if use.source == "other")


Leaf = Callable[[Mapping[str, Any], str, Needs], Test]


def compile_condition(tree: Any, path: str, needs: Needs, leaf: Leaf, depth: int = 0) -> Test:
    """The test that a tree says. `leaf` compiles what is no branch. Raises BadRule with the path of what is wrong."""
    if not isinstance(tree, Mapping) or not tree:
        raise BadRule(path, "a condition is an object")
    if depth > DEEPEST:
        raise BadRule(path, "conditions stand at most %(most)s deep in each other", most=DEEPEST)
    for word, join in _JOINS.items():
        if word in tree:
            _alone(tree, word, path)
            parts = tree[word]
            if not isinstance(parts, list) or not parts:
                raise BadRule(f"{path}.{word}", "a list of conditions, at least one")
            return join([compile_condition(part, f"{path}.{word}.{index}", needs, leaf, depth + 1) for index, part in enumerate(parts)])
    if "not" in tree:
        _alone(tree, "not", path)
        return _not(compile_condition(tree["not"], f"{path}.not", needs, leaf, depth + 1))
    if needs.number() > MOST_LEAVES:
        raise BadRule(path, "at most %(most)s comparisons in a rule", most=MOST_LEAVES)
    test = leaf(tree, path, needs)
    needs.tests.append((path, test))
    return test


def _alone(tree: Mapping[str, Any], word: str, path: str) -> None:
    if len(tree) > 1:
        other = next(str(key) for key in tree if key != word)
        raise BadRule(f"{path}.{other[:60]}", "nothing stands beside “%(word)s”", word=word)


def _all(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]

    def test(facts: Facts) -> bool | None:
        known = True
        for each in tests:  # the first False decides, and says itself when to ask again
            found = each(facts)
            if found is False:
                return False
            if found is None:
                known = False
        return True if known else None

    return test


def _any(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]

    def test(facts: Facts) -> bool | None:
        answer: bool | None = False
        for each in tests:
            found = each(facts)
            if found:
                return True
            if found is None:
                answer = None
        return answer

    return test


def _not(inner: Test) -> Test:
    def test(facts: Facts) -> bool | None:
        found = inner(facts)
        return None if found is None else not found

    return test


_JOINS: dict[str, Callable[[list[Test]], Test]] = {"all": _all, "any": _any}
