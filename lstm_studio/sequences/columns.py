"""What the columns of a table are for: recognised from names and contents, and corrected by the user."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import SequenceError


class ColumnKind(StrEnum):
    """What the cells of a column hold."""

    NUMBER = "number"
    TEXT = "text"
    DATE = "date"


class ColumnRole(StrEnum):
    """What a column is for."""

    FEATURE = "feature"
    """An input of the network; text becomes one-hot."""
    TIME = "time"
    """The time axis, for display."""
    GROUP = "group"
    """Rows with the same value are one sequence."""
    LABEL = "label"
    """The class of a sequence, or of each step where it changes within a sequence."""
    TARGET = "target"
    """A number to be predicted at each step, or at the last one where only that is given."""
    IGNORE = "ignore"
    """Left out."""


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """What was made of one column.

    Parameters
    ----------
    name
        As the file has it.
    kind
        What the cells hold.
    role
        What it is used for.
    reason
        Why, in a few words, for example ``"named like a time"`` or ``"chosen"``.
    """

    name: str
    kind: ColumnKind
    role: ColumnRole
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table of R rows.

    Parameters
    ----------
    name
        As the file has it.
    kind
        NUMBER: ``cells`` are float32, float64 or int64, missing ones NaN. DATE: datetime64[ns], missing ones NaT.
        TEXT: integer codes into ``symbols``, missing ones −1.
    cells
        (R,) array.
    symbols
        The distinct texts in ascending order; empty for numbers and dates.
    """

    name: str
    kind: ColumnKind
    cells: NDArray[Any]
    symbols: tuple[str, ...] = ()


_TIME = re.compile(
    r"t|ts|ds|time|times|timestamp|date|datetime|day|week|month|quarter|year|hour|minute|seconds?|secs?|ms|millis|"
    r"milliseconds|micros|microseconds|nanoseconds|epoch|step|steps|frame|tick|index|unnamed:?[ _]*0|"
    r"(time|date|timestamp)[ _\-(\[].*|.*[ _\-](time|date|timestamp)"
)
_GROUP = re.compile(
    r"(group|sequence|seq|series|subject|sample|trial|case|session|episode|patient|recording|trajectory|user|id|uid|"
    r"track|stroke|unit)s?([ _\-]?(id|no|nr|number|name|index))?"
)
_LABEL = re.compile(r"(label|class|category|activity)([ _\-]?(id|name|index))?|.+[ _\-](label|class)")
_TARGET = re.compile(r"(target|y|output)s?([ _\-]?\d+)?|(target|y)[ _\-].+|.+[ _\-]target")


def named_for_a_role(name: str) -> bool:
    """Return whether the name hints at a role other than an input, so that the cells should be read exactly."""
    plain = name.strip().lower()
    return any(pattern.fullmatch(plain) for pattern in (_TIME, _GROUP, _LABEL, _TARGET))


def recognise_columns(
    columns: tuple[Column, ...], corrections: Mapping[str, ColumnRole], *, symbol_limit: int, source: str
) -> tuple[ColumnInfo, ...]:
    """Decide what each column is for.

    The user's corrections come first. Then: a group is named like one and repeats its values; a label and a target are
    named like one (``y`` is a coordinate, not a target, beside a ``z``); the time is the first column of dates, or a
    column that is named like a time and never falls within a group. Text with more than ``symbol_limit`` symbols is
    left out. Everything else is a feature.

    Parameters
    ----------
    columns
        At least one, all with the same number of rows.
    corrections
        Column name → role.
    symbol_limit
        The most symbols of a one-hot code.
    source
        The file, as messages should call it.

    Returns
    -------
    tuple of ColumnInfo
        One for each column, in order.

    Raises
    ------
    SequenceError
        A correction names a column that is not there, or cannot be followed; or no column is left to be an input.
    """
    names = [column.name for column in columns]
    unknown = [name for name in corrections if name not in names]
    if unknown:
        raise SequenceError(
            f"{source} has no column {unknown[0]!r}; its columns are {', '.join(map(repr, names[:12]))}.",
            "Give roles to columns that are there.",
        )
    found = _Recognition(columns)
    for column in columns:
        if column.name in corrections:
            role = ColumnRole(corrections[column.name])
            _refuse_impossible(column, role, symbol_limit, source)
            found.settle(column, role, "chosen")
    found.groups()
    found.labels_and_targets()
    found.time()
    found.features(symbol_limit)
    if not found.has(ColumnRole.FEATURE):
        listed = ", ".join(f"{info.name!r} is {info.role} ({info.reason})" for info in found.infos.values())
        raise SequenceError(
            f"{source} has no column left to be an input: {listed}.",
            "Give one of them the role 'feature' (ReadOptions.columns).",
        )
    return tuple(found.infos[name] for name in names)


