"""Files of every kind, damaged at random: each opens, or is refused with one message that names it."""

from __future__ import annotations

import random
from pathlib import Path

import duckdb
import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]  # it has no annotations

from lstm_studio.errors import SequenceError
from lstm_studio.sequences.opening import open_sequence
from lstm_studio.sequences.options import AudioFeatures, Missing, ReadOptions, TextCode
from lstm_studio.sequences.sequence import Sequence, SequenceSet
from lstm_studio.sequences.storage import save_set

ROUNDS = 6  # for each file and seed
SPLINTERS = (
    b'"', b",", b";", b"\n", b"\t", b"\0", b"\xff", b"NaN", b"1e400", b"-", b"{", b"[", b"?", b"\r", b"\xe4", b":",
    b"@data\n", b"x" * 30, b"9" * 25,
)  # fmt: skip


def write_all(folder: Path) -> list[Path]:
    """Write one sound file of each kind."""
    (folder / "a.csv").write_text('time,x,"y y",label\n2024-01-01,1.5,2,a\n2024-01-02,2,NA,b\n2024-01-03,-3,4,a\n')
    (folder / "b.csv").write_text("a;b\n1,5;2,5\n2,25;3\n")
    (folder / "c.jsonl").write_text('{"t":0,"x":1.5,"s":"a"}\n{"t":1,"x":2,"s":"b"}\n')
    (folder / "d.ts").write_text("@problemName T\n@classLabel true up down\n@data\n1,2,3:4,5,6:down\n7,8:9,1:up\n")
    rows = [[label, *(label + step / 8 for step in range(12))] for label in (1, 2, 1, 2)]
    (folder / "e.tsv").write_text("\n".join("\t".join(map(str, row)) for row in rows))
    (folder / "f.txt").write_text("Grüße aus Köln, es ist schön hier.\n" * 3, encoding="utf-8")
    np.save(folder / "g.npy", np.ones((5, 2)))
    np.savez(folder / "h.npz", x=np.ones((5, 2)), t=np.arange(5.0))
    noise = np.random.default_rng(0).normal(0, 0.1, 2000)
    for suffix in ("wav", "flac", "ogg"):
        soundfile.write(folder / f"i.{suffix}", noise, 8000)
    rows_of_parquet = "SELECT range a, range * 0.5 b, 'x' || range c FROM range(50)"
    with duckdb.connect() as database:
        database.execute(f"COPY ({rows_of_parquet}) TO '{folder}/j.parquet'")
    save_set(SequenceSet((Sequence(np.ones((3, 1), np.float32), ("x",)),)), folder / "k.safetensors")
    return sorted(folder.iterdir())


def damaged(content: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.choice([1, 1, 2, 4])):
        at = chance.randrange(len(content) or 1)
        content = chance.choice(
            [
                content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :],
                content[:at] + chance.choice(SPLINTERS) + content[at:],
                content[:at] + content[at + chance.choice([1, 5, 20]) :],
                content[:at],
                content[:at] + content[at // 2 : at] + content[at:],
            ]
        )
    return content


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_file_opens_or_is_refused(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    (tmp_path / "whole").mkdir()
    files = write_all(tmp_path / "whole")
    for path in files:
        assert len(open_sequence(path, options=ReadOptions(missing=Missing.FORWARD))) > 0
    for path in files * ROUNDS:
        victim = tmp_path / f"damaged{chance.choice([path.suffix] * 9 + ['.csv', '.txt', '.npy', ''])}"
        victim.write_bytes(damaged(path.read_bytes(), chance))
        options = ReadOptions(
            missing=chance.choice(list(Missing)),
            text=chance.choice(list(TextCode)),
            audio=chance.choice(list(AudioFeatures)),
        )
        result = attempt(victim, options)
        if isinstance(result, SequenceError):
            assert victim.name in result.found
            assert result.cure
        else:
            assert all(len(sequence) and np.isfinite(sequence.values).all() for sequence in result)


def attempt(path: Path, options: ReadOptions) -> SequenceSet | SequenceError:
    try:
        return open_sequence(path, options=options)
    except SequenceError as error:
        return error
