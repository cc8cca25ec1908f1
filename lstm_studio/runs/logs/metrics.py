"""``metrics.csv`` as Lightning's CSVLogger writes it: a row now and then, most cells of it empty.

The file grows at its end; where a new column comes, Lightning writes all of it anew, and it is read anew.
"""

from __future__ import annotations

import csv
import math
import time

from lstm_studio.errors import RunError
from lstm_studio.runs.curves import MOST_NAMES, Curves, Times
from lstm_studio.runs.like import News, Problem
from lstm_studio.runs.logs.logged import Logged
from lstm_studio.runs.places import File, Folder, Opened

METRICS_FILE = "metrics.csv"

_BLOCK = 2**20
_LONGEST_LINE = 2**20
_MOST_PROBLEMS = 1000
_STEP, _EPOCH = "step", "epoch"
_WALLS = ("wall_time", "timestamp", "_timestamp")
"""What a column is called that says when a row was written, in seconds since 1970; Lightning's tables have none."""
_SEEN_BYTES = 64
"""So many bytes before the place where reading stopped are looked at again, to see whether it is the same file."""


class Metrics(Logged):
    """A table of metrics.

    Parameters
    ----------
    place
        The folder in which it lies.
    name
        The file.
    seconds
        To read, about; by default all that is there.

    Raises
    ------
    RunError
        If there is no such table.
    """

    def __init__(self, place: Folder, name: str = METRICS_FILE, seconds: float | None = None) -> None:
        super().__init__(place, "Lightning's metrics.csv" if name == METRICS_FILE else f"The table {name}")
        self._file = place.file(name)
        self._failing = False
        self._begin_anew()
        try:
            with self._file.open() as file:
                first = file.read(0, _LONGEST_LINE)
        except OSError as error:
            raise RunError(f"{self._file.address} cannot be read ({error.strerror or error}).", "Check it.") from error
        # One whose first line is being written at this very moment is waited for.
        if b"\n" in first and not _header(first.partition(b"\n")[0]):
            raise RunError(f"{self._file.address} is no table of metrics.", "Its first line has to name the columns.")
        self.refresh(seconds)
        self._grown = None

    def refresh(self, seconds: float | None = None) -> News:
        """Read what has been added, and return what is new.

        Parameters
        ----------
        seconds
            To stop after, about; then :attr:`behind` says that there is more. By default everything is read.
        """
        until = math.inf if seconds is None else time.monotonic() + seconds
        names: dict[str, None] = {}
        self.behind = False
        try:
            with self._file.open() as file:
                if not self._is_the_same(file):
                    self._begin_anew()
                while not self.behind and self._take(file, names):
                    self.behind = time.monotonic() > until
            self._failing = False
        except OSError as error:
            if not self._failing:
                self._failing = True
                self._tell(f"it cannot be read ({error.strerror or error})")
        return News((), tuple(names), self.status)

    @property
    def lacks(self) -> tuple[str, ...]:
        """What it does not hold, and why."""
        if len(self.times[0]):
            return super().lacks
        return (*super().lacks, "It does not say when its rows were written: by time there is nothing to draw of it.")

    def _files(self) -> list[File]:
        return [self._file]

    def _begin_anew(self) -> None:
        self._offset = self._rows = 0
        self._first = self._before = b""
        self._columns: list[str] = []
        self._scalars, self._times = Curves(), Times()

    def _is_the_same(self, file: Opened) -> bool:
        """Return whether a file begins with what was read of it."""
        before = self._offset - len(self._before)
        return (
            file.size >= self._offset
            and file.read(0, len(self._first)) == self._first
            and file.read(before, len(self._before)) == self._before
        )

    def _take(self, file: Opened, names: dict[str, None]) -> bool:
        """Take the whole lines that come next, and return whether there were any."""
        block = file.read(self._offset, _BLOCK)
        end = block.rfind(b"\n") + 1
        if not end:
            if len(block) >= _LONGEST_LINE:
                self._tell("a line is too long")
                self._offset += len(block)
                return True
            return False
        lines = block[:end].splitlines(keepends=True)
        if not self._columns:
            self._first = lines[0]
            self._columns = _header(lines.pop(0))
        self._offset += end
        self._before = block[max(end - _SEEN_BYTES, 0) : end]
        self._grown = time.monotonic()
        place = self._offset - sum(map(len, lines))
        for line in lines:
            try:
                self._take_row(next(csv.reader([line.decode("utf-8", "replace")])), names)
            except (ValueError, OverflowError, csv.Error) as error:
                self._tell(f"a row makes no sense ({error!s:.200})", place)
            place += len(line)
        return True

    def _take_row(self, cells: list[str], names: dict[str, None]) -> None:
        row = {name: cell for name, cell in zip(self._columns, cells, strict=False) if cell.strip()}
        step = _step(row.get(_STEP, row.get(_EPOCH, "")), self._rows)
        self._rows += 1
        for name, cell in row.items():
            if name == _STEP:
                continue
            try:
                number = float(cell)
            except ValueError:
                # A column of words is no curve.
                continue
            if name in _WALLS:
                self._times.add(step, number)
            else:
                self._scalars.add(name, step, number)
                names[name] = None

    def _tell(self, what: str, offset: int | None = None) -> None:
        if len(self._problems) < _MOST_PROBLEMS:
            place = self._offset if offset is None else offset
            self._problems.append(Problem(self._file.address, place, what))


def _header(line: bytes) -> list[str]:
    """Return the names of the columns; none where these are none."""
    try:
        names = next(csv.reader([line.decode("utf-8-sig")]), [])
    except (UnicodeDecodeError, csv.Error):
        return []
    return names if 0 < len(names) <= MOST_NAMES and "\0" not in "".join(names) else []


def _step(cell: str, row: int) -> int:
    """Return the training step of a row, which is its number where no column says it."""
    if not cell:
        return row
    step = float(cell)
    if not 0 <= step < 2**53 or step != int(step):
        raise ValueError(f"step {cell[:30]}")
    return int(step)
