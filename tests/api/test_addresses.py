"""Whose address counts: a client can write what it likes into a header, our proxies cannot be lied to."""

from typing import Any

import pytest
from django.test import RequestFactory

from iotpanel.api.addresses import client_address


def seen(settings: Any, proxies: int, forwarded: str = "", remote: str = "10.0.0.1") -> str:
    settings.TRUSTED_PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return client_address(RequestFactory().get("/", headers=headers, REMOTE_ADDR=remote))


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "", "10.0.0.1"),
        (0, "1.2.3.4", "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (2, "6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4"),
        (2, "1.2.3.4", "1.2.3.4"),
        (1, "1.2.3.4:5678", "1.2.3.4"),
        (1, "[2001:DB8::1]:5678", "2001:db8::1"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "fe80::1%eth0", "fe80::1"),
        (1, "<script>", ""),
        (1, "6.6.6.6, ", "6.6.6.6"),
    ],
)
def test_only_what_our_proxies_wrote_counts(settings: Any, proxies: int, forwarded: str, address: str) -> None:
    assert seen(settings, proxies, forwarded) == address


@pytest.mark.parametrize("remote", ["", "testclient"])
def test_a_socket_without_address_has_none(settings: Any, remote: str) -> None:
    assert seen(settings, 0, remote=remote) == ""
