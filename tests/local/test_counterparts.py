"""Which packages of foreign servers are fetched, and that a mirror that does not answer is no reason to test less."""

from pathlib import Path

import pytest

from iotpanel.local import counterparts, tree
from iotpanel.local.apt import Deb
from iotpanel.local.say import Trouble

UNKNOWN = "apt-get install failed: E: Unable to locate package clickhouse-server"


def asked(monkeypatch: pytest.MonkeyPatch, *, trouble: str) -> list[tuple[str, ...]]:
    """What was asked for; the first time there is trouble."""
    names: list[tuple[str, ...]] = []

    def fetch(_packages: Path, _kind: str, wanted: tuple[str, ...], _leave_out: object) -> list[Deb]:
        names.append(wanted)
        if len(names) == 1:
            raise Trouble(trouble)
        return [Deb("nats-server_2_amd64.deb", 4)]

    monkeypatch.setattr(tree, "fetch", fetch)
    monkeypatch.setattr(counterparts, "unpack", lambda _packages, _files, place: place.mkdir())
    return names


def test_a_release_without_clickhouse_goes_on_without_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = asked(monkeypatch, trouble=UNKNOWN)

    counterparts.environment(tmp_path / "place", tmp_path)

    assert names == [(*counterparts.SERVERS, *counterparts.OPTIONAL), counterparts.SERVERS]


def test_a_mirror_that_does_not_answer_is_said_and_nothing_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = asked(monkeypatch, trouble="apt-get update failed: Err:1 no route to host")

    with pytest.raises(Trouble, match="no route"):
        counterparts.environment(tmp_path / "place", tmp_path)

    assert len(names) == 1
