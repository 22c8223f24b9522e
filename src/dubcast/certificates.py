"""Whom a client of ours believes, over HTTPS."""

from __future__ import annotations

import functools
import ssl

import httpx2


@functools.cache
def trusted(*, env: bool = False) -> ssl.SSLContext:
    """The system's certificates, read once per process: it takes 20 ms and a megabyte each time.

    `env`: those that `SSL_CERT_FILE` or `SSL_CERT_DIR` name come first.
    """
    return httpx2.create_ssl_context(trust_env=env)
