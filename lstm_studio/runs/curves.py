"""Numbers by name and training step that grow at their end, as arrays that are not made anew at every look.

What is handed out never changes afterwards: what comes later is written behind it, or, where a step comes again, into
another array.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lstm_studio.runs.like import Curve

MOST_NAMES = 10_000
MOST_NUMBERS = 2**25
"""Of all curves of one kind together, 256 MB: a file made to fill the memory has an end."""
_LONGEST_NAME = 4096
_LAST_TIME = 1e11
"""Seconds since 1970; a later time is none."""
_WAITING = 4096
"""So many points are put in place at once."""


class Growing:
    """One curve, or rows of numbers by step.

    Parameters
    ----------
    rows
        Whether there is a row of numbers at each step, and not one number.
    """

    def __init__(self, *, rows: bool = False) -> None:
        shape = (0, 0) if rows else (0,)
        self._steps: NDArray[np.int64] = np.empty(0, np.int64)
        self._values: NDArray[np.float64] = np.empty(shape, np.float64)
        self._count = self._width = 0
        self.waiting_steps: list[int] = []
        self.waiting_values: list[float] = []
        """Points that were added, as long as nobody asks; where a step was there before, the later one counts."""
        self._late: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
        self._late_count = 0

    def __len__(self) -> int:
        """How many points there are; more than that as long as two of one step wait to be put in their place."""
        return self._count + self._late_count + len(self.waiting_steps)

    def extend(self, steps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Add points in any order, or rows of one length; the later of two with one step counts."""
        self.settle()
        self._put(steps, values)

    def curve(self) -> Curve:
        """Return (steps, values) in growing order of the steps; read-only."""
        self.settle()
        self._merge_late()
        steps, values = self._steps[: self._count], self._put_values()
        steps.flags.writeable = values.flags.writeable = False
        return steps, values

    def settle(self) -> None:
        """Put the points that wait where they belong."""
        if self.waiting_steps:
            steps, values = np.array(self.waiting_steps, np.int64), np.array(self.waiting_values, np.float64)
            self.waiting_steps, self.waiting_values = [], []
            self._put(steps, values)

    def _put(self, steps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        if len(steps) == 0:
            return
        behind = not self._late and (self._count == 0 or steps[0] > self._steps[self._count - 1])
        if behind and (steps[1:] > steps[:-1]).all():
            self._append(steps, values)
            return
        # To put each in its place alone would take as long for every one as there are points.
        self._late.append((steps, values))
        self._late_count += len(steps)
        if self._late_count >= max(_WAITING, self._count // 4):
            self._merge_late()

    def _merge_late(self) -> None:
        if not self._late:
            return
        steps, values = self._merged()
        self._late, self._late_count = [], 0
        self._count = self._width = 0
        # Somebody may hold the arrays that were handed out.
        self._steps, self._values = self._steps[:0].copy(), self._values[:0].copy()
        self._append(steps, values)

    def _append(self, steps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        end = self._count + len(steps)
        width = values.shape[1] if values.ndim == 2 else 0
        room, wide = len(self._steps), self._values.shape[1] if values.ndim == 2 else 0
        if end > room or width > wide:
            # Some more than is needed, so that not every point costs a copy of all.
            room = max(end, self._count * 3 // 2, 16) if end > room else room
            self._make_room(room, max(width, wide * 5 // 4) if width > wide else wide)
        self._steps[self._count : end] = steps
        if values.ndim == 2:
            self._values[self._count : end, :width] = values
        else:
            self._values[self._count : end] = values
        self._count, self._width = end, max(width, self._width)

    def _make_room(self, length: int, width: int) -> None:
        """Take larger arrays; what a row lacks of the longest one is NaN."""
        before = self._put_values()
        steps = np.empty(length, np.int64)
        values = np.full((length, width) if before.ndim == 2 else length, np.nan)
        steps[: self._count] = self._steps[: self._count]
        values[tuple(map(slice, before.shape))] = before
        self._steps, self._values = steps, values

    def _put_values(self) -> NDArray[np.float64]:
        """Return the values that are in their place."""
        values = self._values[: self._count]
        return values[:, : self._width] if values.ndim == 2 else values

    def _merged(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return all points in order, of each step the one that was added last."""
        parts = [self._put_values(), *(values for _, values in self._late)]
        if self._values.ndim == 2:
            width = max(part.shape[1] for part in parts)
            parts = [_widened(part, width) for part in parts]
        all_steps = np.concatenate((self._steps[: self._count], *(steps for steps, _ in self._late)))
        all_values = np.concatenate(parts)
        order = np.argsort(all_steps, kind="stable")
        all_steps = all_steps[order]
        is_last = np.append(all_steps[1:] != all_steps[:-1], True)
        return all_steps[is_last], all_values[order[is_last]]


def _widened(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    wide = np.full((len(values), width), np.nan)
    wide[:, : values.shape[1]] = values
    return wide


class Curves(Mapping[str, Curve]):
    """Curves by name; a snapshot of them is taken with ``dict(curves)``."""

    def __init__(self) -> None:
        self._curves: dict[str, Growing] = {}
        self._numbers = 0

    def add(self, name: str, step: int, value: float) -> None:
        """Add one point.

        Raises
        ------
        ValueError
            If there are too many names, or numbers.
        """
        found = self._curves.get(name)
        if found is None or self._numbers >= MOST_NUMBERS:
            found = self._growing(name, 1)
        else:
            self._numbers += 1
        found.waiting_steps.append(step)
        found.waiting_values.append(value)
        if len(found.waiting_steps) >= _WAITING:
            found.settle()

    def extend(self, name: str, steps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Add points.

        Raises
        ------
        ValueError
            If there are too many names, or numbers.
        """
        self._growing(name, len(steps)).extend(steps, values)

    def __getitem__(self, name: str) -> Curve:
        return self._curves[name].curve()

    def __iter__(self) -> Iterator[str]:
        return iter(self._curves)

    def __len__(self) -> int:
        return len(self._curves)

    def _growing(self, name: str, numbers: int) -> Growing:
        found = self._curves.get(name)
        if found is None:
            _check_name(name, self._curves)
            found = self._curves[name] = Growing()
        self._numbers += numbers
        if self._numbers > MOST_NUMBERS:
            raise ValueError(f"more than {MOST_NUMBERS} numbers")
        return found


def _check_name(name: str, known: Mapping[str, Growing]) -> None:
    if len(known) >= MOST_NAMES:
        raise ValueError(f"more than {MOST_NAMES} names")
    if len(name) > _LONGEST_NAME:
        raise ValueError(f"a name of {len(name)} characters")


class Times:
    """When steps were, in seconds since 1970, as far as that is told."""

    def __init__(self) -> None:
        self._curves = Curves()

    def add(self, step: int, wall: float) -> None:
        """Add when a step was; what no clock shows is passed over.

        Raises
        ------
        ValueError
            If there are too many numbers.
        """
        if 0 < wall < _LAST_TIME:
            self._curves.add("", step, wall)

    def extend(self, steps: NDArray[np.int64], walls: NDArray[np.float64]) -> None:
        """Add when several steps were, in any order.

        Raises
        ------
        ValueError
            If there are too many numbers.
        """
        told = (walls > 0) & (walls < _LAST_TIME)
        self._curves.extend("", steps[told], walls[told])

    def curve(self) -> Curve:
        """Return (steps, seconds since 1970); none where nothing was told."""
        return self._curves.get("") or Growing().curve()


class Rows:
    """Rows of numbers by name and step, in which columns lie evenly, and for some further apart than for others."""

    def __init__(self) -> None:
        self._rows: dict[str, Growing] = {}
        self._spacing: dict[str, int] = {}
        self._widths: dict[str, int] = {}
        self._cells: dict[str, int] = {}
        self._all_cells = 0

    def add(self, name: str, step: int, row: Sequence[float] | NDArray[np.float64], spacing: int) -> None:
        """Add one row; where its columns do not lie as those before, all are thinned to the wider of both.

        Raises
        ------
        ValueError
            If there are too many names, or numbers, or the columns of neither are among those of the other.
        """
        found = self._rows.get(name)
        if found is None:
            _check_name(name, self._rows)
            found = Growing(rows=True)
        before = self._spacing.get(name, spacing)
        values = np.asarray(row, np.float64).reshape(1, -1)
        width = self._widths.get(name, 0)
        if spacing < before and before % spacing == 0:
            values = values[:, :: before // spacing]
        elif spacing > before and spacing % before == 0:
            steps, rows = found.curve()
            found = Growing(rows=True)
            found.extend(steps, rows[:, :: spacing // before])
            width, before = -(-width * before // spacing), spacing
        elif spacing != before:
            raise ValueError(f"columns {spacing} apart after columns {before} apart")
        # Every row becomes as wide as the widest one.
        width = max(width, values.shape[1])
        cells = (len(found) + 1) * width
        if self._all_cells - self._cells.get(name, 0) + cells > MOST_NUMBERS:
            # Some may be of one step.
            cells = (len(found.curve()[0]) + 1) * width
        rest = self._all_cells - self._cells.get(name, 0)
        if rest + cells > MOST_NUMBERS:
            raise ValueError(f"more than {MOST_NUMBERS} numbers")
        found.extend(np.array([step], np.int64), values)
        self._rows[name], self._spacing[name], self._widths[name] = found, before, width
        self._cells[name], self._all_cells = cells, rest + cells

    def curves(self) -> dict[str, Curve]:
        """Return name → (steps (N,), rows (N, L))."""
        return {name: rows.curve() for name, rows in self._rows.items()}

    def spacings(self) -> dict[str, int]:
        """Return name → how far its columns lie apart."""
        return dict(self._spacing)
