"""The forwarders' contract against real servers: `make test-forwarders`."""

import re
from pathlib import Path

import pytest

from rules.forwarders import FORWARDERS
from tests.rules.forwarders.contract import ForwarderContract

from .kinds import ELSEWHERE, SERVERS, UNMET, Real, mine

DOCUMENT = Path(__file__).parents[4] / "docs/forwarders.md"


@pytest.mark.parametrize("server", SERVERS, indirect=True)
class TestReal(ForwarderContract):
    pass


@pytest.mark.parametrize("server", SERVERS, indirect=True)
def test_the_documents_tell_the_server(server: Real) -> None:
    """By its name; where there is no real Kafka, what stands in for it."""
    (row,) = re.findall(rf"^\| `{server.kind}` \| (.*) \|$", DOCUMENT.read_text().partition("## Tested on")[2], re.MULTILINE)
    (name,) = re.findall(r"(?:.*: )?(.+?) v?\d+\.\d", server.maker())
    assert name in row


def test_every_kind_has_met_a_real_server_or_the_run_says_that_it_has_not() -> None:
    assert {*SERVERS, *UNMET, *ELSEWHERE} == set(FORWARDERS.keys())
    assert not set(SERVERS) & set(UNMET)


def test_no_kind_that_meets_a_server_is_called_experimental() -> None:
    assert [kind for kind in SERVERS if FORWARDERS[kind].EXPERIMENTAL] == []


def test_each_kind_is_the_business_of_one_process() -> None:
    kinds = list(SERVERS)
    for workers in (1, 2, 3):
        assert sorted(kind for worker in range(workers) for kind in mine(kinds, worker, workers)) == sorted(kinds)
