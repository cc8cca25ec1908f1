"""The part of a training that plots show, in training steps or in seconds since it began."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lstm_studio.ui.numbers import format_count

_ROUND = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_TICKS = (1.0, 2.0, 2.5, 5.0, 10.0)
_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
_AHEAD = 1.04
"""A training that goes on has so much room before it, so that not every step moves the axis."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where the plots begin and end.

    Parameters
    ----------
    first, last
        ``first < last``; positions are training steps or seconds.
    seconds
        Which of the two.
    """

    first: float = 0.0
    last: float = 1.0
    seconds: bool = False

    @property
    def title(self) -> str:
        """What stands beside the axis."""
        return "time" if self.seconds else "step"

    @property
    def titles(self) -> tuple[str, ...]:
        """The same in more words and in few, for as much room as there is."""
        return ("time since the start", "time") if self.seconds else ("training step", "step")

    def fraction(self, position: float) -> float:
        """Return 0 at the beginning … 1 at the end."""
        return (position - self.first) / (self.last - self.first)

    def ticks(self, most: int) -> list[float]:
        """Return at most ``most`` round positions, or so."""
        length = self.last - self.first
        least = length / max(1, most)
        if self.seconds and least <= _SECONDS[-1]:
            distance = next(step for step in _SECONDS if step >= least)
        else:
            decade = 10.0 ** math.floor(math.log10(least))
            distance = next(step * decade for step in _TICKS if step * decade >= least * (1 - 1e-9))
        if not self.seconds:
            distance = max(1.0, math.ceil(distance))
        begin = math.ceil(self.first / distance - 1e-9)
        return [index * distance for index in range(begin, math.floor(self.last / distance + 1e-9) + 1)]

    def write(self, position: float) -> str:
        """Write a position: ``2,350`` or ``1:30:05``."""
        return write_seconds(position) if self.seconds else format_count(round(position))


def write_seconds(seconds: float) -> str:
    """Write how long something took: ``0.4 s``, ``12 s``, ``2:05``, ``1:30:00``."""
    if seconds < 10 and seconds != round(seconds):
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def rounded_up(position: float) -> float:
    """Return a round number a little beyond a position, which stays the same for a while as that grows."""
    wanted = max(1.0, position * _AHEAD)
    decade = 10.0 ** math.floor(math.log10(wanted))
    return next(step * decade for step in _ROUND if step * decade >= wanted * (1 - 1e-9))
