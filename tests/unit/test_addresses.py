"""Which addresses are this machine, in every spelling that a socket or a server may use."""

from __future__ import annotations

import pytest

from dubcast.addresses import host_port, is_loopback, is_this_machine, reachable

LOOPBACK = [
    *("127.0.0.1", "127.8.8.8", "127.255.255.254"),
    *("::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::FFFF:7f00:1", "::1%lo"),
]
OTHERS = [
    *("192.0.2.1", "10.0.0.1", "0.0.0.0", "128.0.0.1", "126.255.255.255"),
    *("::", "::2", "2001:db8::1", "::ffff:10.0.0.1", "::ffff:0.0.0.0", "::127.0.0.1", "fe80::1"),
    *("", "nonsense", "localhost", "127.0.0.1:80", "[::1]", "127.1", "0x7f.0.0.1", "127.0.0.1 "),
]


@pytest.mark.parametrize("address", LOOPBACK)
def test_loopback_in_every_spelling(address: str) -> None:
    assert is_loopback(address)
    assert is_this_machine(address)


@pytest.mark.parametrize("address", OTHERS)
def test_what_is_not_loopback(address: str) -> None:
    assert not is_loopback(address)


def test_a_host_may_also_be_a_name() -> None:
    assert is_this_machine("localhost")
    assert is_this_machine("LocalHost")
    for host in (None, "", "example.org", "0.0.0.0", "localhost.example.org"):
        assert not is_this_machine(host)


def test_what_listens_everywhere_is_reached_by_loopback() -> None:
    assert [reachable(one) for one in ("0.0.0.0", "::", "192.0.2.1", "::1")] == [
        *("127.0.0.1", "::1", "192.0.2.1", "::1")
    ]


def test_an_ipv6_address_stands_in_brackets_where_a_port_follows() -> None:
    hosts = ["127.0.0.1", "media.lan", "::1", "[::1]", "2001:db8::7"]
    assert [host_port(host, 80) for host in hosts] == [
        *("127.0.0.1:80", "media.lan:80", "[::1]:80", "[::1]:80", "[2001:db8::7]:80")
    ]
