"""From the columns of a table to a set of sequences."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import SequenceError
from lstm_studio.sequences.columns import Column, ColumnInfo, ColumnKind, ColumnRole, recognise_columns
from lstm_studio.sequences.options import ReadOptions, require_memory
from lstm_studio.sequences.sequence import Encoding, Sequence, SequenceSet

_UNIT = re.compile(r"[(\[]\s*([^()\[\]]{1,12}?)\s*[)\]]\s*$")


def assemble(
    columns: tuple[Column, ...],
    options: ReadOptions,
    *,
    source: str,
    name: str,
    matrix: NDArray[np.float32] | None = None,
    facts: tuple[tuple[str, str], ...] = (),
) -> SequenceSet:
    """Build sequences from columns whose roles are recognised, or given by the options.

    Parameters
    ----------
    columns
        Columns of R rows each, R at least 1.
    options
        Corrections of roles, and the symbol limit.
    source
        The file, as messages should call it.
    name
        What a single sequence is called.
    matrix
        (R, M) C-contiguous; the cells of the number columns are its columns in order wherever they are not read
        exactly for another role. Used as it is where the features are all of it, so that nothing is copied.
    facts
        On how the file was read; what was made of the columns is added.

    Raises
    ------
    SequenceError
        A correction cannot be followed, or no input is left.
    """
    infos = recognise_columns(columns, options.columns, symbol_limit=options.symbol_limit, source=source)
    infos = _one_kind_of_target(infos)
    by_role = {
        role: [column for column, info in zip(columns, infos, strict=True) if info.role is role] for role in ColumnRole
    }
    values, names, indicators, encoding = _features(by_role[ColumnRole.FEATURE], matrix, options, source)
    order, bounds, groups = _groups(by_role[ColumnRole.GROUP], len(values))
    label = by_role[ColumnRole.LABEL][0] if by_role[ColumnRole.LABEL] else None
    codes, classes = _codes(label) if label is not None else (None, ())
    numbers = by_role[ColumnRole.TARGET]
    targets = np.stack([column.cells for column in numbers], axis=1).astype(np.float32) if numbers else None
    times, unit = _time(by_role[ColumnRole.TIME][0]) if by_role[ColumnRole.TIME] else (None, "")
    if order is not None:
        values = values[order]
        codes = codes[order] if codes is not None else None
        targets = targets[order] if targets is not None else None
        times = times[order] if times is not None else None
    labels = _labels(codes, classes, bounds)
    sequences = tuple(
        Sequence(
            values=values[start:stop],
            names=names,
            time=None if times is None else times[start:stop],
            target=labels[index] if targets is None else _numbers_target(targets[start:stop]),
            name=groups[index] if groups else name,
            encoding=encoding,
            time_unit=unit,
        )
        for index, (start, stop) in enumerate(pairwise(bounds))
    )
    return SequenceSet(
        sequences=sequences,
        source=source,
        classes=classes,
        facts=(*facts, *_facts(infos, times if len(sequences) == 1 else None)),
        columns=infos,
        indicators=indicators,
    )


def _one_kind_of_target(infos: tuple[ColumnInfo, ...]) -> tuple[ColumnInfo, ...]:
    """Leave the label out where there are target columns: a sequence has one kind of target."""
    if not any(info.role is ColumnRole.TARGET for info in infos):
        return infos
    return tuple(
        replace(info, role=ColumnRole.IGNORE, reason="a label beside a target column")
        if info.role is ColumnRole.LABEL
        else info
        for info in infos
    )


def _features(
    columns: list[Column], matrix: NDArray[np.float32] | None, options: ReadOptions, source: str
) -> tuple[NDArray[np.float32], tuple[str, ...], frozenset[str], Encoding]:
    """Return (R, F) values, names, which of them are indicators, and the encoding."""
    if (
        matrix is not None
        and len(columns) == matrix.shape[1]
        and all(np.shares_memory(column.cells, matrix[:, place]) for place, column in enumerate(columns))
    ):
        return matrix, tuple(column.name for column in columns), frozenset(), Encoding.NUMERIC
    names: list[str] = []
    indicators: set[str] = set()
    widths = [len(column.symbols) if column.kind is ColumnKind.TEXT else 1 for column in columns]
    shape = (len(columns[0].cells), sum(widths))
    require_memory(source, 4 * shape[0] * shape[1], f"{shape[0]:,} rows × {shape[1]} features", options)
    values = np.zeros(shape, np.float32)
    alone = len(columns) == 1 and columns[0].kind is ColumnKind.TEXT
    for column, start in zip(columns, np.cumsum([0, *widths[:-1]]).tolist(), strict=True):
        if column.kind is not ColumnKind.TEXT:
            names.append(column.name)
            values[:, start] = column.cells
            continue
        known = column.cells >= 0
        if not known.all():
            row = int(np.argmin(known))
            raise SequenceError(
                f"{source}: {int((~known).sum()):,} cells of the text column {column.name!r} are empty; the first in "
                f"row {row + 1:,}.",
                "Write a word of its own there, or give the column the role 'ignore' (ReadOptions.columns).",
            )
        values[np.arange(len(values)), start + column.cells.astype(np.int64)] = 1
        symbols = column.symbols if alone else tuple(f"{column.name}={symbol}" for symbol in column.symbols)
        names.extend(symbols)
        indicators.update(symbols)
    return values, tuple(names), frozenset(indicators), Encoding.ONE_HOT if alone else Encoding.NUMERIC


def _groups(columns: list[Column], rows: int) -> tuple[NDArray[np.int64] | None, list[int], list[str]]:
    """Return the order that brings the rows of each group together (None: they are), the bounds, and the names.

    Groups follow one another in the order of their first rows; the rows of a group keep the order of the file.
    """
    if not columns:
        return None, [0, rows], []
    keys = np.stack([np.unique(column.cells, return_inverse=True)[1] for column in columns], axis=1)
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    by_appearance = np.argsort(first, kind="stable")
    rank = np.empty_like(by_appearance)
    rank[by_appearance] = np.arange(len(rank))
    place = rank[inverse.reshape(-1)]
    bounds = [0, *np.cumsum(np.bincount(place)).tolist()]
    names = [" ".join(_cell_name(column, row) for column in columns) for row in first[by_appearance].tolist()]
    if (np.diff(place) >= 0).all():
        return None, bounds, names
    return np.argsort(place, kind="stable"), bounds, names


def _cell_name(column: Column, row: int) -> str:
    cell = column.cells[row]
    if column.kind is ColumnKind.TEXT:
        return column.symbols[int(cell)] if cell >= 0 else "(no name)"
    if column.kind is ColumnKind.DATE:
        return str(np.datetime_as_string(cell, unit="auto"))
    return f"{column.name} {cell:g}" if cell.dtype.kind == "f" else f"{column.name} {cell}"


def _codes(label: Column) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the class index of each row, −1 where it is missing, and the class names."""
    if label.kind is ColumnKind.TEXT:
        return label.cells.astype(np.int64), label.symbols
    distinct, inverse = np.unique(label.cells, return_inverse=True)
    known = ~np.isnan(distinct) if distinct.dtype.kind == "f" else np.ones(len(distinct), bool)
    names = tuple(f"{value:g}" if distinct.dtype.kind == "f" else str(value) for value in distinct[known])
    return np.where(inverse < len(names), inverse, -1).reshape(-1).astype(np.int64), names


