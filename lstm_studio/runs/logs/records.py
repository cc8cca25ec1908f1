"""The records in one of TensorBoard's event files, to where it ends now, then what is added.

A record is its length, the checksum of the length, its bytes and their checksum. TensorBoard stops for good at the
first byte that is wrong; here a damaged record is told of and passed over, and after a damaged length the next one is
looked for.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_studio.runs.like import Problem
from lstm_studio.runs.logs.crc32c import masked_crc32c
from lstm_studio.runs.places import File, Opened

_BLOCK = 2**22
_LARGEST = 2**26
"""A longer record is a picture or a sound, which nobody asks for here, and is passed over unread."""
_MOST_PROBLEMS = 1000
_SEARCHED = 2**16
_LARGEST_SEARCH = 2**28
"""So many bytes are searched for lengths after damage; whoever wrote more than that of false ones did it on purpose."""
_HEAD = struct.Struct("<Q")
_HEAD_BYTES, _FRAME_BYTES = 12, 16
"""Length and its checksum; and the checksum of the bytes."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that were verified.

    Parameters
    ----------
    block
        Bytes, in which they lie.
    starts, lengths
        Where.
    offset
        Where in the file the block begins.
    """

    block: bytes
    starts: list[int]
    lengths: list[int]
    offset: int


class EventFile:
    """Reads one event file.

    Parameters
    ----------
    file
        Which.
    """

    def __init__(self, file: File) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._offset = self._searched = 0
        self._ended = self._failing = self._found_damage = False
        self._left = _LARGEST_SEARCH

    def read(self) -> Batch | None:
        """Return the next records, at most some MB of them; None where nothing has been added."""
        if self._ended:
            return None
        try:
            with self.file.open() as file:
                if file.size < self._offset:
                    self._ended = True
                    self._tell(f"the file has {file.size} bytes and is shorter than it was")
                    return None
                batch = self._batch(file) if file.size >= self._offset + _FRAME_BYTES else None
                self._failing = False
                return batch
        except OSError as error:
            if not self._failing:
                self._failing = True
                self._tell(f"it cannot be read ({error.strerror or error})")
            return None

    def _batch(self, file: Opened) -> Batch | None:
        block = file.read(self._offset, _BLOCK)
        if len(block) < _FRAME_BYTES:
            return None
        first = self._checked_length(block)
        if first is None:
            return self._resynchronised(file, block)
        if first > _LARGEST:
            self._offset += first + _FRAME_BYTES
            return Batch(b"", [], [], self._offset)
        if first + _FRAME_BYTES > len(block):
            block = file.read(self._offset, first + _FRAME_BYTES)
            if first + _FRAME_BYTES > len(block):
                return None
        starts, lengths = _framed(block)
        return self._verified(block, starts, lengths)

    def _verified(self, block: bytes, starts: list[int], lengths: list[int]) -> Batch:
        """Return the records whose checksums are right, up to the first whose length cannot be believed."""
        data = np.frombuffer(block, np.uint8)
        places, sizes = np.array(starts, np.int64), np.array(lengths, np.int64)
        different, which = np.unique(sizes, return_inverse=True)
        told = _words(data, places - 4)
        right = told == _length_checks(different)[which]
        count = len(starts) if right.all() else int(np.argmin(right))
        offset = self._offset
        self._offset += int(places[count - 1] + sizes[count - 1]) + 4
        places, sizes = places[:count], sizes[:count]
        whole = _words(data, places + sizes) == masked_crc32c(data, places, sizes)
        if whole.all():
            return Batch(block, starts[:count], lengths[:count], offset)
        for place in places[~whole]:
            self._tell("a record is damaged", offset + int(place) - _HEAD_BYTES)
        return Batch(block, places[whole].tolist(), sizes[whole].tolist(), offset)

    def _checked_length(self, block: bytes) -> int | None:
        """Return the length of the record that a block begins with; None where its checksum is wrong."""
        (length,) = _HEAD.unpack_from(block)
        check = int.from_bytes(block[8:12], "little")
        return int(length) if length < 2**62 and check == _length_checks(np.array([length]))[0] else None

    def _resynchronised(self, file: Opened, block: bytes) -> Batch | None:
        """Go on at the next place where a length and its checksum agree."""
        if file.size == self._searched:
            return None
        data = np.frombuffer(block, np.uint8, min(len(block), _SEARCHED))
        starts = np.arange(1, len(data) - _HEAD_BYTES + 1)
        # No record is so long that its length has anything in the upper bytes.
        starts = starts[(data[starts + 7] | data[starts + 6] | data[starts + 5]) == 0]
        agree = masked_crc32c(data, starts, np.full(len(starts), 8)) == _words(data, starts + 8)
        found = starts[agree]
        if not len(found) and self._offset + len(data) >= file.size:
            # There may be more to come, which then is searched.
            self._searched = file.size
            return None
        self._left -= len(data)
        if not self._found_damage:
            self._tell("the length of a record is damaged")
        self._found_damage = not len(found)
        self._offset += int(found[0]) if len(found) else len(data) - _HEAD_BYTES
        if self._left <= 0:
            self._ended = True
            self._tell("there is too much damage to go on")
        return Batch(b"", [], [], self._offset)

    def _tell(self, what: str, offset: int | None = None) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(self.file.address, self._offset if offset is None else offset, what))


def _framed(block: bytes) -> tuple[list[int], list[int]]:
    """Return where the records in a block lie, as their lengths say, which are not verified yet."""
    starts, lengths = [], []
    place, size = 0, len(block)
    unpack = _HEAD.unpack_from
    while place + _FRAME_BYTES <= size:
        (length,) = unpack(block, place)
        after = place + length + _FRAME_BYTES
        if after > size:
            break
        starts.append(place + _HEAD_BYTES)
        lengths.append(length)
        place = after
    return starts, lengths


def _length_checks(lengths: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Return the checksums of lengths as they are written."""
    data = np.ascontiguousarray(lengths, "<i8").view(np.uint8)
    count = len(lengths)
    return masked_crc32c(data, np.arange(0, 8 * count, 8), np.full(count, 8))


def _words(data: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Return the numbers of four bytes, the low one first, that lie at places."""
    return np.ascontiguousarray(data[places[:, None] + np.arange(4)]).view("<u4")[:, 0].astype(np.uint32)
