"""Plain text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lstm_studio.errors import SequenceError
from lstm_studio.sequences.opening import open_sequence
from lstm_studio.sequences.options import MemoryLimitError, ReadOptions, TextCode
from lstm_studio.sequences.sequence import Encoding

GERMAN = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. Schöne Grüße aus Köln und Düsseldorf!\n" * 5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_the_characters_come_back_whatever_the_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_bytes(GERMAN.encode(encoding))
    sequences = open_sequence(tmp_path / "a.txt")
    sequence = sequences[0]
    assert sequence.encoding is Encoding.ONE_HOT
    assert "".join(sequence.symbols or ()) == GERMAN
    assert sequence.names == tuple(sorted(set(GERMAN)))
    assert (sequence.values.sum(axis=1) == 1).all()
    assert sequences.indicators == set(sequence.names)


def test_line_ends_are_one_character(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one two\r\nthree four\r\n")
    assert "".join(open_sequence(tmp_path / "a.txt")[0].symbols or ()) == "one two\nthree four\n"


def test_a_large_alphabet_needs_another_code(tmp_path: Path) -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    with pytest.raises(SequenceError, match=r"300 different characters.*TextCode\.CODE"):
        open_sequence(tmp_path / "a.txt")
    sequences = open_sequence(tmp_path / "a.txt", options=ReadOptions(text=TextCode.CODE))
    bits = sequences[0].values
    assert bits.shape == (300, 16)
    assert (bits @ 2 ** np.arange(16)).astype(int).tolist() == list(map(ord, text))
    assert sequences.indicators == set(sequences.names)
    assert len(open_sequence(tmp_path / "a.txt", options=ReadOptions(symbol_limit=300)).names) == 300


def test_memory_is_limited(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(GERMAN)
    with pytest.raises(MemoryLimitError, match="characters"):
        open_sequence(tmp_path / "a.txt", options=ReadOptions(memory_limit=1000))


def test_a_text_that_turns_into_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"plain words\n" * 30_000 + bytes(range(256)))
    with pytest.raises(SequenceError, match="does not go on as one"):
        open_sequence(tmp_path / "a.txt")
