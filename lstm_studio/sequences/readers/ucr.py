"""The .tsv and .txt files of the UCR archive: one series a line, its class first, no header.

Series that are shorter than the longest are filled up with NaN at their end.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import SequenceError
from lstm_studio.progress import Progress
from lstm_studio.sequences.options import ReadOptions, require_memory
from lstm_studio.sequences.readers._cells import parse_cells
from lstm_studio.sequences.reading import Head, Match, Reader
from lstm_studio.sequences.sequence import Sequence, SequenceSet

_FEWEST_STEPS = 8
_LOOKED_AT = 50  # lines
_EVERY = 64  # series between two reports
_ARCHIVE_NAME = re.compile(r".*_(TRAIN|TEST)", re.IGNORECASE)


def _recognise(head: Head) -> Match:
    """Tell such a file from an ordinary table of numbers: long lines without a header, whose first cells are classes.

    Classes are whole numbers that repeat, where the first column of an ordinary table counts, or measures something.
    """
    lines = head.lines[:_LOOKED_AT]
    if not lines or head.suffix == ".csv":
        return Match.NO
    separator = _separator(lines[0])
    rows = [_split(line, separator) for line in lines]
    if len({len(row) for row in rows}) > 1 or len(rows[0]) <= _FEWEST_STEPS:
        return Match.NO
    try:
        numbers = np.array([list(map(float, row)) for row in rows])
    except ValueError:
        return Match.NO
    labels = numbers[:, 0]
    if not np.isfinite(labels).all() or (labels != np.floor(labels)).any():
        return Match.NO
    named = _ARCHIVE_NAME.fullmatch(head.path.stem) is not None
    repeats = len(np.unique(labels)) <= max(1, len(labels) // 2)
    rest_is_whole = (numbers[:, 1:] == np.floor(numbers[:, 1:])).all()
    # A table whose every cell is a whole number, and whose first column happens to repeat, stays a table.
    return Match.TYPICAL if named or (len(rows) > 1 and repeats and not rest_is_whole) else Match.NO


def _read(path: Path, options: ReadOptions, progress: Progress) -> SequenceSet:
    size = path.stat().st_size
    words = require_memory(path.name, 2 * size, "series", options)
    labels: list[float] = []
    series: list[NDArray[np.float32]] = []
    done, width = 0, 0
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            done += len(line)
            if not line.strip():
                continue
            cells = _split(line, _separator(line))
            width = width or len(cells)
            if len(cells) != width:
                raise SequenceError(
                    f"{path}, line {number} has {len(cells)} cells, the first line has {width}.",
                    "Fill shorter series up with NaN at their end.",
                )
            if len(series) % _EVERY == 0:
                progress(min(done / size, 1.0), words)
            numbers = parse_cells(cells, path, number)
            if not np.isfinite(numbers[0]):
                raise SequenceError(f"{path}, line {number} has no class in its first cell.", "Write one there.")
            known = np.flatnonzero(~np.isnan(numbers[1:]))
            labels.append(float(numbers[0]))
            with np.errstate(over="ignore"):
                series.append(numbers[1 : known[-1] + 2 if known.size else None].astype(np.float32)[:, None])
    distinct, codes = np.unique(labels, return_inverse=True)
    classes = tuple(f"{label:g}" for label in distinct)
    sequences = tuple(
        Sequence(values, ("value",), target=np.asarray(code, np.int64), name=f"series {index + 1}")
        for index, (values, code) in enumerate(zip(series, codes.tolist(), strict=True))
    )
    lengths = sorted({len(values) for values in series})
    steps = f"{lengths[0]:,}" if len(lengths) == 1 else f"{lengths[0]:,} to {lengths[-1]:,}"
    facts = (("series", f"{len(series):,}, {steps} steps"), ("classes", ", ".join(classes) + " (first column)"))
    return SequenceSet(sequences, classes=classes, facts=facts)


def _separator(line: str) -> str | None:
    return "\t" if "\t" in line else "," if "," in line else None


def _split(line: str, separator: str | None) -> list[str]:
    return line.strip().split(separator) if separator != "\t" else line.rstrip("\r\n").split("\t")


READER = Reader("UCR file, class first (.tsv, .txt)", (".tsv", ".txt"), _recognise, _read)
