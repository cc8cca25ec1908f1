"""The .ts files of the UEA and UCR time series archive.

Lines that begin with # are comments, with @ are tags; after @data, each line is one series: its dimensions between
colons, the values of each between commas, and the class or the target last.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import SequenceError
from lstm_studio.progress import Progress
from lstm_studio.sequences.options import ReadOptions, require_memory
from lstm_studio.sequences.readers._cells import parse_cells
from lstm_studio.sequences.reading import Head, Match, Reader
from lstm_studio.sequences.sequence import Sequence, SequenceSet

_EVERY = 64  # series between two reports
_TAGS = ("@problemname", "@timestamps", "@dimensions", "@univariate", "@classlabel", "@data")


@dataclass
class _Header:
    """The tags, in lower case without their @, with their words."""

    tags: dict[str, list[str]] = field(default_factory=dict)

    def says(self, tag: str) -> bool:
        return self.tags.get(tag, ["false"])[:1] == ["true"]

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The declared class names, None where series carry no class."""
        words = self.tags.get("classlabel", ["false"])
        return tuple(words[1:]) if words[:1] == ["true"] else None


def _recognise(head: Head) -> Match:
    tags = {line.split()[0].lower() for line in head.lines[:1000] if line.startswith("@")}
    if "@relation" in tags or "@attribute" in tags:
        return Match.NO
    return Match.CERTAIN if len(tags.intersection(_TAGS)) >= 2 else Match.NO


def _read(path: Path, options: ReadOptions, progress: Progress) -> SequenceSet:
    size = path.stat().st_size
    # A value takes about eight characters as text and four bytes as a number; it is float64 while it is read.
    words = require_memory(path.name, 2 * size, "series", options)
    header, done = _Header(), 0
    series: list[tuple[NDArray[np.float64], str]] = []
    in_data = False
    encoding = Head.of(path).encoding or "utf-8"
    with path.open(encoding=encoding, errors="replace") as file:
        for number, raw in enumerate(file, 1):
            line = raw.strip()
            done += len(raw)
            if not line or line.startswith(("#", "%")):
                continue
            if not in_data:
                in_data = _read_tag(line, header, path, number)
                continue
            if len(series) % _EVERY == 0:
                progress(min(done / size, 1.0), words)
            series.append(_read_series(line, header, path, number))
            if series[-1][0].shape[1] != series[0][0].shape[1]:
                raise SequenceError(
                    f"{path}, line {number} has {series[-1][0].shape[1]} channels, the first series has "
                    f"{series[0][0].shape[1]}.",
                    "Give every series the same channels.",
                )
    if not series:
        raise SequenceError(
            f"{path} has a header, but no series after {'@data' if in_data else 'it: @data is missing'}.",
            "Save or download it again.",
        )
    return _build(series, header, path)


def _read_tag(line: str, header: _Header, path: Path, number: int) -> bool:
    """Take in one line of the header; return whether the data begin."""
    if not line.startswith("@") or not line[1:].strip():
        raise SequenceError(
            f"{path}, line {number}: {line[:40]!r} stands before @data and is no tag.", "Begin the series with @data."
        )
    tag, *rest = line[1:].split()
    header.tags[tag.lower()] = [rest[0].lower(), *rest[1:]] if rest else []
    if tag.lower() != "data":
        return False
    if header.says("timestamps"):
        raise SequenceError(
            f"{path} gives a time stamp with every value (@timeStamps true), which is not supported.",
            "Save it without time stamps, or as a table with a time column.",
        )
    return True


def _read_series(line: str, header: _Header, path: Path, number: int) -> tuple[NDArray[np.float64], str]:
    """Return (T, F) values of one line, and its class or target."""
    channels = line.split(":")
    label = ""
    if header.classes is not None or header.says("targetlabel"):
        label = channels.pop().strip()
        if not channels:
            raise SequenceError(
                f"{path}, line {number} has no class or target after a last colon.",
                "Add it, or write @classLabel false.",
            )
    parsed, column = [], 1
    for channel in channels:
        cells = channel.split(",")
        parsed.append(parse_cells(cells, path, number, column))
        column += len(cells)
    lengths = [len(values) for values in parsed]
    if len(set(lengths)) > 1:
        odd = next(index for index, length in enumerate(lengths) if length != lengths[0])
        raise SequenceError(
            f"{path}, line {number}: channel {odd + 1} has {lengths[odd]} values, channel 1 has {lengths[0]}.",
            "Give all channels of a series the same length; write ? where a value is missing.",
        )
    return np.stack(parsed, axis=1), label


def _build(series: list[tuple[NDArray[np.float64], str]], header: _Header, path: Path) -> SequenceSet:
    channels = series[0][0].shape[1]
    names = ("value",) if channels == 1 else tuple(f"channel {index + 1}" for index in range(channels))
    trimmed = [_without_padding(values) for values, _ in series]
    classes: tuple[str, ...] = ()
    targets: list[NDArray[np.generic] | None] = [None] * len(series)
    if header.classes is not None:
        used = {label for _, label in series}
        classes = (*header.classes, *sorted(used.difference(header.classes)))
        targets = [np.asarray(classes.index(label), np.int64) for _, label in series]
    elif header.says("targetlabel"):
        targets = [np.array([_target(label, path)], np.float32) for _, label in series]
    with np.errstate(over="ignore"):
        sequences = tuple(
            Sequence(values.astype(np.float32), names, target=target, name=f"series {index + 1}")
            for index, (values, target) in enumerate(zip(trimmed, targets, strict=True))
        )
    lengths = sorted({len(values) for values in trimmed})
    steps = f"{lengths[0]:,}" if len(lengths) == 1 else f"{lengths[0]:,} to {lengths[-1]:,}"
    facts = [("series", f"{len(series):,}, {steps} steps, {channels} channel{'' if channels == 1 else 's'}")]
    if classes:
        facts.append(("classes", ", ".join(classes)))
    return SequenceSet(sequences, classes=classes, facts=tuple(facts))


def _without_padding(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the series without the steps at its end at which everything is missing: shorter series are filled up."""
    known = np.flatnonzero(~np.isnan(values).all(axis=1))
    return values[: known[-1] + 1] if known.size else values


def _target(label: str, path: Path) -> float:
    try:
        return float(label)
    except ValueError as error:
        raise SequenceError(
            f"{path}: the target {label[:40]!r} is not a number.", "Correct it, or declare classes with @classLabel."
        ) from error


READER = Reader("UEA time series file (.ts)", (".ts",), _recognise, _read)