def _labels(codes: NDArray[np.int64] | None, classes: tuple[str, ...], bounds: list[int]) -> list[NDArray[Any] | None]:
    """Return one class for each sequence where it never changes within one, else a one-hot target for each step."""
    pairs = list(pairwise(bounds))
    if codes is None:
        return [None] * len(pairs)
    parts = [codes[start:stop] for start, stop in pairs]
    if all((part == part[0]).all() for part in parts):
        return [np.asarray(part[0]) if part[0] >= 0 else None for part in parts]
    one_hot = np.eye(len(classes) + 1, len(classes), dtype=np.float32)
    return [one_hot[part] for part in parts]


def _numbers_target(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return per-step targets, or that of the last step where only that is given."""
    if len(numbers) > 1 and np.isnan(numbers[:-1]).all() and np.isfinite(numbers[-1]).all():
        last: NDArray[np.float32] = numbers[-1]
        return last
    return numbers


def _time(column: Column) -> tuple[NDArray[Any], str]:
    """Return the times, and their unit where the column's name gives one in brackets, as in ``"time [ms]"``."""
    if column.kind is ColumnKind.DATE:
        return column.cells, ""
    named = _UNIT.search(column.name)
    return column.cells.astype(np.float64), named[1] if named else ""


def _facts(infos: tuple[ColumnInfo, ...], times: NDArray[Any] | None) -> list[tuple[str, str]]:
    facts = []
    for role in (ColumnRole.TIME, ColumnRole.GROUP, ColumnRole.LABEL, ColumnRole.TARGET):
        chosen = [info.name for info in infos if info.role is role]
        if chosen:
            facts.append((str(role), ", ".join(chosen)))
    texts = [info.name for info in infos if info.role is ColumnRole.FEATURE and info.kind is ColumnKind.TEXT]
    if texts:
        facts.append(("one-hot", ", ".join(texts)))
    left_out = [f"{info.name} ({info.reason})" for info in infos if info.role is ColumnRole.IGNORE]
    if left_out:
        facts.append(("left out", ", ".join(left_out)))
    if times is not None and len(times) > 1 and times[0] > times[-1]:
        facts.append(("order", "as in the file, from late to early"))
    return facts
