"""What plots over the steps of a training show, as plain frozen data: no Qt, NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lstm_studio.networks.signals import Role
from lstm_studio.ui.plots.log_axis import LogAxis

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Line:
    """One curve.

    Parameters
    ----------
    name
        What a screen reader and the tool tip call it.
    x, y
        (N,) positions in growing order, and values; what is not finite is left out and marked at the upper edge.
    colour
        ``"#RRGGBB"``.
    width
        Pixels.
    dash
        Lengths of dashes and gaps in pixels; none for a solid line.
    label
        What stands at its end; empty for nothing.
    label_colour
        Of that; by default the colour of the line.
    badge
        Letter in a box at the end instead; filled where ``label`` is not empty.
    squares
        Whether it has square markers.
    faint
        Whether it is drawn behind the others only to show how far these are from it: without marks and words.
    """

    name: str
    x: Array
    y: Array
    colour: str
    width: float = 1.0
    dash: tuple[float, ...] = ()
    label: str = ""
    label_colour: str = ""
    badge: str = ""
    squares: bool = False
    faint: bool = False

    def nearest(self, position: float) -> int | None:
        """Return the index of the point nearest to a position; None where there is none."""
        return nearest(self.x, position) if len(self.x) else None


@dataclass(frozen=True, eq=False, slots=True)
class Band:
    """A filled range: (N,) positions, and the lowest and highest value at each."""

    x: Array
    low: Array
    high: Array
    colour: str
    opacity: float


@dataclass(frozen=True, slots=True)
class Reference:
    """A level to compare with: chance is dashed, what counts as solved dotted and green."""

    value: float
    text: str
    solved: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """A position at which something happened, and what."""

    position: float
    text: str


@dataclass(frozen=True, slots=True)
class CurvePicture:
    """What a plot of curves shows.

    Parameters
    ----------
    lines
        The last one is drawn on top.
    bands
        Below the lines.
    references
        Levels.
    happenings
        Positions.
    log
        Whether the axis is logarithmic.
    levels
        Lowest and highest value of the axis; None for those of what is shown.
    until
        Position after which nothing is known yet; None for none.
    words
        What is said there.
    summary
        For screen readers.
    """

    lines: tuple[Line, ...] = ()
    bands: tuple[Band, ...] = ()
    references: tuple[Reference, ...] = ()
    happenings: tuple[Happening, ...] = ()
    log: bool = False
    levels: tuple[float, float] | None = None
    until: float | None = None
    words: str = ""
    summary: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class LagPicture:
    """What a heat map of gradients by lag shows.

    Parameters
    ----------
    x
        (N,) positions of the records in growing order.
    norms
        (N, L) at each lag, not negative, not-a-number where a record has fewer.
    spacing
        Time steps between two lags.
    axis
        Range of the colours, where it is shared with another map; None for that of ``norms``.
    until
        Position at which the training ended: so far the last record reaches, but no farther than another one would
        lie; None for as far as it reaches to the other side.
    words
        What is said where nothing is recorded yet.
    summary
        For screen readers.
    """

    x: Array
    norms: Array
    spacing: int = 1
    axis: LogAxis | None = None
    until: float | None = None
    words: str = ""
    summary: str = ""

    @property
    def lags(self) -> int:
        """L."""
        return int(self.norms.shape[1])

    def reach(self, index: int) -> tuple[float, float]:
        """Return the positions for which a record stands: halfway to its neighbours."""
        x = self.x
        left = float(x[index] - x[index - 1]) / 2 if index > 0 else None
        right = float(x[index + 1] - x[index]) / 2 if index + 1 < len(x) else None
        before = left if left is not None else right if right is not None else 0.5
        position = float(x[index])
        if right is None and self.until is not None:
            return position - before, max(position, min(position + 2 * before, self.until))
        return position - before, position + (before if right is None else right)

    @property
    def end(self) -> float | None:
        """Where the last record ends; None where there is none."""
        return self.reach(len(self.x) - 1)[1] if len(self.x) else None

    def record_at(self, position: float) -> int | None:
        """Return the index of the record that stands for a position; None for none."""
        if not len(self.x):
            return None
        index = nearest(self.x, position)
        first, last = self.reach(index)
        return index if first <= position <= last else None


@dataclass(frozen=True, eq=False, slots=True)
class PlotRow:
    """One of several plots below each other, with its label.

    Parameters
    ----------
    key
        Identifies the row between two pictures.
    title, note, third
        The label: title, rich text below it, and its last line.
    badge, role
        Letter and colour of the badge.
    picture
        What is drawn.
    weight
        Share of the height.
    """

    key: str
    title: str
    note: str
    third: str
    badge: str
    role: Role
    picture: CurvePicture | LagPicture
    weight: float = 1.0


Picture: TypeAlias = CurvePicture | LagPicture


def nearest(positions: NDArray[np.float64], position: float) -> int:
    """Return the index of the position nearest to another one; 0 where there is none."""
    if not len(positions):
        return 0
    right = int(np.searchsorted(positions, position))
    if right == 0:
        return 0
    if right == len(positions) or position - positions[right - 1] <= positions[right] - position:
        return right - 1
    return right


def looks_same(one: Picture, other: Picture) -> bool:
    """Return whether two pictures show the same."""
    if isinstance(one, CurvePicture) and isinstance(other, CurvePicture):
        plain = replace(one, lines=(), bands=()) == replace(other, lines=(), bands=())
        return plain and _same(one.lines, other.lines) and _same(one.bands, other.bands)
    if isinstance(one, LagPicture) and isinstance(other, LagPicture):
        return _same((one,), (other,))
    return False


def grown_since(before: CurvePicture, now: CurvePicture) -> float | None:
    """Return the position up to which two pictures show the same, where the later one has points added at ends only.

    Labels at the ends may be others. None where more is different.
    """
    bare, other = (replace(one, lines=(), bands=(), until=None, summary="") for one in (before, now))
    if bare != other or (before.until is None) != (now.until is None):
        return None
    if (len(before.lines), len(before.bands)) != (len(now.lines), len(now.bands)):
        return None
    ones: tuple[Line | Band, ...] = (*before.lines, *before.bands)
    others: tuple[Line | Band, ...] = (*now.lines, *now.bands)
    ends = [] if before.until is None else [before.until]
    for one, grown in zip(ones, others, strict=True):
        if not _has_grown(one, grown):
            return None
        ends.append(float(one.x[-1]))
    return min(ends, default=None)


def _has_grown(one: Line | Band, other: Line | Band) -> bool:
    """Return whether a curve is another one with points added at its end, and perhaps another label."""
    count = len(one.x)
    if not 0 < count <= len(other.x):
        return False
    for field in fields(one):
        this, that = getattr(one, field.name), getattr(other, field.name)
        if isinstance(this, np.ndarray):
            if not _same_values(this, that[:count]):
                return False
        elif this != that and field.name != "label":
            return False
    return True


def goes_on(before: LagPicture, now: LagPicture) -> bool:
    """Return whether a heat map is as one that was there before, with records added at its end and nothing else."""
    count = len(before.x)
    return (
        0 < count <= len(now.x)
        and (before.spacing, before.words) == (now.spacing, now.words)
        and before.norms.shape[1] == now.norms.shape[1]
        and _same_values(before.x, now.x[:count])
        and _same_values(before.norms, now.norms[:count])
    )


def same_lines(before: Sequence[Line], now: Sequence[Line]) -> int:
    """Return how many lines are the same, from the first one on."""
    pairs = zip(before, now, strict=False)
    differs = (place for place, (one, other) in enumerate(pairs) if not _same((one,), (other,)))
    return next(differs, min(len(before), len(now)))


def _same(ones: Sequence[Line | Band | LagPicture], others: Sequence[Line | Band | LagPicture]) -> bool:
    if len(ones) != len(others):
        return False
    for one, other in zip(ones, others, strict=True):
        for field in fields(one):
            this, that = getattr(one, field.name), getattr(other, field.name)
            if isinstance(this, np.ndarray):
                if not _same_values(this, that):
                    return False
            elif this != that:
                return False
    return True


def _same_values(one: Array, other: Array) -> bool:
    """Return whether two arrays hold the same, at no cost where they are views of as much of one array."""
    if one is other:
        return True
    if one.shape != other.shape:
        return False
    same_place = one.__array_interface__["data"][0] == other.__array_interface__["data"][0]
    return (same_place and one.strides == other.strides) or np.array_equal(one, other, equal_nan=True)
