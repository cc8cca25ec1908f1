"""Named parts in one file, a zip archive: written whole or not at all, and read as far as it is good.

Each part has its own checksum. A file whose table of contents is lost, because it was cut short for example, is
searched for the parts themselves. No part's name is ever used as a path.
"""

from __future__ import annotations

import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lstm_studio.errors import StudioError
from lstm_studio.sequences.options import GIBIBYTE, in_bytes
from lstm_studio.session.writing import cure_for

LIMIT = 4 * GIBIBYTE
"""Bytes that all parts together may have once they are unpacked; a file that declares more is refused."""
MOST_PARTS = 100_000

_NAME = re.compile(r"[a-z0-9][a-z0-9_./-]{0,99}")
_SAMPLE = 1 << 20
"""Bytes that are tried to find out whether packing is worth the time."""
_LOCAL = struct.Struct("<4s5H3I2H")
_SIGNATURE = b"PK\x03\x04"
_STORED, _DEFLATED = 0, 8


class ArchiveError(StudioError):
    """A file of parts could not be written or read."""


@dataclass(frozen=True, eq=False, slots=True)
class Parts:
    """What was read.

    Parameters
    ----------
    contents
        The good parts by name.
    whole
        Whether nothing of the file was found to be damaged.
    """

    contents: Mapping[str, bytes]
    whole: bool


def write_parts(path: Path, parts: Iterable[tuple[str, bytes]]) -> None:
    """Write parts to a file, which is replaced whole or not at all.

    Raises
    ------
    ArchiveError
        If it cannot be written; a file that was there is then as it was.
    """
    path = path.resolve()
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            with unfinished.open("wb") as file:
                _write(file, parts)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise ArchiveError(f"{path} could not be written: {error.strerror or error}.", cure_for(error)) from error


def _write(file: BinaryIO, parts: Iterable[tuple[str, bytes]]) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts:
            if not _NAME.fullmatch(name):
                raise ValueError(f"a part cannot be called {name!r}")
            # A day of its own would make two files of the same session differ.
            archive.writestr(zipfile.ZipInfo(name), content, _packing(content), 1)


def _packing(content: bytes) -> int:
    """Return how to store a part: weights and states hardly shrink, one-hot codes do to a hundredth."""
    start = max(0, len(content) - _SAMPLE) // 2
    sample = content[start : start + _SAMPLE]
    return zipfile.ZIP_DEFLATED if len(zlib.compress(sample, 1)) < 0.7 * len(sample) else zipfile.ZIP_STORED


def read_parts(path: Path, limit: int = LIMIT) -> Parts:
    """Read all parts of a file that are good.

    Raises
    ------
    ArchiveError
        If the file is missing, is none of this kind, or would take more memory than ``limit``.
    """
    try:
        size = path.stat().st_size
        if size > limit:
            raise _too_much(path, size, limit)
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ArchiveError(f"{path} does not exist.", "Check the spelling and the folder.") from error
    except OSError as error:
        raise ArchiveError(
            f"{path} cannot be read: {error.strerror or error}.", "Choose a file that you may read."
        ) from error
    found: dict[str, bytes] = {}
    whole = True
    try:
        # From memory: there, what fails to be read is damaged, and not a disk that has gone.
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            declared = sum(info.file_size for info in infos)
            if declared > limit or len(infos) > MOST_PARTS:
                raise _too_much(path, declared, limit)
            for info in infos:
                content = _content(archive, info)
                if content is None or info.filename in found:
                    whole = False
                else:
                    found[info.filename] = content
    except DAMAGE:
        whole = False
    if not whole:
        for name, content in _searched(data, limit):
            found.setdefault(name, content)
    return Parts(found, whole)


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | None:
    if not _NAME.fullmatch(info.filename):
        return None
    try:
        return archive.read(info)
    except DAMAGE:
        return None


DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, ArithmeticError, OSError, struct.error)
"""What zipfile raises at damaged bytes: also for passwords, methods and disks that no damage means."""


def _searched(data: bytes, limit: int) -> Iterator[tuple[str, bytes]]:
    """Find parts by the header that stands before each, without the table of contents at the end."""
    spent, place = 0, data.find(_SIGNATURE)
    while place >= 0 and spent <= 2 * limit:
        stop, name, content = _part_at(data, place, limit)
        spent += max(stop - place, len(content or b""))
        if content is not None:
            yield name, content
        else:
            # What was no part may hold the beginning of one.
            stop = place + len(_SIGNATURE)
        place = data.find(_SIGNATURE, stop)


def _part_at(data: bytes, place: int, limit: int) -> tuple[int, str, bytes | None]:
    """Return where the part that begins here stops, its name, and its content if it is good."""
    if place + _LOCAL.size > len(data):
        return len(data), "", None
    _, _, flags, method, _, _, crc, packed, size, name_length, extra = _LOCAL.unpack_from(data, place)
    begin = place + _LOCAL.size
    start = begin + name_length + extra
    stop = start + packed
    name = data[begin : begin + min(name_length, 200)].decode("ascii", "replace")
    if flags & 1 or method not in {_STORED, _DEFLATED} or stop > len(data) or size > limit:
        return place, name, None
    if not _NAME.fullmatch(name):
        return place, name, None
    content = data[start:stop]
    if method == _DEFLATED:
        try:
            content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, size + 1)
        except zlib.error:
            return stop, name, None
    good = len(content) == size and zlib.crc32(content) == crc
    return stop, name, content if good else None


def _too_much(path: Path, needed: int, limit: int) -> ArchiveError:
    return ArchiveError(
        f"{path} declares {in_bytes(needed)} of content, more than the {in_bytes(limit)} that are read.",
        "It is damaged, or was not made by LSTM Studio.",
    )
