"""The answer to a server that asks for user and password ("authmod=adobe"). Pure.

A client that is asked connects again, first with its user's name, then with the answer to the
challenge that it was given. The password itself is never sent.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace

from dubcast.rtmp.address import Address

_ASKED = "authmod=adobe"
_PAIR = re.compile(r"(\w+)=([^&\s\]]*)")


def answer(address: Address, words: str, nonce: str) -> Address | None:
    """Where to connect next after a refusal in these `words`; None if there is nothing to say.

    `nonce`: some random text, new for each call.
    """
    if not address.user or _ASKED not in words or "authfailed" in words:
        return None
    # Not decoded as a form's query: a plus sign is part of a salt.
    asked = dict(_PAIR.findall(words.partition("?")[2]))
    known = f"?authmod=adobe&user={address.user}"
    if asked.get("reason") != "needauth":
        return None if address.answer else replace(address, answer=known)
    if "response=" in address.answer:
        return None
    opaque, challenge = asked.get("opaque", ""), asked.get("challenge", "")
    password = address.password.get_secret_value()
    first = _digest(address.user + asked.get("salt", "") + password)
    response = _digest(first + (opaque or challenge) + nonce)
    known += f"&challenge={nonce}&response={response}"
    return replace(address, answer=f"{known}&opaque={opaque}" if opaque else known)


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.md5(text.encode(), usedforsecurity=False).digest()).decode()
