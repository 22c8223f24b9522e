"""Sockets to listen on, IPv4 and IPv6 alike."""

from __future__ import annotations

import socket

from dubcast.addresses import host_port
from dubcast.errors import ConfigError


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A TCP socket that listens on `host`; `::` takes IPv4 too. Raises ConfigError.

    `shared`: others that say so too may listen there, and the system spreads the connections.
    """
    try:
        return socket.create_server(
            (host, port),
            family=family_of(host),
            backlog=256,
            dualstack_ipv6=is_dual(host),
            reuse_port=shared,
        )
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise ConfigError(f"cannot listen on {host_port(host, port)}: {reason or error}") from error


def family_of(host: str) -> socket.AddressFamily:
    """What an address is of; a name is taken for one of IPv4."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def is_dual(host: str) -> bool:
    """True for the address that means every interface, of both kinds where the system can."""
    return host == "::" and socket.has_dualstack_ipv6()
