"""Which addresses mean this machine. Pure: no name is looked up."""

from __future__ import annotations

import ipaddress


def is_loopback(address: str) -> bool:
    """True for an IPv4 or IPv6 address of this machine alone, in every spelling.

    A dual-stack socket tells a client of 127.0.0.1 as `::ffff:127.0.0.1`. What is no address, a
    name too, is none.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def is_this_machine(host: str | None) -> bool:
    """True if a URL's host, or a socket's, is the loopback interface: by address or by name."""
    return host is not None and (host.lower() == "localhost" or is_loopback(host))


_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def reachable(bind: str) -> str:
    """The address at which this machine reaches what listens on `bind`."""
    return _EVERYWHERE.get(bind, bind)


def bracketed(host: str) -> str:
    """The host as a URL writes it: an IPv6 address in brackets, all else as it is."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def host_port(host: str, port: int) -> str:
    """`host:port` as URLs and listeners write it: `127.0.0.1:80`, `[::1]:80`."""
    return f"{bracketed(host)}:{port}"
