"""libsrt's C interface, as much of it as a sender needs. Calls never block.

Declared by its header `srt.h` (1.4 to 1.5); a library is loaded when a destination needs it, and by
no role otherwise.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from contextlib import suppress
from enum import IntEnum
from functools import cache
from typing import Any

from dubcast.config import SrtAddress
from dubcast.errors import MissingPartError
from dubcast.native import give_back_loading
from dubcast.wire import UnreachableError

# As distributions name it, by what encrypts in it.
_NAMES = ("libsrt-gnutls.so.1.5", "libsrt.so.1.5", "libsrt-gnutls.so.1.4", "libsrt.so.1.4")
MISSING = "destinations by SRT need libsrt: apt install libsrt1.5-gnutls"
_ONLY_FATAL = 2  # syslog's: anything else would be lines of its own on our standard error
_WOULD_BLOCK = 6001
_ERROR = -1


class _Option(IntEnum):
    SEND_BLOCKS = 1
    RECEIVE_BLOCKS = 2
    SEND_BUFFER = 5
    SENDER = 21
    PASSPHRASE = 26
    KEY_BYTES = 27
    SEND_DROP_DELAY = 32
    CONNECT_MS = 36
    PEER_LATENCY = 44
    STREAM_ID = 46
    PAYLOAD = 49
    PEER_IDLE_MS = 55


class State(IntEnum):
    """Of a socket."""

    INIT = 1
    OPENED = 2
    LISTENING = 3
    CONNECTING = 4
    CONNECTED = 5
    BROKEN = 6
    CLOSING = 7
    CLOSED = 8
    NONE = 9


_MOST_UNACKNOWLEDGED = 4 * 1024 * 1024
# Longer than a destination that takes nothing is left alone: it is cut as stalled, not as lost.
_PEER_IDLE_MS = 10_000
# MediaMTX says no after up to 4 s, by chance.
CONNECT_MS = 8_000


class Statistics(ctypes.Structure):
    """The part that is read of `CBytePerfMon`.

    `flow_window`: packets for which the peer's buffer has room. `latency_ms`: for how long the peer
    holds packets back, as both have agreed. `mss`: 1500, by which a test knows
    that the fields are where the library has them.
    """

    _fields_ = (
        *(("_times", ctypes.c_int64 * 3), ("_counts", ctypes.c_int * 7)),
        *(("_busy", ctypes.c_int64), ("_drops", ctypes.c_int * 3)),
        *(("_bytes", ctypes.c_uint64 * 7), ("_local", ctypes.c_int64 * 2)),
        *(("_losses", ctypes.c_int * 8), ("_rates", ctypes.c_double * 2)),
        *(("_sending", ctypes.c_int64), ("_reordered", ctypes.c_int)),
        *(("_belated", ctypes.c_double), ("_late", ctypes.c_int64)),
        *(("_dropped", ctypes.c_int * 3), ("_since", ctypes.c_uint64 * 7)),
        *(("_period", ctypes.c_double), ("flow_window", ctypes.c_int)),
        *(("_window", ctypes.c_int), ("_flight", ctypes.c_int), ("rtt_ms", ctypes.c_double)),
        *(("_bandwidth", ctypes.c_double), ("_room", ctypes.c_int * 2)),
        *(("_ceiling", ctypes.c_double), ("mss", ctypes.c_int)),
        *(("_buffered", ctypes.c_int * 3), ("latency_ms", ctypes.c_int)),
        ("_rest", ctypes.c_byte * 512),
    )


class SrtSocket:
    """One caller's socket. Every method may be called from one thread only."""

    def __init__(self, address: SrtAddress, connect_ms: int = CONNECT_MS) -> None:
        """Raises MissingPartError without libsrt, and UnreachableError for options it refuses."""
        self._lib = load()
        self._socket = self._lib.srt_create_socket()
        for option, value in (
            *((_Option.SEND_BLOCKS, False), (_Option.RECEIVE_BLOCKS, False)),
            *((_Option.SENDER, 1), (_Option.CONNECT_MS, connect_ms)),
            *((_Option.SEND_BUFFER, _MOST_UNACKNOWLEDGED), (_Option.PEER_IDLE_MS, _PEER_IDLE_MS)),
            # What is to be left out is chosen by whole pictures, before it is handed over.
            (_Option.SEND_DROP_DELAY, -1),
            *((_Option.PEER_LATENCY, address.latency_ms), (_Option.PAYLOAD, address.payload)),
        ):
            self._set(option, _packed(value))
        if stream_id := address.stream_id.get_secret_value():
            self._set(_Option.STREAM_ID, stream_id.encode())
        if passphrase := address.passphrase.get_secret_value():
            self._set(_Option.KEY_BYTES, _packed(address.key_bytes))
            self._set(_Option.PASSPHRASE, passphrase.encode())

    def _set(self, option: _Option, value: bytes) -> None:
        if self._lib.srt_setsockflag(self._socket, int(option), value, len(value)) == _ERROR:
            self.close()
            raise UnreachableError(f"libsrt refuses {option.name.lower()}: {self._error()}")

    def connect(self, family: int, host: str, port: int) -> None:
        """Begin to connect to an address that is none to be looked up."""
        packed = socket_address(family, host, port)
        if self._lib.srt_connect(self._socket, packed, len(packed)) == _ERROR:
            raise UnreachableError(self._error())

    @property
    def state(self) -> State:
        return State(self._lib.srt_getsockstate(self._socket))

    def send(self, data: bytearray, payload: int) -> int:
        """Hand over `data`, `payload` bytes a packet; returns how many bytes were taken: not all if
        there is no room, or no connection, now."""
        send, handle = self._lib.srt_sendmsg2, self._socket
        held = ctypes.c_char.from_buffer(data)  # the packets are taken from where they are
        first = at = ctypes.addressof(held)
        end = first + len(data)
        while at < end and send(handle, at, min(payload, end - at), None) != _ERROR:
            at += payload
        return min(at, end) - first

    def unacknowledged(self) -> int:
        """Bytes that were handed over, and that the peer does not have."""
        blocks, count = ctypes.c_size_t(), ctypes.c_size_t()
        self._lib.srt_getsndbuffer(self._socket, ctypes.byref(blocks), ctypes.byref(count))
        return int(count.value)

    def statistics(self) -> Statistics:
        """How the connection stands; all 0 of one that is not connected."""
        told = Statistics()
        self._lib.srt_bistats(self._socket, ctypes.byref(told), 0, 1)
        return told

    def rejection(self) -> tuple[int, str]:
        """Why a peer refused: its code, and libsrt's words for it."""
        code = int(self._lib.srt_getrejectreason(self._socket))
        return code, _words(self._lib, code)

    def close(self) -> None:
        """Close; twice is harmless."""
        if self._socket >= 0:
            self._lib.srt_close(self._socket)
            self._socket = -1

    def _error(self) -> str:
        words: bytes = self._lib.srt_getlasterror_str()
        return words.decode(errors="replace").rstrip(".")


