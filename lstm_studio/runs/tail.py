"""Reads a segment as far as it has been written, and goes on where it stopped.

Nothing is believed before its checksum has been verified, and no length before it has been compared with a limit. A
record that is damaged is told of and passed over; one that is not there in full yet is waited for.
"""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

from mcap.opcode import Opcode

from lstm_studio.errors import RunError
from lstm_studio.runs.format import (
    CHUNK_HEAD,
    LARGEST_JSON,
    LARGEST_RECORD,
    LARGEST_SEGMENT,
    MAGIC,
    MESSAGE_HEAD,
    RECORD_HEAD,
    Line,
)
from lstm_studio.runs.like import Problem
from lstm_studio.runs.places import File, LocalFile, Window

_CHUNK = re.compile(rb"\x06(?=.{5}\x00{3}.{28}\x00{4})", re.DOTALL)
"""What a chunk may begin with: its length has zeros at the end, and the name of its compression is empty."""
_WINDOW = 2**20
_MOST_AT_ONCE = 2**24
MOST_PROBLEMS = 1000
"""So many are told of one file; whoever has more knows enough."""
_LARGEST_SEARCH = 2**28
"""So many bytes are checked for chunks after damage; whoever wrote more than that of false ones did it on purpose."""


class Record(NamedTuple):
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
    file
        The segment.
    """

    def __init__(self, file: File | Path) -> None:
        self.file: File = LocalFile(file) if isinstance(file, Path) else file
        self.problems: list[Problem] = []
        self.ended = False
        """Whether there is nothing more to come: it was closed in order, or what follows cannot be read."""
        self.behind = False
        """Whether there was more to read than was asked for."""
        self._offset = self._sure = self._searched = self._expected = self._damages = self._damages_before = 0
        self._left = _LARGEST_SEARCH
        self._failing = False
        self._waited_for, self._told_waiting = "", -1
        self._lines: dict[bytes, tuple[Line, int]] = {}

    def read(self, records: int = 1000) -> list[Record]:
        """Return the next whole records, at most so many, and not many large ones; none where nothing was added."""
        if self.ended:
            return []
        found: list[Record] = []
        try:
            with self.file.open() as file:
                self._read(Window(file), found, records)
            self._failing = False
        except OSError as error:
            # A network may be back at the next look.
            if not self._failing:
                self._failing = True
                self._tell(f"it cannot be read ({error.strerror or error})")
        return found

    def tell_what_is_waited_for(self) -> None:
        """Tell of damage after which nothing has come yet; to be called when nobody is about to write more."""
        if self._waited_for and self._told_waiting != self._offset:
            self._tell(f"{self._waited_for}, and no other follows")
            self._told_waiting = self._offset

    def at(self, offset: int, length: int) -> Record:
        """Return a record that was read before.

        Raises
        ------
        RunError
            If it is no longer there.
        """
        record = None
        try:
            with self.file.open() as file:
                if file.size >= offset + length:
                    record = _verified(memoryview(file.read(offset, length)), offset)
        except OSError:
            record = None
        if record is None:
            raise RunError(f"{self.file.address}, byte {offset}: the record is damaged.", "Look at another step.")
        return record

    def _read(self, file: Window, found: list[Record], records: int) -> None:
        if file.size > LARGEST_SEGMENT or file.size < self._offset:
            words = "larger than any segment" if file.size > LARGEST_SEGMENT else "shorter than it was"
            self._end(f"the file has {file.size} bytes and is {words}")
            return
        start = self._offset
        while not self.ended:
            self.behind = len(found) >= records or self._offset - start > _MOST_AT_ONCE
            if self.behind:
                return
            self._take_usual(file, found, records)
            before = self._offset
            record = self._next(file)
            if record is not None:
                found.append(record)
            if self._offset == before:
                return

    def _take_usual(self, file: Window, found: list[Record], most: int) -> None:
        """Take whole records of known channels, as nearly all are, quickly; what else comes is for :meth:`_next`."""
        block, start = file.around(self._offset)
        view, size, known = memoryview(block), len(block), self._lines
        place = self._offset - start
        while len(found) < most and place + CHUNK_HEAD.size < size:
            opcode, length, _, _, inside, crc, compression, again = CHUNK_HEAD.unpack_from(block, place)
            begin, stop = place + CHUNK_HEAD.size, place + RECORD_HEAD.size + length
            if stop > size or opcode != Opcode.CHUNK or compression or not length - _CHUNK_REST == inside == again:
                return
            end = _introduction(block, begin, stop)
            line = known.get(block[begin:end])
            if line is None or end + MESSAGE_HEAD.size > stop:
                return
            opcode, length, channel, sequence, time_ns, _ = MESSAGE_HEAD.unpack_from(block, end)
            if opcode != Opcode.MESSAGE or channel != line[1] or end + RECORD_HEAD.size + length != stop:
                return
            if zlib.crc32(view[begin:stop]) != crc:
                return
            record = Record(
                line[0], sequence, time_ns, block[end + MESSAGE_HEAD.size : stop], start + place, stop - place
            )
            found.append(record)
            self._count(record)
            place = stop
            self._offset = self._sure = start + stop

    def _next(self, file: Window) -> Record | None:
        """Return the next record; None where what came next is none. Stays where the rest has yet to be written."""
        if self._offset == 0:
            self._begin(file)
            return None
        head = file.at(self._offset, RECORD_HEAD.size)
        if len(head) < RECORD_HEAD.size or head[: len(MAGIC)] == MAGIC:
            # A segment that was closed in order ends as it begins.
            self.ended = head[: len(MAGIC)] == MAGIC
            return None
        opcode, length = RECORD_HEAD.unpack(head)
        size = RECORD_HEAD.size + length
        largest = LARGEST_RECORD if opcode == Opcode.CHUNK else LARGEST_JSON
        if opcode not in _OPCODES or length > largest:
            self._pass_over(file, "this is not how a record begins")
            return None
        if self._offset + size > file.size:
            self._wait(file)
            return None
        chunk = file.at(self._offset, size)
        if len(chunk) < size:
            return None
        if opcode != Opcode.CHUNK and not self._is_chunk(chunk):
            self._offset += size
            return None
        record = _verified(chunk, self._offset)
        if record is None:
            self._pass_over(file, "a record is damaged", self._offset + size)
            return None
        self._learn(bytes(chunk[CHUNK_HEAD.size : CHUNK_HEAD.size + 4 * _LONGEST_NAME]), record)
        self._count(record)
        self._offset += size
        self._sure = self._offset
        return record

    def _learn(self, inside: bytes, record: Record) -> None:
        """Remember how the records of a channel begin, if this is one of the usual ones."""
        end = _introduction(inside, 0, len(inside))
        usual = record.length == CHUNK_HEAD.size + end + MESSAGE_HEAD.size + len(record.payload)
        known = end + MESSAGE_HEAD.size <= len(inside) and len(self._lines) < _MOST_LINES
        if end and usual and known and end <= _LONGEST_INTRODUCTION:
            self._lines[inside[:end]] = record.line, MESSAGE_HEAD.unpack_from(inside, end)[2]

    def _is_chunk(self, record: memoryview) -> bool:
        """Return whether it would be a whole chunk if it were called one: then its name is what is damaged."""
        return _verified(memoryview(bytes([Opcode.CHUNK]) + record[1:]), self._offset) is not None

    def _begin(self, file: Window) -> None:
        begin = file.at(0, len(MAGIC))
        if begin == MAGIC:
            self._offset = self._sure = len(MAGIC)
        elif len(begin) == len(MAGIC):
            self._pass_over(file, "this is not how a segment begins")

    def _count(self, record: Record) -> None:
        """Tell of records that are missing, unless damage was told of since the last one."""
        if record.sequence > self._expected and self._damages == self._damages_before:
            self._tell(f"{record.sequence - self._expected} records before this one are missing")
        self._expected, self._damages_before = record.sequence + 1, self._damages

    def _pass_over(self, file: Window, what: str, beyond: int | None = None) -> None:
        """Tell of damage, and go on with the next record that is whole, or where the damaged one claims to end."""
        if beyond is None and file.size == self._searched:
            return
        found = self._search(file)
        target = found if found is not None else beyond
        if target is None:
            # There may be more to come, which then is searched.
            self._searched = file.size
            if self._left > 0:
                self._waited_for = what
                return
            self._end(f"{what}, and no other follows")
            return
        if self._told_waiting != self._offset:
            self._tell(what)
        self._waited_for = ""
        self._offset = target

    def _wait(self, file: Window) -> None:
        """Wait for the rest of a record; if whole ones follow there is none, and its length is what is damaged."""
        if file.size == self._searched:
            return
        self._searched = file.size
        found = self._search(file)
        if found is not None:
            self._tell("the length of a record is damaged")
            self._offset = found

    def _search(self, file: Window) -> int | None:
        """Return where the next whole chunk begins, from what was verified on: any length after that may be wrong."""
        start = self._sure + 1
        while start < file.size and self._left > 0:
            window = bytes(file.at(start, _WINDOW + CHUNK_HEAD.size))
            self._left -= len(window)
            for match in _CHUNK.finditer(window):
                if match.start() >= _WINDOW:
                    break
                head = window[match.start() : match.start() + CHUNK_HEAD.size]
                # A false one costs as many bytes as it claims to have, and one with none too.
                self._left -= CHUNK_HEAD.size
                length = _plausible(head)
                place = start + match.start()
                if length is None or place + length > file.size:
                    continue
                self._left -= length
                if _verified(file.at(place, length), place) is not None:
                    return place
                if self._left <= 0:
                    return None
            start += _WINDOW
        return None

    def _end(self, what: str) -> None:
        self.ended = True
        self._tell(what)

    def _tell(self, what: str) -> None:
        self._damages += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(self.file.address, self._offset, what))


_OPCODES = frozenset(int(opcode) for opcode in Opcode)


def _plausible(head: bytes | memoryview) -> int | None:
    """Return the length of the chunk that begins with ``head``, or None where it cannot be one."""
    if len(head) < CHUNK_HEAD.size:
        return None
    opcode, length, _, _, unpacked, _, compression, size = CHUNK_HEAD.unpack_from(head)
    inside = length - (CHUNK_HEAD.size - RECORD_HEAD.size)
    fits = opcode == Opcode.CHUNK and compression == 0 and length <= LARGEST_RECORD
    return RECORD_HEAD.size + length if fits and inside == size == unpacked else None


def _verified(chunk: memoryview, offset: int) -> Record | None:
    """Return the record in a chunk, or None where anything about it is wrong."""
    if _plausible(chunk) != len(chunk):
        return None
    inside = chunk[CHUNK_HEAD.size :]
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


def _introduction(block: bytes, begin: int, stop: int) -> int:
    """Return where the schema and the channel end that a chunk begins with; ``begin`` where it does not."""
    place = begin
    for wanted in (Opcode.SCHEMA, Opcode.CHANNEL):
        if place + RECORD_HEAD.size > stop:
            return begin
        opcode, size = RECORD_HEAD.unpack_from(block, place)
        place += RECORD_HEAD.size + size
        if opcode != wanted or size > 2 * _LONGEST_NAME or place > stop:
            return begin
    return place


def _text(body: memoryview, place: int) -> tuple[str, int]:
    """Return a text with its length before it, and where it ends."""
    (length,) = struct.unpack_from("<I", body, place)
    end = place + 4 + length
    if length > _LONGEST_NAME or end > len(body):
        raise struct.error("a name is too long")
    return bytes(body[place + 4 : end]).decode(), end


_LONGEST_NAME = 4096
_MOST_LINES = 1000
_LONGEST_INTRODUCTION = 1024
"""Longer ones are read slowly, and not remembered."""
_CHUNK_REST = CHUNK_HEAD.size - RECORD_HEAD.size
