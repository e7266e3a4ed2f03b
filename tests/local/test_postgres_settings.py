"""Settings by PostgreSQL's version: what one version does not know would keep it from starting at all."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from iotpanel.checks import OLDEST_POSTGRESQL
from iotpanel.local.account import ONESELF
from iotpanel.local.home import Home
from iotpanel.local.postgres import Postgres
from iotpanel.local.postgres_settings import NEWEST, OLDEST, demand_supported, dump_compression, locale_options, server_settings
from iotpanel.local.say import Trouble
from iotpanel.local.tree import Tree

VERSIONS = range(OLDEST, NEWEST + 1)
ADDED_LATER = {"lz4": 15, "zstd": 16, "builtin": 17}
"""Words that an older version refuses, and the first version that takes them."""


def rendered(version: int, **overrides: object) -> dict[str, str]:
    given = {"port": 5432, "own": Path("/a home/postgresql.conf"), "timescale": False} | overrides
    text = server_settings(version, **given)  # type: ignore[arg-type]
    return dict(re.findall(r"^(\S+)(?: = | )(.+)$", text, re.MULTILINE))


@pytest.mark.parametrize("version", VERSIONS)
def test_no_version_is_given_a_word_that_it_does_not_know(version: int) -> None:
    words = " ".join([*rendered(version).values(), *locale_options(version), dump_compression(version)])

    assert [word for word, first in ADDED_LATER.items() if word in words and version < first] == []


@pytest.mark.parametrize(("version", "wal", "dump"), [(14, "on", "3"), (15, "lz4", "3"), (16, "lz4", "zstd:3"), (18, "lz4", "zstd:3")])
def test_each_version_compresses_as_well_as_it_can(version: int, wal: str, dump: str) -> None:
    assert rendered(version)["wal_compression"] == wal
    assert dump_compression(version) == f"--compress={dump}"


def test_versions_differ_in_nothing_else() -> None:
    """What was measured on 17 holds for all: above all, that an acknowledged reading is on the disk."""
    settings = [{name: value for name, value in rendered(version).items() if name != "wal_compression"} for version in VERSIONS]

    assert all(each == settings[0] for each in settings)
    assert settings[0]["synchronous_commit"] == "on"
    assert settings[0]["include_if_exists"] == "'/a home/postgresql.conf'"


def test_the_extension_is_loaded_only_where_it_is() -> None:
    assert "shared_preload_libraries" not in rendered(16)
    assert rendered(17, timescale=True)["shared_preload_libraries"] == "'timescaledb'"


@pytest.mark.parametrize("version", [12, 13])
def test_an_older_one_is_refused_in_one_line_that_says_what_to_do(version: int) -> None:
    with pytest.raises(Trouble, match=f"PostgreSQL {version} is too old: .*{OLDEST} to {NEWEST}.*DATABASE_URL") as trouble:
        demand_supported(version)

    assert "\n" not in str(trouble.value)


@pytest.mark.parametrize("version", [*VERSIONS, NEWEST + 1])
def test_supported_ones_and_newer_ones_are_taken(version: int) -> None:
    demand_supported(version)


def test_the_check_of_a_server_of_somebody_else_says_the_same() -> None:
    assert OLDEST_POSTGRESQL == OLDEST


def test_a_server_that_is_too_old_leaves_the_home_alone(home: Home) -> None:
    """As Ubuntu 20.04 has it: a program that says so stands in for it."""
    programs = home.root / "old/usr/lib/postgresql/12/bin"
    programs.mkdir(parents=True)
    (programs / "postgres").write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 12.22 (Ubuntu 12.22-0ubuntu0.20.04.4)'\n")
    (programs / "postgres").chmod(0o755)

    with pytest.raises(Trouble, match="PostgreSQL 12 is too old"):
        Postgres(Tree(home.root / "old"), home, home.root, ONESELF, 5432).prepare()

    assert not (home.root / "postgres").exists()


def test_the_settings_are_those_that_the_real_server_takes(tree: Tree, home: Home) -> None:
    """It reads its file as it does at a start, and names each word that it does not know."""
    (home.root / "postgresql.conf").write_text(server_settings(17, port=5432, own=home.root / "none", timescale=True))
    command = [
        str(tree.program("postgres")),
        "-C",
        "wal_compression",
        "-c",
        f"config_file={home.root}/postgresql.conf",
        "-D",
        str(home.root),
    ]
    shown = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})

    complaints = [line for line in shown.stderr.splitlines() if "skipping missing configuration file" not in line]
    assert (shown.stdout.strip(), complaints) == ("lz4", [])
