"""Jars by Maven: fetched once, tried again, and a reason where they cannot be had. Maven is a script here."""

from pathlib import Path

import pytest

from iotpanel.local import jars

REFUSES = "echo '[ERROR] no route to the repository'; echo '[ERROR] more words'; exit 1"


@pytest.fixture
def poms(tmp_path: Path) -> Path:
    folder = tmp_path / "poms"
    folder.mkdir()
    for name in jars.SERVERS:
        (folder / f"{name}.xml").write_text("<project/>")
    return folder


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, *, maven: str) -> Path:
    """Java, and a Maven that does this; the file that counts how often it was called."""
    programs, calls = folder / "programs", folder / "calls"
    programs.mkdir()
    calls.write_text("")
    for name, does in (("java", ""), ("mvn", f'echo "$@" >> {calls}\n{maven}')):
        (programs / name).write_text(f"#!/bin/sh\n{does}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return calls


def test_jars_are_fetched_once(tmp_path: Path, poms: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = install(tmp_path, monkeypatch, maven="exit 0")

    found = [jars.environment(poms, tmp_path / "packages") for _ in range(2)]

    assert found == [{"IOTPANEL_JARS": str(tmp_path / "packages/java")}] * 2
    assert [f"{name}.xml" in line for name, line in zip(jars.SERVERS, calls.read_text().splitlines(), strict=True)] == [True, True]


def test_a_changed_list_is_fetched_again_and_alone(tmp_path: Path, poms: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = install(tmp_path, monkeypatch, maven="exit 0")
    jars.environment(poms, tmp_path / "packages")
    (poms / "kafka.xml").write_text("<project><!-- the next version --></project>")
    (tmp_path / "packages/java/kafka/kafka-1.jar").touch()

    jars.environment(poms, tmp_path / "packages")

    assert calls.read_text().count("kafka.xml") == 2
    assert [path.suffix for path in (tmp_path / "packages/java/kafka").iterdir()] == [""], "two versions of a jar would both be loaded"


def test_a_download_that_failed_is_tried_again(tmp_path: Path, poms: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, maven=f"[ -e {tmp_path}/failed ] || {{ touch {tmp_path}/failed; {REFUSES}; }}")

    assert jars.environment(poms, tmp_path / "packages").keys() == {"IOTPANEL_JARS"}


def test_what_cannot_be_had_has_a_reason_in_mavens_words(tmp_path: Path, poms: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = install(tmp_path, monkeypatch, maven=REFUSES)

    found = jars.environment(poms, tmp_path / "packages")

    assert found == {"IOTPANEL_JARS_MISSING": "Maven could not fetch it: no route to the repository"}
    assert len(calls.read_text().splitlines()) == jars.TRIES


def test_a_machine_without_java_is_told_so(tmp_path: Path, poms: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert jars.environment(poms, tmp_path / "packages") == {"IOTPANEL_JARS_MISSING": "java and mvn not installed"}
    assert not (tmp_path / "packages").exists()
