"""From steps and units to pixels and back: whole device pixels, the same for every row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

_UNIFORM_FROM = 8
"""Device pixels a column from which all columns get the same width …"""
_MOST_UNUSED = 1 / 32
"""… if that leaves no more than this part of the room unused; else widths differ by one device pixel."""


@dataclass(frozen=True)
class TimeScale:
    """Where each step lies on the screen.

    Parameters
    ----------
    left
        Scene coordinate of the plots' left edge, logical pixels, on a device pixel.
    available
        Logical pixels that the plots may take.
    ratio
        Device pixels per logical pixel.
    first, count
        The visible steps: ``first`` … ``first + count − 1``; ``count`` ≥ 1.
    """

    left: float
    available: float
    ratio: float
    first: int
    count: int

    @cached_property
    def pixels(self) -> int:
        """Width of the plots in device pixels."""
        room = max(1, int(self.available * self.ratio))
        column = room // self.count
        uniform = column * self.count
        return uniform if column >= _UNIFORM_FROM and room - uniform <= _MOST_UNUSED * room else room

    @property
    def width(self) -> float:
        """Width of the plots in logical pixels."""
        return self.pixels / self.ratio

    @property
    def right(self) -> float:
        """Scene coordinate of the plots' right edge."""
        return self.left + self.width

    @property
    def column(self) -> float:
        """Logical pixels a step; below 1 / ratio several steps share a pixel."""
        return self.width / self.count

    @property
    def reduced(self) -> bool:
        """Whether several steps share a device pixel."""
        return self.count > self.pixels

    @cached_property
    def edges(self) -> NDArray[np.intp]:
        """(count + 1,) device pixel, from the plots' left edge, at which each visible step begins."""
        return np.arange(self.count + 1, dtype=np.intp) * self.pixels // self.count

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """(pixels,) for a reduced scale: index of the first visible step in each device pixel."""
        return -(-np.arange(self.pixels, dtype=np.intp) * self.count // self.pixels)

    @cached_property
    def centres(self) -> NDArray[np.float64]:
        """(count,) centre of each visible step in device pixels from the plots' left edge."""
        return np.asarray((self.edges[:-1] + np.maximum(self.edges[1:], self.edges[:-1] + 1)) / 2, np.float64)

    def until(self, step: int) -> TimeScale:
        """Return the scale of the visible steps before ``step`` alone, each where it is; itself where those are all."""
        count = step - self.first
        if count >= self.count:
            return self
        part = TimeScale(
            self.left, float(self.edges[max(1, count)]) / self.ratio, self.ratio, self.first, max(1, count)
        )
        pixels = int(self.edges[max(0, count)])
        # As they are here: a scale of its own would round them otherwise.
        known = {"pixels": pixels, "edges": self.edges[: max(0, count) + 1]}
        if self.reduced:
            known["starts"] = self.starts[:pixels]
        part.__dict__.update(known)
        return part

    def contains(self, step: int) -> bool:
        """Whether a step is visible."""
        return self.first <= step < self.first + self.count

    def column_edges(self, step: int) -> tuple[float, float]:
        """Return the scene coordinates between which a visible step lies; never narrower than a device pixel."""
        index = step - self.first
        left, right = int(self.edges[index]), int(self.edges[index + 1])
        return self.left + left / self.ratio, self.left + max(right, left + 1) / self.ratio

    def step_at(self, x: float) -> int:
        """Return the visible step at a scene coordinate, the nearest one outside the plots."""
        pixel = int(np.floor((x - self.left) * self.ratio))
        if pixel < 0:
            return self.first
        index = int(np.searchsorted(self.edges, pixel, side="right")) - 1
        return self.first + min(index, self.count - 1)

    def zoomed(self, about: int, factor: float, steps: int) -> tuple[int, int]:
        """Return (first, count) of a window ``factor`` times as wide that keeps ``about`` where it is."""
        count = min(steps, max(min(4, steps), round(self.count * factor)))
        if factor < 1 and count == self.count:
            count = max(min(4, steps), count - 1)
        elif factor > 1 and count == self.count:
            count = min(steps, count + 1)
        at = (about - self.first) / max(1, self.count - 1)
        return clamp_window(round(about - at * (count - 1)), count, steps)


def clamp_window(first: int, count: int, steps: int) -> tuple[int, int]:
    """Return (first, count) moved and cut so that the window lies within ``steps``."""
    count = max(1, min(count, steps))
    return max(0, min(first, steps - count)), count


def unit_edges(units: int, pixels: int) -> NDArray[np.intp]:
    """Return (units + 1,) device pixels at which each unit begins, unit 0 on top, all within ``pixels``."""
    return np.arange(units + 1, dtype=np.intp) * pixels // units
