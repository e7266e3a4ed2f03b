"""The Chinese catalogue is complete: every text of templates and code is in it, with the placeholders it needs."""

import ast
import gettext
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.template import Engine
from django.utils.translation.template import templatize

TOP = Path(__file__).resolve().parents[2]
CATALOGUE = TOP / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.mo"
MARKERS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
PLACEHOLDER = re.compile(r"%\((\w+)\)|\{(\w+)\}")
PROBLEMS = {"BadRule": 1, "BadSpan": 0}  # errors whose text is translated where it is shown: which argument it is
CALL = re.compile(r"(n?gettext)\((.*?)\)(?= |$)", re.S)


def tracked(pattern: str) -> list[Path]:
    """The product's files, without tests."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", pattern]
    names = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=True).stdout.splitlines()
    return [TOP / name for name in names if not name.startswith(("tests/", "bench/")) and (TOP / name).is_file()]


def texts_of_code(source: str) -> Iterator[str]:
    """The first argument of every call that marks a text, and the texts of problems."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        place = 0 if node.func.id in MARKERS else PROBLEMS.get(node.func.id)
        if place is not None and len(node.args) > place:
            text = node.args[place]
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield text.value


def texts_of_template(source: str) -> Iterator[str]:
    """The same, after Django's own way of turning a template into what xgettext reads."""
    for _name, arguments in CALL.findall(templatize(source)):
        found = re.match(r"""\s*u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", arguments)
        if found:
            yield ast.literal_eval(found.group(1))


@pytest.fixture(scope="module")
def catalogue() -> dict[str, str]:
    """Texts and their translations; of counted ones the only Chinese form."""
    with CATALOGUE.open("rb") as file:
        entries: dict[Any, str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {key if isinstance(key, str) else key[0]: text for key, text in entries.items() if text}


def test_the_tests_own_reading_finds_texts() -> None:
    assert list(texts_of_code('raise BadRule(path, "a %(kind)s", kind=kind)')) == ["a %(kind)s"]
    assert list(texts_of_code('x = _("One") + ngettext("%(n)s two", "%(n)s twos", n)\n_(variable)')) == ["One", "%(n)s two"]
    template = '{% load i18n %}{% translate "It’s" %}{% blocktranslate count n=n %}{{ n }} a{% plural %}{{ n }} b{% endblocktranslate %}'
    assert list(texts_of_template(template)) == ["It’s", "%(n)s a"]


def test_every_text_of_the_code_is_translated(catalogue: dict[str, str]) -> None:
    missing = {
        f"{path.relative_to(TOP)}: {text}"
        for path in tracked("*.py")
        for text in texts_of_code(path.read_text())
        if text and text not in catalogue
    }
    assert missing == set()


def test_every_text_of_the_templates_is_translated(catalogue: dict[str, str]) -> None:
    missing = {
        f"{path.relative_to(TOP)}: {text}"
        for path in tracked("*.html")
        for text in texts_of_template(path.read_text())
        if text and text not in catalogue
    }
    assert missing == set()


def test_translations_keep_their_placeholders(catalogue: dict[str, str]) -> None:
    wrong = {text: zh for text, zh in catalogue.items() if text and set(PLACEHOLDER.findall(text)) != set(PLACEHOLDER.findall(zh))}

    assert wrong == {}


def test_chinese_keeps_the_house_style(catalogue: dict[str, str]) -> None:
    """Full-width punctuation after Chinese, no “您”, nothing left in English by mistake."""
    chinese = {text: zh for text, zh in catalogue.items() if text and re.search(r"[\u4e00-\u9fff]", zh)}
    assert {zh for zh in chinese.values() if "您" in zh} == set()
    assert {zh for zh in chinese.values() if re.search(r"[\u4e00-\u9fff][,;:!?]|[\u4e00-\u9fff]\.(?=$|\s)", zh)} == set()
    assert len(chinese) > 0.95 * (len(catalogue) - 1)


def test_templates_compile() -> None:
    engine = Engine.get_default()
    for path in tracked("templates/*.html"):
        engine.get_template(str(path.relative_to(TOP / "templates")))
