"""Who may be reached: every way to spell, hide or swap an address that is not for us."""

import socket
from typing import Any

import pytest
from pytest_django import Settings

from rules.outside.addresses import Forbidden, is_allowed, judge, pinned, resolve
from rules.outside.errors import Down


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "0.1.2.3",
     "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0",
     "fc00::1", "fd00:ec2::254",
     "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:a00:1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
     "2001:0:7f00:1::", "2001:db8::1"],
)  # fmt: skip
def test_what_is_not_public_is_refused(address: str) -> None:
    assert not is_allowed(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_what_is_public_is_allowed(address: str) -> None:
    assert is_allowed(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "localhost", "::1"])
def test_other_spellings_are_the_same_address(host: str) -> None:
    with pytest.raises(Forbidden):
        resolve(host, 80)


def test_the_refusal_names_the_address_and_the_setting() -> None:
    with pytest.raises(Forbidden, match=r"127\.0\.0\.1.*IOTPANEL_ALLOWED_NETWORKS"):
        resolve("127.0.0.1", 80)


def test_the_operator_allows_a_network(settings: Settings) -> None:
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8", "10.20.0.0/16"]
    assert pinned("127.0.0.1", 80) == "127.0.0.1"
    assert is_allowed("10.20.3.4")
    assert is_allowed("::ffff:10.20.3.4")
    assert not is_allowed("10.21.3.4")
    assert not is_allowed("0.0.0.0")


@pytest.mark.parametrize(
    "text",
    ["127.0.0.1", "0177.0.0.1", "[::1]", "::1", "fe80::1%lo", "LOCALHOST.", "me.localhost", "10.0.0.1:1883", "[fd00::1]:9092",
     "localhost:80", "http://127.0.0.1", "https://user:word@[::ffff:127.0.0.1]:8443/x?y", "http://2130706433/",
     "kafka.example:1,10.0.0.1:2"],
)  # fmt: skip
def test_what_spells_an_inner_address_is_judged_before_anybody_connects(text: str, settings: Settings) -> None:
    with pytest.raises(Forbidden):
        judge(text)
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8", "::1/128", "10.0.0.0/8", "fd00::/8", "fe80::/10"]
    judge(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/at/1,127.0.0.1",
        "8.8.8.8",
        "2606:4700:4700::1111",
        "localhost.example.org",
        "database:5432",
        "http://[nonsense",
        "",
        "a" * 300,
    ],
)
def test_other_names_are_not_asked_for_before_anybody_connects(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = socket.getaddrinfo

    def numeric(*given: Any, **more: Any) -> Any:
        assert more["flags"] == socket.AI_NUMERICHOST
        return asked(*given, **more)

    monkeypatch.setattr(socket, "getaddrinfo", numeric)
    judge(text)


def answers(monkeypatch: pytest.MonkeyPatch, *found: str) -> list[str]:
    """A resolver that answers these addresses; what it was asked."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_of_several_addresses_only_the_allowed_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "10.0.0.1", "8.8.8.8", "::1")
    assert resolve("mixed.example", 443) == ["8.8.8.8"]


def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "169.254.169.254")
    with pytest.raises(Forbidden):
        resolve("metadata.example", 80)


def test_a_name_that_nobody_knows_is_down_and_not_forbidden() -> None:
    with pytest.raises(Down) as raised:
        resolve("no-such-host.invalid", 80)
    assert not isinstance(raised.value, Forbidden)


@pytest.mark.parametrize("host", ["a" * 300, "\ud800", "ex\0ample", "..", ""])
def test_what_is_no_name_is_down(host: str) -> None:
    with pytest.raises(Down):
        resolve(host, 80)