class _Recognition:
    """The columns and what has been settled about them so far; each rule looks at those that are left."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self.columns = columns
        self.infos: dict[str, ColumnInfo] = {}

    def settle(self, column: Column, role: ColumnRole, reason: str) -> None:
        self.infos[column.name] = ColumnInfo(column.name, column.kind, role, reason)

    def has(self, role: ColumnRole) -> bool:
        return any(info.role is role for info in self.infos.values())

    def left(self, *kinds: ColumnKind) -> list[Column]:
        return [column for column in self.columns if column.name not in self.infos and column.kind in kinds]

    def groups(self) -> None:
        for column in self.left(ColumnKind.NUMBER, ColumnKind.TEXT):
            if not _named(column, _GROUP) or _is_fractional(column):
                continue
            repeats = _repeats(column)
            if repeats and not self.has(ColumnRole.GROUP):
                self.settle(column, ColumnRole.GROUP, "named like a group, and its values repeat")
            elif not repeats and len(column.cells) > 1:
                self.settle(column, ColumnRole.IGNORE, "a different value in every row")

    def labels_and_targets(self) -> None:
        for column in self.left(ColumnKind.NUMBER, ColumnKind.TEXT):
            if _named(column, _LABEL) and not self.has(ColumnRole.LABEL):
                self.settle(column, ColumnRole.LABEL, "named like a label")
        names = {column.name.strip().lower() for column in self.columns}
        for column in self.left(ColumnKind.NUMBER):
            coordinate = column.name.strip().lower() == "y" and "z" in names
            if _named(column, _TARGET) and not coordinate:
                self.settle(column, ColumnRole.TARGET, "named like a target")

    def time(self) -> None:
        if self.has(ColumnRole.TIME):
            return
        for column in self.left(ColumnKind.DATE):
            self.settle(column, ColumnRole.TIME, "dates")
            return
        groups = [
            column
            for column in self.columns
            if column.name in self.infos and self.infos[column.name].role is ColumnRole.GROUP
        ]
        inputs = len(self.left(ColumnKind.NUMBER, ColumnKind.TEXT))
        for column in self.left(ColumnKind.NUMBER):
            if _named(column, _TIME) and inputs > 1 and _never_falls(column, groups):
                self.settle(column, ColumnRole.TIME, "named like a time, and never falls")
                return

    def features(self, symbol_limit: int) -> None:
        for column in self.left(ColumnKind.DATE):
            self.settle(column, ColumnRole.IGNORE, "a second column of dates")
        for column in self.left(ColumnKind.NUMBER):
            if _is_empty(column):
                self.settle(column, ColumnRole.IGNORE, "every cell is empty")
            else:
                self.settle(column, ColumnRole.FEATURE, "numbers")
        for column in self.left(ColumnKind.TEXT):
            count = len(column.symbols)
            if count > symbol_limit:
                self.settle(column, ColumnRole.IGNORE, f"{count:,} different texts, more than {symbol_limit}")
            else:
                self.settle(column, ColumnRole.FEATURE, f"text, one-hot with {count} symbols")


def _refuse_impossible(column: Column, role: ColumnRole, symbol_limit: int, source: str) -> None:
    if role is ColumnRole.FEATURE and column.kind is ColumnKind.DATE:
        raise SequenceError(
            f"{source}, column {column.name!r}: dates cannot be an input.", "Give it the role 'time' or 'ignore'."
        )
    if role is ColumnRole.FEATURE and len(column.symbols) > symbol_limit:
        raise SequenceError(
            f"{source}, column {column.name!r} has {len(column.symbols):,} different texts; one-hot takes at most "
            f"{symbol_limit}.",
            "Give it the role 'ignore', or raise the limit (ReadOptions.symbol_limit).",
        )
    if role is ColumnRole.TARGET and column.kind is not ColumnKind.NUMBER:
        raise SequenceError(
            f"{source}, column {column.name!r}: a target is a number, this is {column.kind}.",
            "Give text the role 'label'.",
        )
    if role is ColumnRole.TIME and column.kind is ColumnKind.TEXT:
        first = column.symbols[0] if column.symbols else ""
        raise SequenceError(
            f"{source}, column {column.name!r}: {first!r} is neither a number nor a date.",
            "Write dates like 2024-01-31 or 2024-01-31 12:00:00.",
        )


def _named(column: Column, pattern: re.Pattern[str]) -> bool:
    return pattern.fullmatch(column.name.strip().lower()) is not None


def _is_fractional(column: Column) -> bool:
    if column.kind is not ColumnKind.NUMBER or column.cells.dtype.kind != "f":
        return False
    known = column.cells[np.isfinite(column.cells)]
    return bool((known != np.floor(known)).any())


def _is_empty(column: Column) -> bool:
    cells = column.cells
    return cells.dtype.kind == "f" and bool(np.isnan(cells[0]) and np.isnan(cells).all())


def _repeats(column: Column) -> bool:
    return len(np.unique(column.cells)) < len(column.cells)


def _never_falls(column: Column, groups: list[Column]) -> bool:
    if not groups:
        cells = column.cells
    else:
        order = np.lexsort([np.arange(len(column.cells)), *(group.cells for group in groups)])
        cells = column.cells[order]
    falls = np.diff(cells) < 0
    if groups:
        for group in groups:
            falls &= np.diff(group.cells[order]) == 0
    return bool(np.isfinite(cells).all() and not falls.any() and cells.size and cells[0] != cells[-1])
