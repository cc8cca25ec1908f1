"""Plain text, one character a step."""

from __future__ import annotations

import codecs
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import SequenceError
from lstm_studio.progress import Progress
from lstm_studio.sequences.options import ReadOptions, TextCode, require_memory
from lstm_studio.sequences.reading import Head, Match, Reader, detect_encoding
from lstm_studio.sequences.sequence import Encoding, Sequence, SequenceSet

_SUFFIXES = (".txt", ".text", ".md")
_UNICODE = ("utf-8", "utf-8-sig", "utf-16")
_ENOUGH = 64  # bytes
_CHUNK = 1 << 20
_BITS = (7, 8, 11, 16, 21)  # ASCII, Latin-1, two bytes of UTF-8, the basic plane, all of Unicode


def _recognise(head: Head) -> Match:
    # The statistics of a few bytes say nothing: only the suffix can make a text of them.
    certain = head.encoding in _UNICODE or len(head.start) >= _ENOUGH or head.suffix in _SUFFIXES
    return Match.POSSIBLE if head.text and certain else Match.NO


def _read(path: Path, options: ReadOptions, progress: Progress) -> SequenceSet:
    text, encoding = _decode(path, options, progress)
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    facts = [("encoding", encoding)]
    if options.text is TextCode.ONE_HOT:
        values, names = _one_hot(points, path, options)
        facts.append(("features", f"one-hot, {len(names)} symbols"))
    else:
        values, names = _bits(points, path, options)
        facts.append(("features", f"the {len(names)} bits of each character's code point"))
    kind = Encoding.ONE_HOT if options.text is TextCode.ONE_HOT else Encoding.NUMERIC
    sequence = Sequence(values, names, name=path.name, encoding=kind)
    return SequenceSet((sequence,), facts=tuple(facts), indicators=frozenset(names))


def _decode(path: Path, options: ReadOptions, progress: Progress) -> tuple[str, str]:
    """Return the whole text with Unix line ends, and the name of its encoding."""
    size = path.stat().st_size
    # Four bytes a character while it is decoded, and at the very least a few features for each.
    words = require_memory(path.name, 4 * 8 * size, f"{size:,} characters at most", options)
    encoding = detect_encoding(path.read_bytes(), whole=True)
    if encoding is None:
        raise SequenceError(f"{path} begins like a text, but does not go on as one.", "Save it as UTF-8.")
    decoder = codecs.getincrementaldecoder(encoding)()
    parts = []
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            parts.append(decoder.decode(chunk))
            progress(0.5 * file.tell() / size, words)
    parts.append(decoder.decode(b"", final=True))
    text = "".join(parts).replace("\r\n", "\n").replace("\r", "\n")
    if not text:
        raise SequenceError(f"{path} holds no characters.", "Choose a file that holds at least one.")
    return text, encoding.removesuffix("-sig").replace("_", "-").upper()


def _one_hot(
    points: NDArray[np.uint32], path: Path, options: ReadOptions
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    alphabet, codes = np.unique(points, return_inverse=True)
    if len(alphabet) > options.symbol_limit:
        raise SequenceError(
            f"{path} has {len(alphabet):,} different characters; one-hot takes at most {options.symbol_limit}.",
            "Read it as a code instead, a few features for any alphabet (ReadOptions.text = TextCode.CODE), or raise "
            "the limit (ReadOptions.symbol_limit).",
        )
    shape = (len(points), len(alphabet))
    require_memory(path.name, 4 * shape[0] * shape[1], f"{shape[0]:,} characters × {shape[1]} symbols", options)
    values = np.zeros(shape, np.float32)
    values[np.arange(len(points)), codes] = 1
    return values, tuple(map(chr, alphabet.tolist()))


def _bits(points: NDArray[np.uint32], path: Path, options: ReadOptions) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    needed = int(points.max()).bit_length()
    bits = next(width for width in _BITS if width >= needed)
    require_memory(path.name, 4 * len(points) * bits, f"{len(points):,} characters × {bits} bits", options)
    values = np.empty((len(points), bits), np.float32)
    for bit in range(bits):
        values[:, bit] = (points >> bit) & 1
    return values, tuple(f"bit {bit}" for bit in range(bits))


READER = Reader("plain text (.txt)", _SUFFIXES, _recognise, _read)
