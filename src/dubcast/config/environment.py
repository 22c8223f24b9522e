"""Variables that look like settings and are none: a slip in a name is told, not passed over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches

from pydantic import BaseModel

from dubcast.config.settings import Settings
from dubcast.config.tree import bare, is_section

ENV_PREFIX = "DUBCAST__"
FILE_VARIABLE = "DUBCAST_CONFIG"
HOOK_PREFIX = "DUBCAST_HOOK_"  # what a media server's adapter sets for its hook program
_NAME = "DUBCAST"
_ALIKE = 0.8  # two names of which one is a slip of the other
# What Kubernetes and Docker set for a service that is called dubcast-something.
_LINK_NAME = re.compile(r"_SERVICE_(HOST|PORT\w*)$|_PORT_\d+_(TCP|UDP|SCTP)\w*$")
_LINK_VALUE = re.compile(r"(tcp|udp|sctp)://")


@dataclass(frozen=True)
class Strays:
    """Variables that nothing reads, one line each."""

    slips: tuple[str, ...]  # a setting was meant
    unknown: tuple[str, ...]  # perhaps, or it is somebody else's


def strays(env: Mapping[str, str]) -> Strays:
    """What in `env` looks like a setting and is not read as one. No value is told."""
    slips: list[str] = []
    unknown: list[str] = []
    for name in sorted(env):
        if not _looks_like_ours(name, env[name]):
            continue
        meant, sure = _meant(name)
        near = f"; did you mean {meant}?" if meant else f"; settings begin with {ENV_PREFIX}"
        (slips if sure else unknown).append(f"the variable {name} is not read{near}")
    return Strays(tuple(slips), tuple(unknown))


def _looks_like_ours(name: str, value: str) -> bool:
    if name.startswith((ENV_PREFIX, HOOK_PREFIX)) or name == FILE_VARIABLE:
        return False
    if _LINK_NAME.search(name) or _LINK_VALUE.match(value):
        return False
    head, _, rest = name.upper().partition("_")
    if head == _NAME:
        return True
    section = rest.lstrip("_").partition("__")[0].lower()
    alike = SequenceMatcher(None, head, _NAME).ratio() >= _ALIKE
    return alike and "__" in rest and section in Settings.model_fields


def _meant(name: str) -> tuple[str | None, bool]:
    """The setting's variable that is nearest, and whether no doubt is left that one was meant."""
    rest = name.upper().partition("_")[2].lstrip("_")
    known = {_joined(one): ENV_PREFIX + one for one in _variables(Settings)}
    near = get_close_matches(_joined(rest), known, n=1, cutoff=_ALIKE)
    near += [one for one in known if one.endswith(f"_{_joined(rest)}")]  # without its section
    meant = known[near[0]] if near else None
    return meant, _joined(rest) in known or "__" in rest


def _joined(words: str) -> str:
    return re.sub(r"_+", "_", words)


def _variables(section: type[BaseModel], above: str = "") -> Iterator[str]:
    """The variable of each setting, without the prefix."""
    for name, field in section.model_fields.items():
        kind, variable = bare(field.annotation), above + name.upper()
        if is_section(kind):
            yield from _variables(kind, f"{variable}__")
        else:
            yield variable
