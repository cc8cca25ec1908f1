"""Reads a segment as far as it has been written, and goes on where it stopped.

Nothing is believed before its checksum has been verified, and no length before it has been compared with a limit. A
record that is damaged is told of and passed over; one that is not there in full yet is waited for.
"""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from mcap.opcode import Opcode

from lstm_studio.errors import RunError
from lstm_studio.runs.format import (
    CHUNK_HEAD,
    LARGEST_JSON,
    LARGEST_RECORD,
    LARGEST_SEGMENT,
    MAGIC,
    RECORD_HEAD,
    Line,
)
from lstm_studio.runs.like import Problem

_CHUNK = re.compile(rb"\x06(?=.{5}\x00{3}.{28}\x00{4})", re.DOTALL)
"""What a chunk may begin with: its length has zeros at the end, and the name of its compression is empty."""
_WINDOW = 2**20
_LARGEST_SEARCH = 2**28
"""So many bytes are checked for chunks after damage; whoever wrote more than that of false ones did it on purpose."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a segment.

    Parameters
    ----------
    line
        Its channel.
    sequence
        Its number in the segment.
    time_ns
        Since 1970, by the clock of the writer.
    payload
        What was recorded.
    offset, length
        Where its chunk lies in the file.
    """

    line: Line
    sequence: int
    time_ns: int
    payload: bytes
    offset: int
    length: int


class Tail:
    """Reads one segment from its begin to where it ends now, then what is added.

    Parameters
    ----------
    path
        Of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.ended = False
        """Whether there is nothing more to come: it was closed in order, or what follows cannot be read."""
        self._offset = self._searched = self._expected = self._told = 0
        self._left = _LARGEST_SEARCH

    def read(self, records: int = 1000) -> list[Record]:
        """Return the next whole records, at most so many; none where nothing has been added."""
        if self.ended:
            return []
        found: list[Record] = []
        try:
            with opened(self.path) as file:
                size = os.fstat(file.fileno()).st_size
                if size > LARGEST_SEGMENT or size < self._offset:
                    words = "larger than any segment" if size > LARGEST_SEGMENT else "shorter than it was"
                    self._end(f"the file has {size} bytes and is {words}")
                    return []
                while len(found) < records and not self.ended:
                    before = self._offset
                    record = self._next(file, size)
                    if record is not None:
                        found.append(record)
                    if self._offset == before:
                        break
        except OSError as error:
            self._end(f"it cannot be read ({error.strerror or error})")
        return found

    def at(self, offset: int, length: int) -> Record:
        """Return a record that was read before.

        Raises
        ------
        RunError
            If it is no longer there.
        """
        record = None
        try:
            with opened(self.path) as file:
                if os.fstat(file.fileno()).st_size >= offset + length:
                    file.seek(offset)
                    record = _verified(file.read(length), offset)
        except OSError:
            record = None
        if record is None:
            raise RunError(f"{self.path}, byte {offset}: the record is damaged.", "Look at another step.")
        return record

    def _next(self, file: io.BufferedReader, size: int) -> Record | None:
        """Return the next record; None where what came next is none. Stays where the rest has yet to be written."""
        file.seek(self._offset)
        if self._offset == 0:
            self._begin(file, size)
            return None
        head = file.read(RECORD_HEAD.size)
        if len(head) < RECORD_HEAD.size or head.startswith(MAGIC):
            # A segment that was closed in order ends as it begins.
            self.ended = head.startswith(MAGIC)
            return None
        opcode, length = RECORD_HEAD.unpack(head)
        whole = RECORD_HEAD.size + length
        largest = LARGEST_RECORD if opcode == Opcode.CHUNK else LARGEST_JSON
        if opcode not in _OPCODES or length > largest:
            self._pass_over(file, size, "this is not how a record begins")
            return None
        if self._offset + whole > size:
            self._wait(file, size)
            return None
        rest = file.read(length)
        if opcode != Opcode.CHUNK and _verified(bytes([Opcode.CHUNK]) + head[1:] + rest, self._offset) is None:
            self._offset += whole
            return None
        record = _verified(head + rest, self._offset)
        if record is None:
            self._pass_over(file, size, "a record is damaged", self._offset + whole)
            return None
        self._count(record)
        self._offset += whole
        return record

    def _begin(self, file: io.BufferedReader, size: int) -> None:
        begin = file.read(len(MAGIC))
        if begin == MAGIC:
            self._offset = len(MAGIC)
        elif len(begin) == len(MAGIC):
            self._pass_over(file, size, "this is not how a segment begins")

    def _count(self, record: Record) -> None:
        """Tell of records that are missing, unless damage was told of since the last one."""
        if record.sequence > self._expected and len(self.problems) == self._told:
            missing = record.sequence - self._expected
            self.problems.append(
                Problem(str(self.path), self._offset, f"{missing} records before this one are missing")
            )
        self._expected, self._told = record.sequence + 1, len(self.problems)

    def _pass_over(self, file: io.BufferedReader, size: int, what: str, beyond: int | None = None) -> None:
        """Tell of damage, and go on with the next record that is whole, or where the damaged one claims to end."""
        found = self._search(file, self._offset + 1, size)
        target = found if found is not None else beyond
        if target is None:
            if size == self._searched:
                return
            # There may be more to come, which then is searched.
            self._searched = size
            if self._left > 0:
                return
            self._end(f"{what}, and no other follows")
            return
        self.problems.append(Problem(str(self.path), self._offset, what))
        self._offset = target

    def _wait(self, file: io.BufferedReader, size: int) -> None:
        """Wait for the rest of a record; if whole ones follow there is none, and its length is what is damaged."""
        if size == self._searched:
            return
        self._searched = size
        found = self._search(file, self._offset + 1, size)
        if found is not None:
            self.problems.append(Problem(str(self.path), self._offset, "the length of a record is damaged"))
            self._offset = found

    def _search(self, file: io.BufferedReader, start: int, size: int) -> int | None:
        """Return where the next whole chunk begins, from ``start`` on."""
        while start < size and self._left > 0:
            file.seek(start)
            window = file.read(_WINDOW + CHUNK_HEAD.size)
            self._left -= len(window)
            for match in _CHUNK.finditer(window):
                if match.start() >= _WINDOW:
                    break
                head = window[match.start() : match.start() + CHUNK_HEAD.size]
                # A false one costs as many bytes as it claims to have, and one with none too.
                self._left -= CHUNK_HEAD.size
                length = _plausible(head)
                place = start + match.start()
                if length is None or place + length > size:
                    continue
                self._left -= length
                file.seek(place)
                if _verified(file.read(length), place) is not None:
                    return place
                if self._left <= 0:
                    return None
            start += _WINDOW
        return None

    def _end(self, what: str) -> None:
        self.ended = True
        self.problems.append(Problem(str(self.path), self._offset, what))


_OPCODES = frozenset(int(opcode) for opcode in Opcode)


def opened(path: Path) -> io.BufferedReader:
    """Open a file of a run; never what a link leads to, and nothing that is no file: a pipe would wait for ever.

    Raises
    ------
    OSError
        If it is neither, or cannot be opened.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if path.is_symlink():
        raise OSError(f"{path} is a link")
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is not a file")
    return os.fdopen(descriptor, "rb")