TIMED_OUT = 16
# Of refusals that a server chooses itself (`access_control.h`): HTTP's numbers and 1000.
_CHOSEN = {
    1400: "bad request", 1401: "unauthorized", 1402: "overloaded", 1403: "forbidden",
    1404: "not found", 1405: "it takes no publisher there", 1406: "not acceptable",
    1409: "somebody else publishes there", 1415: "media not supported", 1423: "locked",
    1500: "its own fault", 1503: "not in service", 1507: "no room",
}  # fmt: skip
_WRONG_PASSPHRASE = {10: "wrong passphrase", 11: "one side has a passphrase, the other has none"}


def _words(lib: Any, code: int) -> str:
    known = _CHOSEN.get(code) or _WRONG_PASSPHRASE.get(code)
    if known or code >= 1000:
        return known or ""
    words: bytes = lib.srt_rejectreason_str(code)
    return words.decode(errors="replace").lower()


def available() -> str:
    """The version of libsrt that is here; empty without it."""
    with suppress(MissingPartError):
        number = int(_found().srt_getversion())
        return f"{number >> 16}.{number >> 8 & 0xFF}.{number & 0xFF}"
    return ""


def _found() -> Any:
    for name in _NAMES:
        with suppress(OSError):
            return ctypes.CDLL(name)
    raise MissingPartError(MISSING)


@cache
def load() -> Any:
    """The library, started. Raises MissingPartError without it."""
    lib = _found()
    # It brings a library of ciphers with it: so the role stays as small as without.
    give_back_loading()
    lib.srt_getlasterror_str.restype = ctypes.c_char_p
    lib.srt_rejectreason_str.restype = ctypes.c_char_p
    lib.srt_sendmsg2.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
    lib.srt_startup()
    lib.srt_setloglevel(_ONLY_FATAL)
    return lib


def _packed(value: int) -> bytes:
    return struct.pack("?" if isinstance(value, bool) else "i", value)


def socket_address(family: int, host: str, port: int) -> bytes:
    """`sockaddr_in` or `sockaddr_in6`, as Linux has them."""
    packed = socket.inet_pton(family, host.partition("%")[0])
    before, behind = (b"", bytes(8)) if family == socket.AF_INET else (bytes(4), bytes(4))
    return struct.pack("=H", family) + port.to_bytes(2) + before + packed + behind
