"""The language of templates: text with `{{ device.key }}` and `{{ values.temperature | round(1) }}` in it, and nothing else.

A path looks up keys of objects and numbers of lists, never an attribute; filters come from one table. There is no
loop, no call and no code, so a template ends, and cannot reach what it was not given.

A template that begins with `{` or `[` is JSON: each value is then written so that the whole stays JSON, as part of a
text where it stands in quotes, else as a value of its own. What is missing is null there, and empty elsewhere.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from rules.template_filters import FILTERS, Raw, TemplateError, as_text

MAX_TEXT = 65_536
MAX_EXPRESSIONS = 500
MAX_OUTPUT = 1_000_000
_PARTS = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_TOKENS = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|\'[^\'\\]*\')|(?P<number>-?\d{1,18}(?:\.\d{1,18})?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[.|(),\[\]]))'
)
Context = Mapping[str, Any]
Value = Callable[[Context], Any]


class Hole(NamedTuple):
    """An expression and the way its value is written: `quoted` inside a JSON text, `json` as a JSON value, or `plain`."""

    value: Value
    way: str


class Template:
    """A compiled template."""

    def __init__(self, parts: list[str | Hole], names: set[str]) -> None:
        self.parts = parts
        self.names = names  # the first steps of all paths

    def render(self, context: Context) -> str:
        """The text. Raises TemplateError where a filter can't do with a value, or the text grows too long."""
        written = [part if isinstance(part, str) else _write(part, context) for part in self.parts]
        if sum(map(len, written)) > MAX_OUTPUT:
            raise TemplateError(f"the text would be longer than {MAX_OUTPUT} characters")
        return "".join(written)


def compile_template(text: str, names: set[str] | None = None, *, prose: bool = False) -> Template:
    """Raises TemplateError, which says where; also for a path whose first step is none of `names`. `prose` is never JSON."""
    if len(text) > MAX_TEXT:
        raise TemplateError(f"at most {MAX_TEXT} characters")
    pieces = _PARTS.split(text)
    if len(pieces) > 2 * MAX_EXPRESSIONS:
        raise TemplateError(f"at most {MAX_EXPRESSIONS} expressions")
    is_json, parts, roots, open_text = text.lstrip()[:1] in ("{", "["), [], set[str](), False
    if prose or text.lstrip().startswith("{{"):
        is_json = False
    for number, piece in enumerate(pieces):
        if number % 2 == 0:
            _refuse_leftovers(piece)
            open_text = _ends_in_text(piece, open_text)
            parts.append(piece)
        else:
            value, root = _Expression(piece).compile()
            roots |= {root} if root else set()
            parts.append(Hole(value, ("quoted" if open_text else "json") if is_json else "plain"))
    if names is not None and (unknown := sorted(roots - names)):
        raise TemplateError(f"there is no “{unknown[0]}” here, but {', '.join(sorted(names))}")
    return Template(parts, roots)


def _refuse_leftovers(piece: str) -> None:
    for sign in ("{{", "{%", "{#"):
        if sign in piece:
            raise TemplateError(f"“{sign}” has no end, or is no part of this language: {piece[piece.index(sign) :][:40]}")


def _ends_in_text(piece: str, inside: bool) -> bool:
    """Whether a JSON text is open at the end of this piece."""
    escaped = False
    for character in piece:
        if inside and character == "\\" and not escaped:
            escaped = True
            continue
        if character == '"' and not escaped:
            inside = not inside
        escaped = False
    return inside


def _write(hole: Hole, context: Context) -> str:
    value = hole.value(context)
    if isinstance(value, Raw):
        return str(value)
    if hole.way == "json":
        return json.dumps(value, ensure_ascii=False)
    text = as_text(value)
    return json.dumps(text, ensure_ascii=False)[1:-1] if hole.way == "quoted" else text


class _Expression:
    """Parses `path | filter | filter(argument)`."""

    def __init__(self, source: str) -> None:
        self.source = source.strip()
        self.tokens: list[tuple[str, str]] = []
        position = 0
        while position < len(self.source):
            found = _TOKENS.match(self.source, position)
            if not found:
                raise TemplateError(f"“{self.source[:60]}” is not understood at “{self.source[position:][:20]}”")
            self.tokens.append((str(found.lastgroup), found.group(str(found.lastgroup))))
            position = found.end()
        self.at = 0

    def compile(self) -> tuple[Value, str]:
        """The value, and the first step of its path (empty for a constant)."""
        value, root = self._first()
        while self._take("sign", "|"):
            value = self._filter(value)
        if self.at < len(self.tokens):
            raise self._wrong()
        return value, root

    def _first(self) -> tuple[Value, str]:
        kind, text = self._next()
        if kind in ("text", "number"):
            constant = _constant(kind, text)
            return lambda _context: constant, ""
        if kind != "name":
            raise self._wrong()
        steps: list[str | int] = [text]
        while True:
            if self._take("sign", "."):
                steps.append(self._step({"name", "number"}))
            elif self._take("sign", "["):
                steps.append(self._step({"text", "number"}))
                if not self._take("sign", "]"):
                    raise self._wrong()
            else:
                return lambda context: look_up(context, steps), text

    def _step(self, kinds: set[str]) -> str | int:
        kind, text = self._next()
        if kind not in kinds or ("." in text and kind == "number"):
            raise self._wrong()
        found = text if kind == "name" else _constant(kind, text)
        assert isinstance(found, str | int)
        return found

    def _filter(self, value: Value) -> Value:
        kind, name = self._next()
        if kind != "name" or name not in FILTERS:
            raise TemplateError(f"there is no filter “{name}”, but {', '.join(sorted(FILTERS))}")
        arguments: list[Any] = []
        if self._take("sign", "("):
            while not self._take("sign", ")"):
                kind, text = self._next()
                if kind not in ("text", "number"):
                    raise self._wrong()
                arguments.append(_constant(kind, text))
                self._take("sign", ",")
        work, least, most = FILTERS[name]
        if not least <= len(arguments) <= most:
            raise TemplateError(f"the filter “{name}” takes {least if least == most else f'{least} to {most}'} arguments")
        return lambda context: work(value(context), *arguments)

    def _next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise self._wrong()
        self.at += 1
        return self.tokens[self.at - 1]

    def _take(self, kind: str, text: str) -> bool:
        found = self.at < len(self.tokens) and self.tokens[self.at] == (kind, text)
        self.at += found
        return found

    def _wrong(self) -> TemplateError:
        return TemplateError(f"“{self.source[:60]}” is not understood")


def _constant(kind: str, text: str) -> Any:
    if kind == "number":
        return float(text) if "." in text else int(text)
    try:
        return json.loads(text) if text[0] == '"' else text[1:-1]
    except ValueError as error:
        raise TemplateError(f"{text[:40]} is no text") from error


def look_up(context: Any, steps: list[str | int]) -> Any:
    """Keys of objects and numbers of lists; whatever else is asked for is missing, and nothing raises."""
    for step in steps:
        if isinstance(context, Mapping):
            context = context.get(str(step))
        elif isinstance(context, list | tuple) and isinstance(step, int) and -len(context) <= step < len(context):
            context = context[step]
        else:
            return None
    return context
