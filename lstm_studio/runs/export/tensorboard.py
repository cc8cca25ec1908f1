"""A run as an event file, which TensorBoard shows: the curves, each a scalar of TensorBoard's.

The records are protocol buffers of a few fields, which need no library: an event has a time (1), a step (2) and a
summary (5), this one value (1) with a tag (1) and a number of four bytes (2).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lstm_studio.runs.export.contents import Contents, Group, Named, untaken
from lstm_studio.runs.logs.crc32c import masked_crc32c
from lstm_studio.runs.logs.fields import BYTES, DOUBLE, FLOAT, VARINT

EVENT_FILE_END = ".lstm-studio"
"""What the names of these files end in; those of others are never replaced."""
_MOST_EVENTS = 10_000
_VERSION = b"brain.Event:2"
_HEAD, _CHECK = struct.Struct("<QI"), struct.Struct("<I")


def event_file_name(contents: Contents) -> str:
    """Return what the file is to be called: as TensorBoard calls its own, with the second in which it begins."""
    walls = contents.times[1]
    return f"events.out.tfevents.{int(walls[0]) if len(walls) else 0:010d}{EVENT_FILE_END}"


def write_events(contents: Contents, path: Path) -> None:
    """Write the curves: scalars under their names, the others below ``statistics/`` and ``parameters/``.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    taken: set[str] = set()
    tags = {
        (group, name): untaken(name if group is Group.SCALARS else f"{group}/{name}", taken)
        for group, name in contents.curve_names
    }
    with path.open("wb") as file:
        first = contents.walls_before(np.zeros(1, np.int64))
        # Without it TensorBoard would take steps that go back, as from curve to curve, for a training begun anew.
        waiting = [_key(1, DOUBLE) + first.astype("<f8").tobytes() + _field(3, _VERSION)]
        for curve in contents.curves():
            for events in _events(contents, tags[curve.group, curve.name].encode(), curve):
                waiting += events
                # Checksums are taken of many at once.
                if len(waiting) >= _MOST_EVENTS:
                    file.write(_framed(waiting))
                    waiting.clear()
                    contents.tell()
        file.write(_framed(waiting))


def _events(contents: Contents, tag: bytes, curve: Named) -> Iterator[list[bytes]]:
    """Yield the events of one curve, some at a time."""
    # Of a value the tag comes first, then the number; what is before the number is the same in all events.
    value_bytes = len(_field(1, tag)) + 5
    value = _key(1, BYTES) + _varint(value_bytes) + _field(1, tag) + _key(2, FLOAT)
    summary = _key(5, BYTES) + _varint(len(value) + 4) + value
    for first in range(0, len(curve.steps), _MOST_EVENTS):
        steps, values = curve.steps[first : first + _MOST_EVENTS], curve.values[first : first + _MOST_EVENTS]
        with np.errstate(over="ignore"):
            numbers = values.astype("<f4").tobytes()
        walls = contents.walls_before(steps).astype("<f8").tobytes()
        yield [
            _key(1, DOUBLE) + walls[8 * place : 8 * place + 8]
            + _key(2, VARINT) + _varint(step)
            + summary + numbers[4 * place : 4 * place + 4]
            for place, step in enumerate(steps.tolist())
        ]  # fmt: skip


def _framed(events: list[bytes]) -> bytes:
    """Return records: length, its checksum, the event, and that of the event."""
    if not events:
        return b""
    lengths = np.array([len(event) for event in events], np.int64)
    heads = np.ascontiguousarray(lengths, "<i8").view(np.uint8)
    head_checks = masked_crc32c(heads, np.arange(0, 8 * len(events), 8), np.full(len(events), 8))
    data = np.frombuffer(b"".join(events), np.uint8)
    checks = masked_crc32c(data, np.cumsum(lengths) - lengths, lengths)
    framed = zip(lengths.tolist(), head_checks.tolist(), events, checks.tolist(), strict=True)
    return b"".join(
        part for length, head, event, check in framed for part in (_HEAD.pack(length, head), event, _CHECK.pack(check))
    )


def _key(number: int, kind: int) -> bytes:
    return bytes([number << 3 | kind])


def _field(number: int, content: bytes) -> bytes:
    return _key(number, BYTES) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    """Return a number seven bits a byte, the low ones first."""
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    written.append(number)
    return bytes(written)