def _plausible(head: bytes) -> int | None:
    """Return the length of the chunk that begins with ``head``, or None where it cannot be one."""
    if len(head) < CHUNK_HEAD.size:
        return None
    opcode, length, _, _, unpacked, _, compression, size = CHUNK_HEAD.unpack(head)
    inside = length - (CHUNK_HEAD.size - RECORD_HEAD.size)
    fits = opcode == Opcode.CHUNK and compression == 0 and length <= LARGEST_RECORD
    return RECORD_HEAD.size + length if fits and inside == size == unpacked else None


def _verified(chunk: bytes, offset: int) -> Record | None:
    """Return the record in a chunk, or None where anything about it is wrong."""
    if _plausible(chunk[: CHUNK_HEAD.size]) != len(chunk):
        return None
    inside = memoryview(chunk)[CHUNK_HEAD.size :]
    if zlib.crc32(inside) != CHUNK_HEAD.unpack_from(chunk)[5]:
        return None
    try:
        return _record(inside, offset, len(chunk))
    except (struct.error, UnicodeDecodeError, KeyError):
        return None


def _record(inside: memoryview, offset: int, length: int) -> Record | None:
    schemas: dict[int, str] = {}
    lines: dict[int, Line] = {}
    found = None
    place = 0
    while place < len(inside):
        opcode, size = RECORD_HEAD.unpack_from(inside, place)
        body = inside[place + RECORD_HEAD.size : place + RECORD_HEAD.size + size]
        if len(body) < size:
            return None
        place += RECORD_HEAD.size + size
        if opcode == Opcode.SCHEMA:
            (number,) = struct.unpack_from("<H", body)
            schemas[number] = _text(body, 2)[0]
        elif opcode == Opcode.CHANNEL:
            number, schema = struct.unpack_from("<HH", body)
            lines[number] = Line(_text(body, 4)[0], schemas[schema])
        elif opcode == Opcode.MESSAGE:
            number, sequence, time_ns, _ = struct.unpack_from("<HIQQ", body)
            if found is not None:
                return None
            found = Record(lines[number], sequence, time_ns, bytes(body[22:]), offset, length)
    return found


def _text(body: memoryview, place: int) -> tuple[str, int]:
    """Return a text with its length before it, and where it ends."""
    (length,) = struct.unpack_from("<I", body, place)
    end = place + 4 + length
    if length > _LONGEST_NAME or end > len(body):
        raise struct.error("a name is too long")
    return bytes(body[place + 4 : end]).decode(), end


_LONGEST_NAME = 4096
