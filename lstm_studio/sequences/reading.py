"""What a reader of one kind of file is, and what it gets to see before it is chosen."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path

from lstm_studio.progress import Progress
from lstm_studio.sequences.options import ReadOptions
from lstm_studio.sequences.sequence import SequenceSet

_HEAD = 262_144
_CONTROLS = frozenset(map(chr, range(32))) - set("\t\n\r\f\v\x1b")


class Match(IntEnum):
    """How well the beginning of a file fits a reader."""

    NO = 0
    POSSIBLE = 1
    """Nothing speaks against it."""
    LIKELY = 2
    """It looks like this kind, though nothing in the format marks it."""
    TYPICAL = 3
    """It has the peculiar shape of this kind, which more general kinds would take as well."""
    CERTAIN = 4
    """It carries the mark of the format."""


@dataclass(frozen=True)
class Head:
    """The beginning of a file, as readers see it when they are asked whether it is theirs.

    Parameters
    ----------
    path
        The file.
    start
        Its first 262,144 bytes, or all of it.
    size
        Bytes in the whole file.
    """

    path: Path
    start: bytes
    size: int

    @classmethod
    def of(cls, path: Path) -> Head:
        """Read the beginning of ``path``."""
        with path.open("rb") as file:
            return cls(path, file.read(_HEAD), path.stat().st_size)

    @property
    def suffix(self) -> str:
        """The suffix in lower case, with its dot."""
        return self.path.suffix.lower()

    @property
    def whole(self) -> bool:
        """Whether ``start`` is the whole file."""
        return len(self.start) == self.size

    @cached_property
    def encoding(self) -> str | None:
        """The encoding of a text, ``"utf-8-sig"`` where a byte order mark says so; None where it is not a text."""
        return detect_encoding(self.start, whole=self.whole)

    @cached_property
    def text(self) -> str | None:
        """The decoded beginning, or None where it is not a text."""
        if self.encoding is None:
            return None
        return codecs.getincrementaldecoder(self.encoding)().decode(self.start, final=False)

    @cached_property
    def lines(self) -> list[str]:
        """The whole lines of the beginning that are not blank; empty where it is not a text."""
        lines = (self.text or "").splitlines()
        if not self.whole and len(lines) > 1:
            lines.pop()
        return [line for line in lines if line.strip()]


@dataclass(frozen=True, slots=True)
class Reader:
    """One kind of file. A module of ``readers/`` that defines ``READER`` is found by itself.

    Parameters
    ----------
    title
        What users call it, with its usual suffixes, for lists of what is supported.
    suffixes
        Usual suffixes, in lower case with their dot.
    recognise
        Tells from the beginning of a file whether it is of this kind. Never raises.
    read
        Reads it; values may still hold NaN and infinities, which are treated afterwards. Raises SequenceError for
        everything else that is wrong with the file, and lets ``Cancelled`` pass after cleaning up.
    of_bytes
        Whether no text is of this kind.
    """

    title: str
    suffixes: tuple[str, ...]
    recognise: Callable[[Head], Match]
    read: Callable[[Path, ReadOptions, Progress], SequenceSet]
    of_bytes: bool = False


def detect_encoding(start: bytes, *, whole: bool) -> str | None:
    """Return the encoding of a text: by its byte order mark, else UTF-8 where it decodes, else by its statistics.

    Parameters
    ----------
    start
        The beginning of a file.
    whole
        Whether that is all of it; otherwise its last character may be cut.

    Returns
    -------
    str or None
        The name of a Python codec; None where the bytes are not a text.
    """
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if start.startswith(mark):
            return name if _is_text(start, name, whole=whole) else None
    if _is_text(start, "utf-8", whole=whole):
        return "utf-8"
    if b"\0" in start:
        return None
    from charset_normalizer import from_bytes

    best = from_bytes(start).best()
    return best.encoding if best is not None and _is_text(start, best.encoding, whole=whole) else None


def _is_text(start: bytes, encoding: str, *, whole: bool) -> bool:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(start, final=whole)
    except UnicodeDecodeError:
        return False
    return _CONTROLS.isdisjoint(text)
