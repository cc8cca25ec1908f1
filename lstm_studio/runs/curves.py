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
        self._count = 0
        self.waiting_steps: list[int] = []
        self.waiting_values: list[float] = []
        """Points that were added, as long as nobody asks; where a step was there before, the later one counts."""

    def extend(self, steps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Add points in any order, or rows of one length; the later of two with one step counts."""
        self.settle()
        self._put(steps, values)

    def curve(self) -> Curve:
        """Return (steps, values) in growing order of the steps; read-only."""
        self.settle()
        steps, values = self._steps[: self._count], self._values[: self._count]
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
        behind = self._count == 0 or steps[0] > self._steps[self._count - 1]
        if not (behind and (steps[1:] > steps[:-1]).all()):
            steps, values = self._merged(steps, values)
            self._count = 0
            # Somebody may hold the arrays that were handed out.
            self._steps, self._values = self._steps[:0].copy(), self._values[:0].copy()
        end = self._count + len(steps)
        width = values.shape[1:]
        if end > len(self._steps) or width > self._values.shape[1:]:
            self._make_room(max(end, 2 * self._count, 16), width)
        self._steps[self._count : end] = steps
        if width:
            self._values[self._count : end, : width[0]] = values
        else:
            self._values[self._count : end] = values
        self._count = end

    def _make_room(self, length: int, width: tuple[int, ...]) -> None:
        """Take larger arrays; what a row lacks of the longest one is NaN."""
        before = self._values[: self._count]
        width = max(width, before.shape[1:])
        steps = np.empty(length, np.int64)
        values = np.full((length, *width), np.nan)
        steps[: self._count] = self._steps[: self._count]
        if width:
            values[: self._count, : before.shape[1]] = before
        else:
            values[: self._count] = before
        self._steps, self._values = steps, values

    def _merged(
        self, steps: NDArray[np.int64], values: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return all points in order, of each step the one that was added last."""
        old = self._values[: self._count]
        if values.ndim == 2:
            width = max(old.shape[1], values.shape[1])
            old, values = _widened(old, width), _widened(values, width)
        all_steps = np.concatenate((self._steps[: self._count], steps))
        all_values = np.concatenate((old, values))
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
            if len(self._curves) >= MOST_NAMES:
                raise ValueError(f"more than {MOST_NAMES} names")
            found = self._curves[name] = Growing()
        self._numbers += numbers
        if self._numbers > MOST_NUMBERS:
            raise ValueError(f"more than {MOST_NUMBERS} numbers")
        return found


class Rows:
    """Rows of numbers by name and step, in which columns lie evenly, and for some further apart than for others."""

    def __init__(self) -> None:
        self._rows: dict[str, Growing] = {}
        self._spacing: dict[str, int] = {}
        self._cells: dict[str, int] = {}

    def add(self, name: str, step: int, row: Sequence[float] | NDArray[np.float64], spacing: int) -> None:
        """Add one row; where its columns do not lie as those before, all are thinned to the wider of both.

        Raises
        ------
        ValueError
            If there are too many names, or numbers, or the columns of neither are among those of the other.
        """
        found = self._rows.get(name, Growing(rows=True))
        if len(self._rows) >= MOST_NAMES and name not in self._rows:
            raise ValueError(f"more than {MOST_NAMES} names")
        before = self._spacing.get(name, spacing)
        values = np.asarray(row, np.float64).reshape(1, -1)
        if spacing < before and before % spacing == 0:
            values = values[:, :: before // spacing]
        elif spacing > before and spacing % before == 0:
            steps, rows = found.curve()
            found = Growing(rows=True)
            found.extend(steps, rows[:, :: spacing // before])
            before = spacing
        elif spacing != before:
            raise ValueError(f"columns {spacing} apart after columns {before} apart")
        # Every row becomes as wide as the widest one.
        count, width = found.curve()[1].shape
        cells = (count + 1) * max(width, values.shape[1])
        if cells + sum(self._cells.values()) - self._cells.get(name, 0) > MOST_NUMBERS:
            raise ValueError(f"more than {MOST_NUMBERS} numbers")
        found.extend(np.array([step], np.int64), values)
        self._rows[name], self._spacing[name], self._cells[name] = found, before, cells

    def curves(self) -> dict[str, Curve]:
        """Return name → (steps (N,), rows (N, L))."""
        return {name: rows.curve() for name, rows in self._rows.items()}

    def spacings(self) -> dict[str, int]:
        """Return name → how far its columns lie apart."""
        return dict(self._spacing)
