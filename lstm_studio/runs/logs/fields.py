"""The few fields of TensorBoard's events that are read here, out of their protocol buffers."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

VARINT, DOUBLE, BYTES, FLOAT = 0, 1, 2, 5
"""How the number of a field says that it is written."""

_EVENT_WALL, _EVENT_STEP, _EVENT_SUMMARY = 1, 2, 5
_SUMMARY_VALUE = 1
_VALUE_TAG, _VALUE_NUMBER, _VALUE_HISTOGRAM, _VALUE_TENSOR, _VALUE_ABOUT = 1, 2, 5, 8, 9
_ABOUT_PLUGIN, _PLUGIN_NAME = 1, 1
_LONGEST_TAG = 4096
_MOST_PLUGINS = 10_000
_MOST_TENSOR_NUMBERS = 2**20
# Of a tensor, by the number of its type: how its content is written, and the field that has its numbers otherwise.
_TENSOR_TYPES = {
    1: ("<f4", 5),
    2: ("<f8", 6),
    3: ("<i4", 7),
    9: ("<i8", 10),
    22: ("<u4", 16),
    23: ("<u8", 17),
}


@dataclass(frozen=True, slots=True)
class Histogram:
    """How the numbers of one tensor were spread.

    Parameters
    ----------
    least, greatest, mean, deviation, norm
        Of these numbers; ``norm`` is the square root of the sum of their squares.
    """

    least: float
    greatest: float
    mean: float
    deviation: float
    norm: float


@dataclass(frozen=True, slots=True)
class Value:
    """One value of an event.

    Parameters
    ----------
    tag
        Its name.
    content
        A number, a histogram, or None: something that is neither.
    place
        Where in the event the number lies as four bytes; 0 where it does not.
    """

    tag: str
    content: float | Histogram | None
    place: int = 0


def event_values(event: bytes, plugins: dict[str, str]) -> tuple[int, float, list[Value]]:
    """Return the step of an event, when it was written in seconds since 1970, and its values.

    Parameters
    ----------
    event
        The record.
    plugins
        Tag → what its values are, where a value said so; those that are found are added.

    Raises
    ------
    ValueError
        If it is no event, or one of before the training.
    """
    step, wall, values = 0, 0.0, []
    for number, kind, start, stop in _fields(event, 0, len(event)):
        if number == _EVENT_STEP and kind == VARINT:
            step = _signed(_varint(event, start)[0])
        elif number == _EVENT_WALL and kind == DOUBLE:
            wall = struct.unpack_from("<d", event, start)[0]
        elif number == _EVENT_SUMMARY and kind == BYTES:
            for inner, inner_kind, begin, end in _fields(event, start, stop):
                if inner == _SUMMARY_VALUE and inner_kind == BYTES:
                    values.append(_value(event, begin, end, plugins))
    if step < 0:
        raise ValueError(f"step {step}")
    return step, wall, values


def _value(event: bytes, start: int, stop: int, plugins: dict[str, str]) -> Value:
    parts = {(number, kind): (begin, end) for number, kind, begin, end in _fields(event, start, stop)}
    begin, end = parts.get((_VALUE_TAG, BYTES), (0, 0))
    tag = event[begin : min(end, begin + _LONGEST_TAG)].decode("utf-8", "replace")
    if (_VALUE_ABOUT, BYTES) in parts and len(plugins) < _MOST_PLUGINS:
        plugins.setdefault(tag, _plugin(event, *parts[_VALUE_ABOUT, BYTES]))
    if (_VALUE_NUMBER, FLOAT) in parts:
        place = parts[_VALUE_NUMBER, FLOAT][0]
        return Value(tag, float(struct.unpack_from("<f", event, place)[0]), place)
    if (_VALUE_HISTOGRAM, BYTES) in parts:
        return Value(tag, _histogram(event, *parts[_VALUE_HISTOGRAM, BYTES]))
    if (_VALUE_TENSOR, BYTES) in parts:
        return _of_tensor(tag, event, *parts[_VALUE_TENSOR, BYTES], plugins.get(tag, ""))
    return Value(tag, None)


def _plugin(event: bytes, start: int, stop: int) -> str:
    for number, kind, begin, end in _fields(event, start, stop):
        if number == _ABOUT_PLUGIN and kind == BYTES:
            for inner, inner_kind, first, last in _fields(event, begin, end):
                if inner == _PLUGIN_NAME and inner_kind == BYTES:
                    return event[first : min(last, first + 100)].decode("utf-8", "replace")
    return ""


def _histogram(event: bytes, start: int, stop: int) -> Histogram:
    numbers = dict.fromkeys(range(1, 6), 0.0)
    for number, kind, begin, _ in _fields(event, start, stop):
        if kind == DOUBLE and number in numbers:
            numbers[number] = struct.unpack_from("<d", event, begin)[0]
    least, greatest, count, total, squares = numbers.values()
    if not count > 0:
        raise ValueError("a histogram of nothing")
    mean = total / count
    return Histogram(least, greatest, mean, max(squares / count - mean * mean, 0.0) ** 0.5, max(squares, 0.0) ** 0.5)


def _of_tensor(tag: str, event: bytes, start: int, stop: int, plugin: str) -> Value:
    """Return a single number, or the histogram that rows of left edge, right edge and count are."""
    numbers, place = _numbers(event, start, stop)
    if plugin == "histograms" and numbers.size and numbers.size % 3 == 0:
        left, right, counts = numbers.reshape(-1, 3).T
        count = counts.sum()
        if not count > 0:
            raise ValueError("a histogram of nothing")
        some = counts > 0
        middles = (left + right) / 2
        mean = float((middles * counts).sum() / count)
        squares = float((middles * middles * counts).sum())
        deviation = max(squares / float(count) - mean * mean, 0.0) ** 0.5
        return Value(tag, Histogram(float(left[some][0]), float(right[some][-1]), mean, deviation, squares**0.5))
    if numbers.size == 1 and plugin in {"scalars", ""}:
        return Value(tag, float(numbers[0]), place)
    return Value(tag, None)


def _numbers(event: bytes, start: int, stop: int) -> tuple[NDArray[np.float64], int]:
    """Return the numbers of a tensor, and where they lie if they are one of four bytes with a point."""
    code, content = 0, (0, 0)
    single: dict[int, tuple[int, int, int]] = {}
    for number, kind, begin, end in _fields(event, start, stop):
        if number == 1 and kind == VARINT:
            code = _varint(event, begin)[0]
        elif number == 4 and kind == BYTES:
            content = begin, end
        else:
            single[number] = kind, begin, end
    dtype, field = _TENSOR_TYPES.get(code, ("", 0))
    if not dtype:
        return np.empty(0), 0
    kind, begin, end = (BYTES, *content) if content[1] else single.get(field, (BYTES, 0, 0))
    if end - begin > 8 * _MOST_TENSOR_NUMBERS:
        return np.empty(0), 0
    if not content[1] and dtype[1] in "iu":
        return np.array(list(_integers(event, kind, begin, end)), np.float64), 0
    size = int(dtype[2])
    found = np.frombuffer(event[begin : begin + (end - begin) // size * size], dtype).astype(np.float64)
    return found, begin if dtype == "<f4" and len(found) == 1 else 0


def _integers(event: bytes, kind: int, start: int, stop: int) -> Iterator[int]:
    place = start
    while place < stop or kind == VARINT:
        value, place = _varint(event, place)
        yield _signed(value)
        if kind == VARINT:
            return


def _fields(event: bytes, start: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield of each field its number, how it is written, and where its content begins and ends."""
    place = start
    while place < stop:
        key, place = _varint(event, place)
        kind = key & 7
        if kind == VARINT:
            after = _varint(event, place)[1]
        elif kind == DOUBLE:
            after = place + 8
        elif kind == FLOAT:
            after = place + 4
        elif kind == BYTES:
            length, place = _varint(event, place)
            after = place + length
        else:
            raise ValueError(f"a field of kind {kind}")
        if after > stop:
            raise ValueError("a field is cut short")
        yield key >> 3, kind, place, after
        place = after


def _varint(event: bytes, place: int) -> tuple[int, int]:
    """Return a number that is written seven bits a byte, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(event):
            break
        byte = event[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("a number has no end")


def _signed(value: int) -> int:
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value
