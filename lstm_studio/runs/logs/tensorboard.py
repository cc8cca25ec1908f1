"""TensorBoard's folders: the numbers and histograms of all event files, up to where they are written now."""

from __future__ import annotations

import math
import time

import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import RunError
from lstm_studio.runs.curves import MOST_NAMES
from lstm_studio.runs.like import News, Problem
from lstm_studio.runs.logs.fields import Histogram, Value, event_values
from lstm_studio.runs.logs.logged import Logged
from lstm_studio.runs.logs.records import Batch, EventFile
from lstm_studio.runs.places import File, Folder

_MARK = "tfevents"
_MOST_FILES = 1000
_MOST_PROBLEMS = 1000
_USUAL = 4096
"""Bytes of a record, at most, that may be one of the usual ones with a single number."""
_WALL, _STEP, _SUMMARY = 0x09, 0x10, 0x2A
"""How the fields of an event begin: its time, its step, its values."""


def is_event_file(name: str) -> bool:
    """Return whether a file is called as TensorBoard calls those it reads."""
    return _MARK in name


class TensorBoard(Logged):
    """A folder of event files, which together are one training.

    Parameters
    ----------
    place
        The folder; folders in it are trainings of their own.
    seconds
        To read, about; by default all that is there.

    Raises
    ------
    RunError
        If there is no event file.
    """

    def __init__(self, place: Folder, seconds: float | None = None) -> None:
        super().__init__(place, "TensorBoard")
        self._known: dict[str, EventFile] = {}
        self._plugins: dict[str, str] = {}
        self._usual: dict[bytes, str] = {}
        self._look()
        if not self._known:
            raise RunError(f"{self.address} has no event file of TensorBoard.", "Name the folder that has one.")
        self.refresh(seconds)
        self._grown = None

    @property
    def lacks(self) -> tuple[str, ...]:
        """What it does not hold, and why."""
        if not self._statistics:
            return (*super().lacks, "It has no histograms, of which there would be means, spreads and norms.")
        return (
            *super().lacks,
            "Its histograms are shown by their mean, spread and norm; which layer is meant it does not say.",
        )

    @property
    def problems(self) -> list[Problem]:
        """What could not be read, and where."""
        found = [*self._problems, *(problem for file in self._known.values() for problem in file.problems)]
        return found[:_MOST_PROBLEMS]

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
        self._look()
        # Their names begin with the time at which they were begun.
        for _, file in sorted(self._known.items()):
            while not self.behind and (batch := file.read()) is not None:
                self._grown = time.monotonic()
                self._take(file, batch, names)
                self.behind = time.monotonic() > until
        return News((), tuple(names), self.status)

    def _files(self) -> list[File]:
        return [file.file for file in self._known.values()]

    def _look(self) -> None:
        """Find files that were not there before."""
        try:
            names = sorted(name for name in self._place.files() if is_event_file(name))
        except OSError as error:
            if not self._problems:
                told = f"the folder cannot be read ({error.strerror or error})"
                self._problems.append(Problem(self.address, 0, told))
            return
        for name in names:
            if name not in self._known and len(self._known) < _MOST_FILES:
                self._known[name] = EventFile(self._place.file(name))

    def _take(self, file: EventFile, batch: Batch, names: dict[str, None]) -> None:
        """Put what records say in its place."""
        block, usual = batch.block, self._usual
        lines: dict[str, tuple[list[int], list[int]]] = {}
        told: list[int] = []
        times: list[int] = []
        for start, length in zip(batch.starts, batch.lengths, strict=True):
            stop = start + length
            # Nearly all records are the name of a number and at the end the number: what is before it, but for time
            # and step, is the same every time.
            if 14 <= length <= _USUAL and block[start] == _WALL:
                place, step = start + 9, 0
                if block[place] == _STEP:
                    place += 1
                    shift = 0
                    while (byte := block[place]) > 127 and shift < 56 and place < stop:
                        step |= (byte & 127) << shift
                        shift += 7
                        place += 1
                    step |= byte << shift
                    place += 1
                known = usual.get(block[place : stop - 4])
                if known is not None:
                    line = lines.get(known)
                    if line is None:
                        line = lines[known] = [], []
                    line[0].append(step)
                    line[1].append(stop - 4)
                    told.append(step)
                    times.append(start + 1)
                    continue
            self._take_any(file, batch, start, stop, names)
        self._take_usual(file, batch, lines, names)
        self._take_times(file, batch, told, times)

    def _take_usual(
        self, file: EventFile, batch: Batch, lines: dict[str, tuple[list[int], list[int]]], names: dict[str, None]
    ) -> None:
        data = np.frombuffer(batch.block, np.uint8)
        for tag, (steps, places) in lines.items():
            try:
                self._scalars.extend(tag, np.array(steps, np.int64), _numbers_at(data, places, "<f4"))
                names[tag] = None
            except (ValueError, OverflowError) as error:
                self._tell(file, batch.offset, f"the values of {tag[:80]!r} make no sense ({error!s:.200})")

    def _take_times(self, file: EventFile, batch: Batch, told: list[int], places: list[int]) -> None:
        """Take when the usual records were written; of several with one step in a row, the last one counts."""
        if not told:
            return
        try:
            steps = np.array(told, np.int64)
            is_last = np.append(steps[1:] != steps[:-1], True)
            walls = _numbers_at(np.frombuffer(batch.block, np.uint8), places, "<f8")
            self._times.extend(steps[is_last], walls[is_last])
        except (ValueError, OverflowError) as error:
            self._tell(file, batch.offset, f"the times of events make no sense ({error!s:.200})")

    def _take_any(self, file: EventFile, batch: Batch, start: int, stop: int, names: dict[str, None]) -> None:
        """Take a record that is not one of the usual ones, or the first of its kind."""
        event = batch.block[start:stop]
        try:
            step, wall, values = event_values(event, self._plugins)
            for value in values:
                self._put(step, value, names)
            if any(value.content is not None for value in values):
                self._times.add(step, wall)
            # So long a name is cut, and would not be the same as another one that begins alike.
            if len(values) == 1 and values[0].place == len(event) - 4 and len(event) <= _USUAL:
                self._learn(event, values[0].tag)
        except (ValueError, OverflowError) as error:
            self._tell(file, batch.offset + start, f"an event makes no sense ({error!s:.200})")

    def _put(self, step: int, value: Value, names: dict[str, None]) -> None:
        content = value.content
        if isinstance(content, Histogram):
            for name in ("mean", "deviation", "least", "greatest"):
                self._statistics.add(f"{value.tag}.{name}", step, getattr(content, name))
            self._parameters.add(f"{value.tag}.norm", step, content.norm)
        elif content is not None:
            self._scalars.add(value.tag, step, content)
            names[value.tag] = None

    def _learn(self, event: bytes, tag: str) -> None:
        """Remember how the records of a tag look between step and number."""
        if len(self._usual) >= MOST_NAMES or event[0] != _WALL:
            return
        place = 9
        if event[place] == _STEP:
            place += 1
            while event[place] > 127:
                place += 1
            place += 1
        if event[place] == _SUMMARY:
            self._usual[event[place:-4]] = tag

    def _tell(self, file: EventFile, offset: int, what: str) -> None:
        if len(self._problems) < _MOST_PROBLEMS:
            self._problems.append(Problem(file.file.address, offset, what))


def _numbers_at(data: NDArray[np.uint8], places: list[int], dtype: str) -> NDArray[np.float64]:
    """Return the numbers that begin at these bytes."""
    rows = np.ascontiguousarray(data[np.array(places)[:, None] + np.arange(np.dtype(dtype).itemsize)])
    return rows.view(dtype)[:, 0].astype(np.float64)
