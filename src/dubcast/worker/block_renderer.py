"""One block of output: the fragments that fall due in it are decided, and it is mixed. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from dubcast.audio.mix import Mixer
from dubcast.audio.normalise import NormalisedMixer
from dubcast.audio.pcm import Int16
from dubcast.audio.store import AudioStore
from dubcast.contract.worker import Outcome
from dubcast.worker.fallback import FallbackPolicy, Mode, bridge
from dubcast.worker.fragment import DECISION_LEAD, LEAST_SPEECH, Fragment
from dubcast.worker.fragments import FragmentBook


@dataclass(frozen=True)
class Replacing:
    """What stands in for the original: the policy without a dub, the span removed around one."""

    fallback: FallbackPolicy
    removed: Callable[[Fragment], tuple[int, int] | None]


class BlockRenderer:
    """Renders blocks in order; positions in samples. Not thread-safe."""

    def __init__(
        self,
        store: AudioStore,
        mixer: Mixer | NormalisedMixer,
        book: FragmentBook,
        replacing: Replacing,
    ) -> None:
        self._store = store
        self._mixer = mixer
        self._book = book
        self._replacing = replacing

    def original(self, start: int, stop: int) -> Int16:
        """[start, stop) as it came, (frames, 2); nothing is decided."""
        return self._store.read(start, stop)

    def render(self, start: int, stop: int) -> tuple[Int16, list[Fragment]]:
        """[start, stop) as it is heard, (frames, 2), and the fragments decided for it."""
        decided = []
        for fragment in self._book.overdue_until(stop):
            self._cover(fragment)
        for fragment in self._book.decide_until(stop):
            if not (fragment.dub or fragment.lacks_dub):
                decided += self._uncover(fragment, start + DECISION_LEAD)
            self._hand_to_mixer(fragment)
            decided.append(fragment)
        original = self._store.read(start, stop + self._mixer.lookahead)
        return self._mixer.render(start, original), decided

    def _hand_to_mixer(self, fragment: Fragment) -> None:
        """Give the mixer what plays of a decided part; nothing where the original is right."""
        if fragment.dub is not None:
            fragment.fallback = ""
            fragment.dub = replace(fragment.dub, removed=self._replacing.removed(fragment))
            self._mixer.accept(fragment.dub)
            self._replacing.fallback.dubbed(fragment.dub)
        elif fragment.lacks_dub and not fragment.fallback:  # of what was overdue it plays already
            self._cover(fragment)

    def _uncover(self, fragment: Fragment, soonest: int) -> list[Fragment]:
        """Let the original of a part, which is right, be heard though something plays over it: it
        was overdue. Returns what is on air of that already."""
        if fragment.fallback in ("", Mode.ORIGINAL):
            return []
        border = max(soonest, fragment.span.start)
        if border > fragment.span.stop - LEAST_SPEECH:
            return []
        self._mixer.uncover(border, fragment.span.stop)
        return fragment.right_from(border)

    def _cover(self, fragment: Fragment) -> None:
        """What plays over the whole of a part that has no dub, or none yet."""
        span = fragment.span
        choice = bridge(span) if fragment.bridged else self._replacing.fallback.choose(span)
        fragment.fallback = choice.mode.value
        if choice.dub is not None:
            self._mixer.accept(choice.dub)
            # Its time is taken: of what is overdue no clause can be dubbed any more.
            self._book.part_failed(fragment, Outcome.LATE, "deadline")
        if choice.cover is not None:
            self._mixer.cover(choice.cover)
