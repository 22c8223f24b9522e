"""Whether a speech service can serve a stream's policy, by what it says that it offers. Pure."""

from __future__ import annotations

from dubcast.config import StreamSettings
from dubcast.contract.sts import AUTO, LanguagesReply, VoicesReply


def why_not(policy: StreamSettings, languages: LanguagesReply, voices: VoicesReply) -> str:
    """Why the policy cannot be served, with the list of what there is; empty if it can.

    Languages are compared without the region: `pt` is `pt-BR`. The source may be `auto`, where the
    service offers it.
    """
    wanted = (_primary(policy.source_language), _primary(policy.target_language))
    if wanted not in {(_primary(pair.source), _primary(pair.target)) for pair in languages.pairs}:
        known = ", ".join(sorted(f"{pair.source} to {pair.target}" for pair in languages.pairs))
        deaf = wanted[0] == AUTO and all(pair.source != AUTO for pair in languages.pairs)
        why = " (it cannot tell languages)" if deaf else ""
        return (
            f"cannot dub from {policy.source_language!r} to {policy.target_language!r}; "
            f"the service{why} offers: {known}{_to_get(wanted, languages)}"
        )
    names = sorted(one.name for one in voices.voices if _primary(one.language) == wanted[1])
    if policy.voice not in ("default", *names):
        return (
            f"unknown voice {policy.voice!r} for {policy.target_language}; "
            f"there are: {', '.join(['default', *names])}"
        )
    return ""


def _to_get(wanted: tuple[str, str], languages: LanguagesReply) -> str:
    """What gets a direction that it lacks, if that can be had."""
    for one in languages.missing:
        if wanted == (_primary(one.source), _primary(one.target)):
            return f"; where the service runs, `{one.command}` gets this direction"
    return ""


def _primary(language: str) -> str:
    return language.replace("_", "-").partition("-")[0].lower()
