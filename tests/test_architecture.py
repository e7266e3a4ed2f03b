"""The rules of the house that no other tool checks. Import rules are in pyproject.toml, for import-linter."""

import ast
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

TOP = Path(__file__).resolve().parents[1]
PACKAGES = ("iotpanel", "devices", "telemetry", "rules")
MAY_LIE_AT_THE_TOP = {
    *("iotpanel", "devices", "rules", "telemetry", "templates", "tests", "bench", "deploy", "docs", "examples", "locale"),
    *("manage.py", "requirements.txt", "requirements-dev.txt", "README.md", "Makefile", "LICENSE", "pyproject.toml"),
}
NAMES_THAT_SAY_NOTHING = {"utils.py", "helpers.py", "common.py", "services.py", "misc.py", "managers.py"}
LONGEST_FILE = 300
ONE_FILE_ON_PURPOSE = {"iotpanel/settings.py"}
LONGEST_FUNCTION = 45
NO_FRAMEWORK = (
    "devices/messages.py",
    "devices/exceptions.py",
    "devices/thing_model.py",
    "devices/topics.py",
    "rules/conditions.py",
    "rules/windows.py",
)
CLIENTS_AND_FRAMEWORKS = {"django", "rest_framework", "celery", "channels", "paho", "redis", "psycopg", "httpx", "structlog"}


def tracked(*patterns: str) -> list[Path]:
    """Files that git knows or would take, but for deleted ones."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=True).stdout.splitlines()
    return [TOP / name for name in names if (TOP / name).is_file()]


def sources() -> list[Path]:
    """The product's own Python, without migrations and tests."""
    return [path for path in tracked("*.py") if path.relative_to(TOP).parts[0] in PACKAGES and "migrations" not in path.parts]


class Read(NamedTuple):
    """What the rules ask of a file of Python, as `path:line name`."""

    documented: bool
    long_functions: list[str]
    hidden_imports: list[str]
    managers: list[str]


@cache
def read(path: Path) -> Read:
    """Parsed once for all rules."""
    module = ast.parse(path.read_text())
    nodes = list(ast.walk(module))
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = [inner for function in functions for inner in ast.walk(function)]
    managers = [node for node in nodes if isinstance(node, ast.ClassDef) and is_manager(node)]
    return Read(
        documented=ast.get_docstring(module) is not None,
        long_functions=[f"{short(path)}:{node.lineno} {node.name}" for node in functions if lines(node) > LONGEST_FUNCTION],
        hidden_imports=[f"{short(path)}:{node.lineno}" for node in inside if isinstance(node, ast.Import | ast.ImportFrom)],
        managers=[f"{short(path)}:{node.lineno} {node.name}" for node in managers],
    )


def lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def is_manager(node: ast.ClassDef) -> bool:
    bases = [ast.unparse(base) for base in node.bases]
    return any(base.endswith("Manager") for base in bases) and "BaseUserManager" not in bases  # Django's own way to make users


def short(path: Path) -> str:
    return str(path.relative_to(TOP))


def test_nothing_else_grows_at_the_top() -> None:
    names = {path.relative_to(TOP).parts[0] for path in tracked(".")}

    assert {name for name in names if not name.startswith(".")} <= MAY_LIE_AT_THE_TOP


def test_files_are_named_after_what_is_in_them() -> None:
    assert [short(path) for path in sources() if path.name in NAMES_THAT_SAY_NOTHING] == []


def test_files_stay_short() -> None:
    assert [
        short(path) for path in sources() if path.read_text().count("\n") > LONGEST_FILE and short(path) not in ONE_FILE_ON_PURPOSE
    ] == []


def test_functions_stay_short() -> None:
    assert [found for path in sources() for found in read(path).long_functions] == []


def test_imports_stand_at_the_top_of_their_file() -> None:
    """An import inside a function is how a forbidden direction hides. An app's ``ready`` has to import late."""
    held = [path for path in sources() if path.name not in {"apps.py", "bootstrap.py"}]

    assert [found for path in held for found in read(path).hidden_imports] == []


def test_reads_are_queryset_methods_not_managers() -> None:
    managers = [found for path in sources() for found in read(path).managers]

    assert [name for name in managers if "UserManager" not in name] == []


@pytest.mark.parametrize("name", NO_FRAMEWORK)
def test_the_pure_modules_know_no_framework_and_no_client_library(name: str) -> None:
    path = TOP / name
    if not path.exists():
        assert name.startswith("rules/"), f"{name} has moved: say here where it is now"
        return
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.split(".")[0])

    assert imported & CLIENTS_AND_FRAMEWORKS == set()


def test_every_public_module_says_what_it_is_for() -> None:
    written = [path for path in sources() if path.name != "apps.py" and path.read_text().strip()]
    silent = [short(path) for path in written if not read(path).documented]

    assert silent == []


def test_every_ignored_rule_of_ruff_carries_its_reason() -> None:
    """But for S608, whose reason is always the same: SQL is put together from our own constants, values are parameters."""
    bare = [
        f"{short(path)}:{number}"
        for path in sources()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"# noqa(?!: S608$)(?!: [A-Z]+[0-9]+(, ?[A-Z]+[0-9]+)* - \S)", line)
    ]
    assert bare == []


def test_nothing_names_a_machine_or_a_secret() -> None:
    texts = [path for path in tracked(".") if path.suffix in {".py", ".md", ".html", ".toml", ".yaml", ".yml", ".txt", ".lua", ".css", ""}]
    pattern = re.compile(r"/" + r"work/(main|shared)|/" + r"root/\.pyenv|BEGIN [A-Z ]*PRIVATE KEY")
    found = [short(path) for path in texts if "vendor" not in path.parts and pattern.search(path.read_text(errors="replace"))]

    assert found == []


def test_every_app_has_its_tables_in_migrations() -> None:
    folders = {path.parent for path in tracked("*.py") if path.name == "models.py" or path.parent.name == "models"}
    apps = {folder.parent if folder.name == "models" else folder for folder in folders if "tests" not in folder.parts}

    assert apps
    assert [short(app) for app in apps if not (app / "migrations/0001_initial.py").exists()] == []
