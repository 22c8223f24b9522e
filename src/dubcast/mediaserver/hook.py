"""`dubcast-hook available|unavailable`: the one program that the media server runs.

It reads the MTX_* variables, builds JSON with an encoder, signs it, and posts it: three tries in
two seconds. It exits non-zero if none was taken; the reconciler heals what is lost. Standard
library and settings only, so that it starts fast.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
import uuid
from urllib.parse import unquote_plus, urlsplit

from dubcast.config import HookEnvironment, hook_environment
from dubcast.errors import ConfigError
from dubcast.mediaserver import signature
from dubcast.mediaserver.keys import without_keys
from dubcast.small_http import connection_to

_KINDS = {"available": "ready", "unavailable": "not-ready"}
_WAITS_S = (0.0, 0.4, 0.6)
_TIMEOUT_S = 0.4


def main() -> None:
    """The program: exit code 0 if the event was taken, 1 if not, 2 for bad use."""
    if len(sys.argv) != 2 or sys.argv[1] not in _KINDS:
        sys.stderr.write(f"usage: dubcast-hook {'|'.join(_KINDS)}\n")
        sys.exit(2)
    try:
        environment = hook_environment()
    except ConfigError as error:
        sys.stderr.write(f"dubcast-hook: {error}\n")
        sys.exit(2)
    sys.exit(0 if deliver(environment, _KINDS[sys.argv[1]]) else 1)


def event_body(environment: HookEnvironment) -> bytes:
    """The event as JSON, without the publisher's key.

    MediaMTX escapes the query as a whole since 1.18.1: undone once.
    """
    query = environment.query
    event = {
        "path": environment.path,
        "query": without_keys(unquote_plus(query) if environment.query_escaped else query),
        "sourceType": environment.source_type,
        "sourceId": environment.source_id,
    }
    return json.dumps(event).encode()


def deliver(environment: HookEnvironment, kind: str) -> bool:
    """Post the event until it is taken; False if three tries failed."""
    body = event_body(environment)
    message_id = str(uuid.uuid4())
    reason = ""
    for wait_s in _WAITS_S:
        time.sleep(wait_s)
        try:
            status = _post(environment, kind, message_id, body)
        except (OSError, http.client.HTTPException) as error:
            reason = type(error).__name__
            continue
        if 200 <= status < 300 or status == 409:  # 409: an earlier try arrived after all
            return True
        reason = f"HTTP {status}"
        if status < 500:
            break  # the same event would be refused again
    sys.stderr.write(f"dubcast-hook: {kind} was not taken: {reason}\n")
    return False


def _post(environment: HookEnvironment, kind: str, message_id: str, body: bytes) -> int:
    url = urlsplit(f"{environment.url}/{kind}")
    stamp = int(time.time())  # wall time: the receiver compares it with its own
    secret = environment.secret.get_secret_value()
    headers = {
        "Content-Type": "application/json",
        signature.ID_HEADER: message_id,
        signature.TIMESTAMP_HEADER: str(stamp),
        signature.SIGNATURE_HEADER: signature.sign(secret, message_id, stamp, body),
    }
    connection = connection_to(url, _TIMEOUT_S)
    try:
        connection.request("POST", url.path, body=body, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


if __name__ == "__main__":
    main()
