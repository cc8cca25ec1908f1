"""The UEA and UCR archives' formats."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_studio.errors import SequenceError
from lstm_studio.sequences.opening import open_sequence
from lstm_studio.sequences.options import Missing, MissingValuesError, ReadOptions

HEADER = "# a comment\n@problemName Test\n@timeStamps false\n@dimensions 2\n@classLabel true up down\n@data\n"


def write(folder: Path, content: str, name: str = "a.ts") -> Path:
    (folder / name).write_text(content)
    return folder / name


def test_series_of_unequal_lengths_with_channels_and_classes(tmp_path: Path) -> None:
    sequences = open_sequence(write(tmp_path, HEADER + "1,2,3:4,5,6:down\n7,8:9,1e1:up\n"))
    assert sequences.names == ("channel 1", "channel 2")
    assert [sequence.values.tolist() for sequence in sequences] == [[[1, 4], [2, 5], [3, 6]], [[7, 9], [8, 10]]]
    assert sequences.classes == ("up", "down")
    assert [int(sequence.target) for sequence in sequences if sequence.target is not None] == [1, 0]


def test_missing_values_inside_are_missing_and_at_the_end_are_padding(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + "1,?,3,?:4,5,6,NaN:up\n1,2:3,4:down\n")
    with pytest.raises(MissingValuesError, match="1 missing value in 'channel 1'"):
        open_sequence(path)
    filled = open_sequence(path, options=ReadOptions(missing=Missing.FORWARD))
    assert filled[0].values.tolist() == [[1, 4], [1, 5], [3, 6]]


def test_a_target_instead_of_a_class(tmp_path: Path) -> None:
    header = "@problemName Test\n@univariate true\n@targetLabel true\n@data\n"
    sequence = open_sequence(write(tmp_path, header + "1,2,3:0.25\n"))[0]
    assert sequence.names == ("value",)
    assert sequence.target is not None
    assert sequence.target.tolist() == [0.25]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (HEADER + "1,2:3,x:up\n", "line 7, column 4: 'x' is not a number"),
        (HEADER + "1,2:3,4:up\n1,2,3:4,5:up\n", "line 8: channel 2 has 2 values, channel 1 has 3"),
        (HEADER + "1,2:3,4:up\n1,2:up\n", "line 8 has 1 channels, the first series has 2"),
        (HEADER, "no series after @data"),
        (HEADER.replace("@data\n", ""), "@data is missing"),
        (HEADER.replace("Stamps false", "Stamps true") + "(0,1),(1,2):up\n", "time stamp"),
        (HEADER.replace("@data\n", "1,2:3,4:up\n"), "line 6: '1,2:3,4:up' stands before @data"),
    ],
)
def test_bad_series_are_refused_with_their_place(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(SequenceError) as caught:
        open_sequence(write(tmp_path, content))
    assert said in caught.value.found
    assert "a.ts" in caught.value.found


@settings(max_examples=25, deadline=None)
@given(data=st.data(), channels=st.integers(1, 3), lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_what_is_written_is_read(data: st.DataObject, channels: int, lengths: list[int]) -> None:
    numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)
    series = [
        np.array(data.draw(st.lists(numbers, min_size=length * channels, max_size=length * channels)), np.float32)
        for length in lengths
    ]
    lines = [":".join(",".join(map(repr, row.tolist())) for row in flat.reshape(channels, -1)) for flat in series]
    content = "@problemName P\n@classLabel false\n@data\n" + "\n".join(lines) + "\n"
    with tempfile.TemporaryDirectory() as folder:
        sequences = open_sequence(write(Path(folder), content))
    assert len(sequences) == len(series)
    for sequence, flat in zip(sequences, series, strict=True):
        np.testing.assert_array_equal(sequence.values, flat.reshape(channels, -1).T)


def ucr(labels: list[int], separator: str = "\t", steps: int = 12) -> str:
    rows = [[str(label), *(f"{label + step / 8:.4f}" for step in range(steps))] for label in labels]
    return "\n".join(separator.join(row) for row in rows) + "\n"


@pytest.mark.parametrize(("separator", "name"), [("\t", "a.tsv"), ("\t", "a.txt"), (",", "a.txt"), ("   ", "a.txt")])
def test_class_first_is_told_from_a_table(tmp_path: Path, separator: str, name: str) -> None:
    sequences = open_sequence(write(tmp_path, ucr([1, -1, 1, -1], separator), name))
    assert dict(sequences.facts)["format"].startswith("UCR")
    assert [len(sequence) for sequence in sequences] == [12] * 4
    assert sequences.classes == ("-1", "1")
    assert [int(sequence.target) for sequence in sequences if sequence.target is not None] == [1, 0, 1, 0]
    assert sequences[1].values[2, 0] == np.float32(-0.75)


@pytest.mark.parametrize(
    "content",
    [
        ucr([0, 1, 2, 3]),
        "\t".join(f"c{index}" for index in range(13)) + "\n" + ucr([1, 2, 1, 2]),
        ucr([1, 2, 1, 2], steps=3),
    ],
)
def test_a_table_stays_a_table(tmp_path: Path, content: str) -> None:
    sequences = open_sequence(write(tmp_path, content, "a.tsv"))
    assert dict(sequences.facts)["format"].startswith("table")
    assert len(sequences) == 1


def test_padding_at_the_end_of_a_series_is_taken_off(tmp_path: Path) -> None:
    content = ucr([1, 2, 1, 2]).splitlines()
    content[1] = "\t".join([*content[1].split("\t")[:-3], "NaN", "NaN", "NaN"])
    sequences = open_sequence(write(tmp_path, "\n".join(content), "a_TRAIN.tsv"))
    assert [len(sequence) for sequence in sequences] == [12, 9, 12, 12]


def test_a_bad_cell_and_a_short_line_are_named(tmp_path: Path) -> None:
    good = ucr([1, 2] * 40)
    with pytest.raises(SequenceError, match="line 81, column 3: 'x' is not a number"):
        open_sequence(write(tmp_path, good + "1\t2\tx" + "\t0" * 10 + "\n", "a_TRAIN.tsv"))
    with pytest.raises(SequenceError, match="line 81 has 2 cells, the first line has 13"):
        open_sequence(write(tmp_path, good + "1\t2\n", "a_TRAIN.tsv"))
