"""Which reader is chosen, what is refused, and what a folder becomes."""

from __future__ import annotations

import copy
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest

import lstm_studio as ls
from lstm_studio.progress import Cancelled
from lstm_studio.sequences.opening import open_sequence, supported_formats
from lstm_studio.sequences.options import MemoryLimitError, Missing, MissingValuesError, ReadOptions, TextCode, in_bytes
from lstm_studio.sequences.sequence import Encoding


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(path: Path, options: ReadOptions | None = None) -> ls.SequenceError:
    with pytest.raises(ls.SequenceError) as caught:
        open_sequence(path, options=options or ReadOptions())
    assert str(path.name) in caught.value.found
    assert caught.value.cure
    return caught.value


def test_the_library_opens_what_the_module_opens(tmp_path: Path) -> None:
    opened = ls.open_sequence(str(write(tmp_path / "walk.csv", "x,y,z\n1,2,3\n4,5,6\n")))
    assert opened.title == "walk.csv"
    assert opened.source == str(tmp_path / "walk.csv")
    assert opened[0].names == ("x", "y", "z")
    np.testing.assert_array_equal(opened[0].values, [[1, 2, 3], [4, 5, 6]])


def test_every_usual_suffix_belongs_to_one_kind() -> None:
    titles = [title for title, _ in supported_formats()]
    assert len(titles) == len(set(titles)) == 7
    suffixes = {suffix for _, suffixes in supported_formats() for suffix in suffixes}
    assert {".csv", ".jsonl", ".parquet", ".npy", ".npz", ".ts", ".tsv", ".txt", ".wav", ".safetensors"} <= suffixes


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "is empty"),
        ("blank.csv", b"\n \n\n", "nothing but blanks"),
        ("noise.csv", bytes(range(256)) * 8, "named .csv, but is no table"),
        ("noise.wav", bytes(range(256)) * 8, "named .wav, but is no sound"),
        ("noise.npy", bytes(range(256)) * 8, "named .npy, but is no NumPy array"),
        ("noise.parquet", bytes(range(256)) * 8, "named .parquet, but is no table"),
        ("noise.xyz", bytes(range(256)) * 8, "no kind that can be read"),
    ],
)
def test_what_cannot_be_read_says_so_and_lists_what_can(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    assert said in refusal(write(tmp_path / name, content)).found


def test_a_missing_file_and_a_folder_without_files_are_named(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "nowhere.csv").found
    (tmp_path / "hollow").mkdir()
    assert "holds no files" in refusal(tmp_path / "hollow").found


def test_a_folder_without_readable_files_gives_the_first_reason(tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    write(folder / "a.csv", "x,y\n")
    write(folder / "b.bin", bytes(range(256)))
    error = refusal(folder)
    assert "none of which can be read" in error.found
    assert "no rows" in error.found


def test_contents_win_over_a_wrong_suffix_and_the_facts_say_so(tmp_path: Path) -> None:
    np.save(tmp_path / "array.npy", np.arange(6.0).reshape(3, 2))
    (tmp_path / "array.npy").rename(tmp_path / "array.csv")
    opened = open_sequence(tmp_path / "array.csv")
    assert opened[0].values.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert ("format", "NumPy array (.npy, .npz) by its contents, although it is named .csv") in opened.facts
    prose = open_sequence(write(tmp_path / "tale.csv", "It was a dark and stormy night.\nThe rain fell in torrents.\n"))
    assert prose[0].encoding is Encoding.ONE_HOT
    table = open_sequence(write(tmp_path / "numbers.txt", "1.5 2.5\n3.5 4.5\n"))
    assert table[0].values.tolist() == [[1.5, 2.5], [3.5, 4.5]]


@pytest.mark.parametrize("name", ["page.npy", "page.npz", "page.wav", "page.flac", "page.ogg", "page.safetensors"])
def test_a_page_in_the_place_of_numbers_is_not_read_letter_by_letter(tmp_path: Path, name: str) -> None:
    error = refusal(write(tmp_path / name, "<html>Not found\n</html>\n"))
    assert f"is named {Path(name).suffix}, but is no " in error.found
    assert "it is a text, which begins with '<html>Not found'" in error.found
    assert "download the file itself" in error.cure
    table = open_sequence(write(tmp_path / f"table{Path(name).suffix}", "a,b\n1,2\n3,4\n"))
    assert table[0].values.tolist() == [[1, 2], [3, 4]], "contents that are clear still win"


def test_missing_values_are_counted_located_and_treated_as_chosen(tmp_path: Path) -> None:
    path = write(tmp_path / "gaps.csv", "a,b\n1,2\n3,NaN\n5,inf\n,8\n")
    error = refusal(path)
    assert isinstance(error, MissingValuesError)
    assert "1 missing value in 'a', 1 missing value in 'b', 1 infinite value in 'b'" in error.found
    assert "step 2" in error.found
    filled = open_sequence(path, options=ReadOptions(missing=Missing.INTERPOLATE))
    assert filled[0].values.tolist() == [[1, 2], [3, 4], [5, 6], [5, 8]]
    assert dict(filled.facts)["missing"].endswith("interpolated")


def test_a_folder_is_a_set_in_natural_order_with_the_misfits_named(tmp_path: Path) -> None:
    for name, rows in (("run10.csv", "1,2\n"), ("run2.csv", "3,4\n5,6\n"), ("odd.csv", "1\n")):
        header = "p,q\n" if name != "odd.csv" else "p\n"
        write(tmp_path / name, header + rows)
    write(tmp_path / "broken.npy", b"\x93NUMPY\x01\x00")
    write(tmp_path / ".hidden", "x")
    opened = open_sequence(tmp_path)
    assert [sequence.name for sequence in opened] == ["run2.csv", "run10.csv"]
    assert [len(sequence) for sequence in opened] == [2, 1]
    facts = dict(opened.facts)
    assert facts["files"] == "2 of 4"
    assert "odd.csv (other features)" in facts["left out"]
    assert "broken.npy (cannot be read)" in facts["left out"]


def test_some_files_of_a_folder_are_a_set_of_their_own(tmp_path: Path) -> None:
    for name in ("run1.csv", "run2.csv", "run10.csv"):
        write(tmp_path / name, "p,q\n1,2\n")
    options = ReadOptions(files=("run10.csv", "run1.csv"))
    opened = open_sequence(tmp_path, options=options)
    assert [sequence.name for sequence in opened] == ["run1.csv", "run10.csv"]
    assert opened.title == "run1.csv and 1 more"
    assert dict(opened.facts)["files"] == "2 of 2"
    (tmp_path / "run1.csv").unlink()
    (tmp_path / "run10.csv").unlink()
    assert "holds no files" in refusal(tmp_path, options).found


def test_texts_of_a_folder_share_one_alphabet_and_classes_are_united(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    write(texts / "1.txt", "abba")
    write(texts / "2.txt", "cab")
    opened = open_sequence(texts)
    assert opened.names == ("a", "b", "c")
    assert ["".join(sequence.symbols or ()) for sequence in opened] == ["abba", "cab"]

    tables = tmp_path / "tables"
    tables.mkdir()
    write(tables / "1.csv", "v,label\n1,walk\n2,walk\n")
    write(tables / "2.csv", "v,label\n3,run\n4,run\n")
    opened = open_sequence(tables)
    assert [opened.classes[int(sequence.target)] for sequence in opened if sequence.target is not None] == [
        "walk",
        "run",
    ]


def test_codes_of_texts_with_different_alphabets_are_the_same_code(tmp_path: Path) -> None:
    write(tmp_path / "1.txt", "aa")
    write(tmp_path / "2.txt", "a\u6f22")
    opened = open_sequence(tmp_path, options=ReadOptions(text=TextCode.CODE))
    assert opened.names == tuple(f"bit {bit}" for bit in range(16))
    weights = 2 ** np.arange(16)
    assert [(sequence.values @ weights).astype(int).tolist() for sequence in opened] == [[97, 97], [97, 0x6F22]]


def test_a_table_of_5_gb_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.write(b"a,b,c,d\n" + b"1,2,3,4\n" * 100_000)
        file.truncate(5_000_000_000)
    error = refusal(path)
    assert isinstance(error, MemoryLimitError)
    assert "GB of memory" in error.found
    assert "limit is 2.1 GB" in error.found
    assert in_bytes(error.needed) in error.found
    again = copy.copy(error)
    assert (again.found, again.cure, again.needed) == (error.found, error.cure, error.needed)


def test_an_array_of_5_gb_is_refused_by_its_header_and_the_limit_can_be_raised(tmp_path: Path) -> None:
    path = tmp_path / "huge.npy"
    header = np.lib.format.header_data_from_array_1_0(np.empty((0, 5), np.float32))
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {**header, "shape": (250_000_000, 5)})
        file.truncate(5_000_000_000 + file.tell())
    error = refusal(path)
    assert "250,000,000 × 5 values, about 10.0 GB of memory" in error.found

    said: list[str] = []

    def cancel(fraction: float, words: str) -> None:
        said.append(words)
        if "values" in words:
            raise Cancelled

    with pytest.raises(Cancelled):
        open_sequence(path, options=ReadOptions(memory_limit=20_000_000_000), progress=cancel)
    assert said[-1] == "250,000,000 × 5 values, about 10.0 GB of memory"


def test_cancelling_stops_the_database_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "long.csv"
    path.write_bytes(b"a,b,c,d\n" + b"1.25,2.5,3,4\n" * 400_000)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    heard: list[float] = []

    def cancel(fraction: float, words: str) -> None:
        heard.append(fraction)
        if "rows" in words:
            raise Cancelled

    with pytest.raises(Cancelled):
        open_sequence(path, progress=cancel)
    assert len(heard) >= 2
    assert list((tmp_path / "temporary").iterdir()) == []
    assert not [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]


def test_progress_rises_to_one(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,b\n" + b"1.5,2\n" * 1000)
    heard: list[float] = []
    open_sequence(path, progress=lambda fraction, words: heard.append(fraction))
    assert heard[0] == 0
    assert heard[-1] == 1
    assert heard == sorted(heard)


def test_sizes_are_said_in_decimal_units() -> None:
    assert [in_bytes(count) for count in (999, 1_500, 10**7, 2_147_483_648)] == [
        "999 bytes",
        "1.5 kB",
        "10.0 MB",
        "2.1 GB",
    ]


def test_opening_loads_neither_torch_nor_what_the_file_does_not_need(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones(3))
    program = (
        "import sys, lstm_studio as ls; ls.open_sequence(sys.argv[1]); "
        "print([name for name in ('torch', 'duckdb', 'soundfile', 'PySide6') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "a.npy")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
