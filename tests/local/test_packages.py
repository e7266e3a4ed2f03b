"""Fetching and unpacking: which packages, from where, and when it is done again."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from iotpanel.local import apt, elf, release
from iotpanel.local import tree as trees
from iotpanel.local.apt import Deb
from iotpanel.local.say import Trouble
from iotpanel.local.tree import LEAVE_OUT, Tree


def on(monkeypatch: pytest.MonkeyPatch, **fields: str) -> None:
    monkeypatch.setattr(release, "os_release", lambda: fields)


@pytest.mark.parametrize("version", ["12", "13"])
def test_debian_gets_the_extension(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    on(monkeypatch, ID="debian", VERSION_ID=version)

    assert "postgresql-17-timescaledb" in release.server_packages()


def test_ubuntu_gets_its_own_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, ID="ubuntu", VERSION_ID="24.04")

    assert "postgresql" in release.server_packages()
    assert not any("timescale" in name for name in release.server_packages())


@pytest.mark.parametrize(
    "fields", [{"ID": "fedora", "PRETTY_NAME": "Fedora 44"}, {"ID": "debian", "VERSION_ID": "11", "PRETTY_NAME": "Debian 11"}]
)
def test_elsewhere_one_line_says_what_to_set(monkeypatch: pytest.MonkeyPatch, fields: dict[str, str]) -> None:
    on(monkeypatch, **fields)

    with pytest.raises(Trouble) as trouble:
        release.server_packages()

    assert fields["PRETTY_NAME"] in str(trouble.value)
    assert all(name in str(trouble.value) for name in ("DATABASE_URL", "REDIS_URL", "MQTT_URL"))
    assert "\n" not in str(trouble.value)


def test_debian_13_comes_from_the_machines_own_mirrors(monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, ID="debian", VERSION_CODENAME="bookworm")
    known = [("http://mirror.example/debian", "bookworm"), ("http://mirror.example/debian", "bookworm-updates")]
    other = [("http://mirror.example/sec", "bookworm-security"), ("http://else.example/tool", "stable")]
    monkeypatch.setattr(release, "mirrors", lambda: known + other)

    source = release.debian_13(Path("/keyring.gpg"))

    assert source.lines == (
        "deb [signed-by=/keyring.gpg] http://mirror.example/debian trixie main",
        "deb [signed-by=/keyring.gpg] http://mirror.example/debian trixie-updates main",
        "deb [signed-by=/keyring.gpg] http://mirror.example/sec trixie-security main",
    )


def test_a_machine_without_a_mirror_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, ID="debian", VERSION_CODENAME="bookworm")
    monkeypatch.setattr(release, "mirrors", list)

    with pytest.raises(Trouble, match="no mirror"):
        release.debian_13(Path("/keyring.gpg"))


def test_a_machine_without_apt_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Trouble, match="DATABASE_URL"):
        release.mirrors()


def test_an_old_keyring_is_replaced_by_the_one_that_the_mirror_carries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tried: list[str] = []

    def update(self: apt.Apt) -> None:
        tried.append((self.root / "etc/sources.list").read_text())
        if len(tried) == 1:
            raise Trouble("apt-get update failed: NO_PUBKEY")

    monkeypatch.setattr(apt.Apt, "update", update)
    monkeypatch.setattr(
        apt, "debian_13", lambda keyring: release.Source((f"deb [signed-by={keyring}] http://m.example/ trixie main",), "trixie")
    )
    monkeypatch.setattr(apt, "fetch_keyring", lambda root: root / "fresh.gpg")

    apt.debian_apt(tmp_path)

    assert "fresh.gpg" in tried[1] != tried[0]


def test_apt_keeps_to_its_own_folders(tmp_path: Path) -> None:
    made = apt.Apt(tmp_path, release.Source(("deb http://m.example/ trixie main",), "trixie"))

    places = re.findall(r'^Dir::\S+ "(.*)";$', (made.root / "apt.conf").read_text(), re.MULTILINE)
    assert len(places) >= 5
    assert all(place == "-" or Path(place).is_relative_to(tmp_path) for place in places)


def test_a_failure_of_apt_is_one_line_with_its_reason(tmp_path: Path) -> None:
    made = apt.Apt(tmp_path, release.Source((f"deb [trusted=yes] file://{tmp_path}/nothing trixie main",), "trixie"))

    with pytest.raises(Trouble, match=r"apt-get update failed: .+") as trouble:
        made.update()

    assert "\n" not in str(trouble.value)


def test_a_version_with_an_epoch_is_asked_for_as_apt_writes_it() -> None:
    deb = Deb("libattr1_1%3a2.5.2-3_amd64.deb", 1)

    assert (deb.name, deb.request) == ("libattr1", "libattr1=1:2.5.2-3")


@pytest.mark.parametrize("name", ["perl", "perl-base", "libperl5.40", "libjson-perl", "locales", "libllvm19", "adduser", "tzdata"])
def test_what_only_an_installation_needs_is_left_out(name: str) -> None:
    assert LEAVE_OUT.fullmatch(name)


@pytest.mark.parametrize(
    "name", ["libc6", "postgresql-17", "postgresql-17-timescaledb", "libpam0g", "libssl3t64", "mosquitto", "patchelf", "zlib1g"]
)
def test_what_the_servers_need_is_kept(name: str) -> None:
    assert not LEAVE_OUT.fullmatch(name)


def test_packages_are_known_again_only_while_all_are_whole(tmp_path: Path) -> None:
    (tmp_path / "a_1_all.deb").write_bytes(b"1234")
    (tmp_path / "servers.json").write_text(json.dumps([["a_1_all.deb", 4]]))
    assert trees.listed(tmp_path, "servers", ("a",)) == [Deb("a_1_all.deb", 4)]
    assert trees.listed(tmp_path, "servers", ("a", "b")) is None

    (tmp_path / "a_1_all.deb").write_bytes(b"12")
    assert trees.listed(tmp_path, "servers", ("a",)) is None


@pytest.fixture
def unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every unpacking that happens; the packages are there."""
    happened: list[Path] = []

    def remake(root: Path, packages: Path, debs: list[Deb]) -> None:
        happened.append(root)
        root.mkdir(exist_ok=True, parents=True)

    monkeypatch.setattr(trees, "remake", remake)
    monkeypatch.setattr(trees, "server_packages", lambda: ("a",))
    monkeypatch.setattr(trees, "listed", lambda packages, kind, names: [Deb("a_1_all.deb", 4)])
    return happened


