"""What `dubcast run` delivered: one closing line, and the exit code that says the same. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from dubcast.contract.worker import AsRunEntry, Outcome

DELIVERED, NOTHING_DELIVERED, NOTHING_DUBBED = 0, 3, 4


@dataclass
class RunResult:
    """Fill it while the stream runs. `lost_for`: why the destination was last lost, if it was."""

    delivered_s: float = 0.0
    spoken: int = 0  # fragments that were to be dubbed
    dubbed: int = 0  # of them, with their dub on air
    left_alone: int = 0  # fragments with words that are right as they are
    lost_for: str = ""

    def fragment(self, entry: AsRunEntry) -> None:
        """A fragment's time has come."""
        self.spoken += entry.to_be_dubbed
        self.left_alone += entry.outcome is Outcome.LEFT_ALONE
        self.dubbed += entry.outcome is Outcome.DUBBED and entry.on_air

    @property
    def exit_code(self) -> int:
        """0, 3 if nothing left, 4 if it left and nothing of what was said was dubbed."""
        if not self.delivered_s:
            return NOTHING_DELIVERED
        return NOTHING_DUBBED if self.spoken and not self.dubbed else DELIVERED

    def line(self, destination: str) -> str:
        """For people; `destination` without its key."""
        if not self.delivered_s:
            why = f": {self.lost_for}" if self.lost_for else ""
            return f"nothing was delivered to {destination}{why}"
        said = "nobody spoke"
        if self.spoken:
            share = round(100 * self.dubbed / self.spoken)
            said = f"{self.dubbed} of {self.spoken} fragments dubbed ({share} %)"
        elif self.left_alone:
            said = "nothing was to be dubbed"
        if self.left_alone:
            said += f", {self.left_alone} left alone"
        return f"delivered {self.delivered_s:.1f} s to {destination}; {said}"
