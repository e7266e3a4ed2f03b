"""Formulas over properties: a small language of numbers, compiled to closures, never `eval`. Pure Python.

    (voltage * current) / 1000        names of properties; `"odd name"` in quotes
    of("meter-2", power) + power      another device's newest value
    previous(energy), if(door = 1, a, b), min max abs round floor ceil sqrt exp ln log10 pow clamp

Answers None where a value is missing, or the result is no finite number.
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from .conditions import Needs, Use
from .facts import Facts, number_of
from .problems import BadRule

Get = Callable[[Facts], float | None]
LONGEST: Final = 2_000
DEEPEST: Final = 30
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[^\W\d][\w]*)|\"(?P<quoted>[^\"]{1,256})\"|(?P<sign><=|>=|!=|[-+*/%^(),<>=]))"
)
_FUNCTIONS: Final[dict[str, tuple[int, int, Callable[..., float]]]] = {
    "min": (1, 50, min), "max": (1, 50, max), "abs": (1, 1, abs), "round": (1, 2, lambda value, digits=0: round(value, int(digits))),
    "floor": (1, 1, math.floor), "ceil": (1, 1, math.ceil), "sqrt": (1, 1, math.sqrt), "exp": (1, 1, math.exp), "ln": (1, 1, math.log),
    "log10": (1, 1, math.log10), "pow": (2, 2, lambda base, power: float(base) ** float(power)), "sin": (1, 1, math.sin),
    "cos": (1, 1, math.cos),
    "clamp": (3, 3, lambda value, low, high: min(max(value, low), high)),
}  # fmt: skip
_BINARY: Final[dict[str, tuple[int, Callable[[float, float], float]]]] = {
    "=": (1, lambda one, other: float(one == other)), "!=": (1, lambda one, other: float(one != other)),
    "<": (1, lambda one, other: float(one < other)), "<=": (1, lambda one, other: float(one <= other)),
    ">": (1, lambda one, other: float(one > other)), ">=": (1, lambda one, other: float(one >= other)),
    "+": (2, lambda one, other: one + other), "-": (2, lambda one, other: one - other),
    "*": (3, lambda one, other: one * other), "/": (3, lambda one, other: one / other), "%": (3, lambda one, other: one % other),
    "^": (5, lambda one, other: float(one) ** float(other)),
}  # fmt: skip
_UNARY: Final = 4


def compile_formula(text: Any, path: str, needs: Needs) -> Get:
    """The function that reckons. Raises BadRule that says where it stops making sense."""
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST:
        raise BadRule(path, "a formula of 1 to %(most)s characters", most=LONGEST)
    parser = _Parser(text, path, needs)
    get = parser.expression(0, 0)
    parser.end()

    def reckon(facts: Facts) -> float | None:
        try:
            value = get(facts)
        except (ArithmeticError, ValueError, TypeError):
            return None
        return value if isinstance(value, int | float) and math.isfinite(value) else None

    return reckon


class _Parser:
    """Precedence climbing over a list of tokens."""

    def __init__(self, text: str, path: str, needs: Needs) -> None:
        self.path, self.needs = path, needs
        self.tokens: list[tuple[str, str]] = []
        place = 0
        while text[place:].strip():
            found = _TOKEN.match(text, place)
            if not found:
                raise BadRule(path, "not understood from here on: %(text)s", text=text[place : place + 20].strip())
            kind = str(found.lastgroup)
            self.tokens.append((kind, found[kind]))
            place = found.end()
        self.place = 0

    def expression(self, lowest: int, depth: int) -> Get:
        if depth > DEEPEST:
            raise BadRule(self.path, "brackets stand at most %(most)s deep in each other", most=DEEPEST)
        left = self._unary(depth)
        while (operator := self._peek()) and operator[0] == "sign" and operator[1] in _BINARY and _BINARY[operator[1]][0] >= max(lowest, 1):
            self.place += 1
            strength, reckon = _BINARY[operator[1]]
            right = self.expression(strength if operator[1] == "^" else strength + 1, depth + 1)
            left = _both(reckon, left, right)
        return left

    def end(self) -> None:
        if token := self._peek():
            raise BadRule(self.path, "not expected here: %(text)s", text=token[1])

    def _peek(self) -> tuple[str, str] | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        if token is None:
            raise BadRule(self.path, "it ends too early")
        self.place += 1
        return token

    def _expect(self, sign: str) -> None:
        token = self._take()
        if token != ("sign", sign):
            raise BadRule(self.path, "“%(sign)s” expected, not “%(text)s”", sign=sign, text=token[1])

    def _unary(self, depth: int) -> Get:
        if self._peek() == ("sign", "-"):
            self.place += 1
            inner = self.expression(_UNARY, depth + 1)
            return lambda facts: None if (value := inner(facts)) is None else -value
        return self._primary(depth)

    def _primary(self, depth: int) -> Get:
        kind, text = self._take()
        if kind == "number":
            number = float(text)
            return lambda facts: number
        if (kind, text) == ("sign", "("):
            inner = self.expression(0, depth + 1)
            self._expect(")")
            return inner
        if kind == "name" and self._peek() == ("sign", "("):
            self.place += 1
            return self._call(text, depth)
        if kind in ("name", "quoted"):
            return self._property(text)
        raise BadRule(self.path, "not expected here: %(text)s", text=text)

    def _property(self, name: str) -> Get:
        self.needs.uses.append(Use(self.path, "property", name, "number or boolean"))
        return lambda facts: number_of(facts.values.get(name))

    def _call(self, name: str, depth: int) -> Get:
        if name == "of":
            return self._of()
        if name == "previous":
            return self._previous()
        arguments = [self.expression(0, depth + 1)]
        while self._peek() == ("sign", ","):
            self.place += 1
            arguments.append(self.expression(0, depth + 1))
        self._expect(")")
        if name == "if" and len(arguments) == 3:
            return _if(*arguments)
        if name not in _FUNCTIONS or not _FUNCTIONS[name][0] <= len(arguments) <= _FUNCTIONS[name][1]:
            raise BadRule(self.path, "there is no function “%(name)s” that takes %(count)s values", name=name[:60], count=len(arguments))
        return _apply(_FUNCTIONS[name][2], arguments)

    def _name(self) -> str:
        kind, text = self._take()
        if kind not in ("name", "quoted"):
            raise BadRule(self.path, "a name expected, not “%(text)s”", text=text)
        return text

    def _of(self) -> Get:
        device = self._name()
        self._expect(",")
        pair = (device, self._name())
        self._expect(")")
        self.needs.uses.append(Use(self.path, "other", pair[1], "number or boolean", device))
        return lambda facts: number_of(facts.others.get(pair))

    def _previous(self) -> Get:
        name = self._name()
        self._expect(")")
        self.needs.previous = True
        self.needs.uses.append(Use(self.path, "property", name, "number or boolean"))
        return lambda facts: number_of(facts.previous.get(name))


def _both(reckon: Callable[[float, float], float], left: Get, right: Get) -> Get:
    def get(facts: Facts) -> float | None:
        one, other = left(facts), right(facts)
        return None if one is None or other is None else reckon(one, other)

    return get


def _if(condition: Get, yes: Get, no: Get) -> Get:
    return lambda facts: None if (so := condition(facts)) is None else (yes if so else no)(facts)


def _apply(function: Callable[..., float], arguments: Sequence[Get]) -> Get:
    def get(facts: Facts) -> float | None:
        values = [argument(facts) for argument in arguments]
        return None if None in values else function(*values)

    return get