def test_a_second_start_unpacks_nothing(tmp_path: Path, unpacked: list[Path]) -> None:
    trees.server_tree(tmp_path / "servers", tmp_path)
    trees.server_tree(tmp_path / "servers", tmp_path)

    assert len(unpacked) == 1


def test_a_moved_home_unpacks_again_because_programs_know_their_place(tmp_path: Path, unpacked: list[Path]) -> None:
    trees.server_tree(tmp_path / "old", tmp_path)
    shutil.copytree(tmp_path / "old", tmp_path / "new")

    trees.server_tree(tmp_path / "new", tmp_path)

    assert len(unpacked) == 2


def test_the_newest_of_several_versions_is_found(tmp_path: Path) -> None:
    for version in ("9", "15", "17"):
        folder = tmp_path / f"usr/lib/postgresql/{version}/bin"
        folder.mkdir(parents=True)
        (folder / "psql").touch()

    assert Tree(tmp_path).program("psql") == tmp_path / "usr/lib/postgresql/17/bin/psql"


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="valkey-server or redis-server"):
        Tree(tmp_path).program("valkey-server", "redis-server")


def test_the_programs_run_with_the_loader_and_libraries_of_their_own_tree(tree: Tree) -> None:
    maps = subprocess.run(
        [str(tree.program("psql")), "-X", "-c", "select 1", "-h", "/nowhere"],
        capture_output=True,
        text=True,
        env={"LD_DEBUG": "libs"},
        check=False,
    ).stderr
    used = re.findall(r"calling init: (\S+)", maps)

    assert len(used) > 5
    assert all(Path(path).is_relative_to(elf.loader(tree.root).parents[3]) for path in used), used


def test_the_servers_are_the_versions_that_were_measured(tree: Tree) -> None:
    assert "(PostgreSQL) 17" in subprocess.run([str(tree.program("postgres")), "-V"], capture_output=True, text=True, check=True).stdout
    assert tree.has_timescale
    assert "v=8" in subprocess.run([str(tree.program("valkey-server")), "-v"], capture_output=True, text=True, check=True).stdout
