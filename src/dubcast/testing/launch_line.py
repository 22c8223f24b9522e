"""Which elements a line of gst-launch names. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ELEMENT = re.compile(r"[A-Za-z][\w-]*")


def elements_of(words: Iterable[str]) -> list[str]:
    """The elements among the words of a pipeline description, in order.

    Not what else may stand there: properties (`name=m`), pads (`m.`), caps (`video/x-raw,...`),
    options, links, and words with `{}`, which something else fills in.
    """
    return [word for word in (w.strip("()") for w in words) if _ELEMENT.fullmatch(word)]
