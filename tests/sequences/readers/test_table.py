"""Tables: what is read, what is recognised, and where a bad cell is."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstm_studio.errors import SequenceError
from lstm_studio.sequences.columns import ColumnKind, ColumnRole
from lstm_studio.sequences.opening import open_sequence
from lstm_studio.sequences.options import MissingValuesError, ReadOptions
from lstm_studio.sequences.readers import _csv
from lstm_studio.sequences.reading import Head
from lstm_studio.sequences.sequence import Encoding, SequenceSet


def read(folder: Path, content: str | bytes, name: str = "table.csv", **options: ColumnRole) -> SequenceSet:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return open_sequence(path, options=ReadOptions(columns=options))


def refusal(folder: Path, content: str | bytes, name: str = "table.csv", **options: ColumnRole) -> str:
    with pytest.raises(SequenceError) as caught:
        read(folder, content, name, **options)
    assert str(folder / name) in caught.value.found
    assert caught.value.cure
    return caught.value.found


def roles(sequences: SequenceSet) -> dict[str, ColumnRole]:
    return {info.name: info.role for info in sequences.columns}


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1.5,2\n-3,4e2\n",
        "a,b\r\n1.5,2\r\n-3,4e2\r\n",
        "a,b\n1.5,2\n-3,4e2",
        "\ufeffa,b\n1.5,2\n-3,4e2\n",
        'a,"b"\n"1.5",2\n-3,"4e2"\n',
        "a\tb\n1.5\t2\n-3\t4e2\n",
        "a;b\n1,5;2\n-3;400,0\n",
        "# made by hand\na|b\n1.5|2\n-3|4e2\n",
        "a b\n1.5 2\n-3 4e2\n",
    ],
)
def test_dialects_give_the_same_table(tmp_path: Path, content: str) -> None:
    sequences = read(tmp_path, content)
    assert sequences.names == ("a", "b")
    assert sequences[0].values.tolist() == [[1.5, 2], [-3, 400]]
    assert sequences[0].values.dtype == np.float32
    assert sequences[0].name == "table"


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8"])
def test_encodings_are_detected(tmp_path: Path, encoding: str) -> None:
    rows = "".join(f"Müller;{i}\nGrößer;{i + 1}\nCafé;3\n" for i in range(20))
    sequences = read(tmp_path, ("wörter;länge\n" + rows).encode(encoding))
    assert "länge" in sequences.names
    assert {"wörter=Müller", "wörter=Größer", "wörter=Café"} <= set(sequences.names)


def test_a_table_without_a_header_numbers_its_columns(tmp_path: Path) -> None:
    sequences = read(tmp_path, "1,2\n3,4\n")
    assert sequences.names == ("column 1", "column 2")
    assert sequences[0].values.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("column", "first", "last"),
    [
        ("1949-01\n1949-02\n1949-03", "1949-01-01", "1949-03-01"),
        ("2024-02-28\n2024-02-29\n2024-03-01", "2024-02-28", "2024-03-01"),
        ("31.12.2023\n01.01.2024\n13.01.2024", "2023-12-31", "2024-01-13"),
        ("12/30/2023\n12/31/2023\n01/01/2024", "2023-12-30", "2024-01-01"),
        ("2024-01-01 10:00:00\n2024-01-01 11:00:00\n2024-01-01 12:30:00", "2024-01-01T10", "2024-01-01T12:30"),
        ("Jan 2020\nFeb 2020\nMar 2020", "2020-01-01", "2020-03-01"),
    ],
)
def test_dates_become_time(tmp_path: Path, column: str, first: str, last: str) -> None:
    rows = "".join(f"{date},{index}\n" for index, date in enumerate(column.split("\n")))
    sequences = read(tmp_path, "when,value\n" + rows)
    time = sequences[0].time
    assert time is not None
    assert time.dtype == "datetime64[ns]"
    assert (time[0], time[-1]) == (np.datetime64(first), np.datetime64(last))
    assert sequences.names == ("value",)


@pytest.mark.parametrize(("column", "unit"), [("time [ms]", "ms"), ("Time (s)", "s"), ("time", ""), ("(time) s", "")])
def test_the_unit_of_time_is_taken_from_brackets(tmp_path: Path, column: str, unit: str) -> None:
    sequence = read(tmp_path, f"{column},value\n0,5\n10,7\n20,4\n", **{column: ColumnRole.TIME})[0]
    assert sequence.time is not None
    assert sequence.time.tolist() == [0, 10, 20]
    assert sequence.time_unit == unit


def test_groups_become_sequences_with_their_classes_whatever_the_order_of_rows(tmp_path: Path) -> None:
    content = "subject,t,v,label\nbob,0,1,run\namy,0,5,walk\nbob,1,2,run\namy,1,6,walk\nbob,2,3,run\n"
    sequences = read(tmp_path, content)
    assert [sequence.name for sequence in sequences] == ["bob", "amy"]
    assert [sequence.values[:, 0].tolist() for sequence in sequences] == [[1, 2, 3], [5, 6]]
    assert [sequence.time.tolist() for sequence in sequences if sequence.time is not None] == [[0, 1, 2], [0, 1]]
    assert sequences.classes == ("run", "walk")
    assert [int(sequence.target) for sequence in sequences if sequence.target is not None] == [0, 1]


def test_a_correction_changes_what_a_column_is_for(tmp_path: Path) -> None:
    content = "subject,t,v,label\n1,0,1,a\n1,1,5,b\n2,0,2,a\n"
    corrected = read(
        tmp_path,
        content,
        subject=ColumnRole.FEATURE,
        t=ColumnRole.IGNORE,
        label=ColumnRole.FEATURE,
        v=ColumnRole.TARGET,
    )
    assert roles(corrected) == {
        "subject": ColumnRole.FEATURE,
        "t": ColumnRole.IGNORE,
        "v": ColumnRole.TARGET,
        "label": ColumnRole.FEATURE,
    }
    assert corrected.names == ("subject", "label=a", "label=b")
    assert corrected[0].values.tolist() == [[1, 1, 0], [1, 0, 1], [2, 1, 0]]
    target = corrected[0].target
    assert target is not None
    assert target.tolist() == [[1], [5], [2]]
    assert "no column 'w'" in refusal(tmp_path, content, w=ColumnRole.TIME)
    assert "neither a number nor a date" in refusal(tmp_path, content, label=ColumnRole.TIME)


def test_a_label_that_changes_within_a_sequence_is_a_target_for_each_step(tmp_path: Path) -> None:
    sequences = read(tmp_path, "v,label\n1,a\n2,b\n3,a\n")
    target = sequences[0].target
    assert target is not None
    assert target.tolist() == [[1, 0], [0, 1], [1, 0]]


def test_a_target_given_only_at_the_end_is_one_for_the_last_step(tmp_path: Path) -> None:
    sequences = read(tmp_path, "v,target\n1,\n2,\n3,0.5\n")
    target = sequences[0].target
    assert target is not None
    assert target.tolist() == [0.5]


def test_a_single_column_of_words_is_one_hot_with_the_words_as_names(tmp_path: Path) -> None:
    sequences = read(tmp_path, "dinner\npizza\nsalad\npizza\n")
    assert sequences[0].encoding is Encoding.ONE_HOT
    assert sequences[0].symbols == ("pizza", "salad", "pizza")
    assert sequences.indicators == {"pizza", "salad"}


def test_texts_without_end_are_left_out_and_said(tmp_path: Path) -> None:
    content = "v,remark\n" + "".join(f"{index},remark number {index} here\n" for index in range(300))
    sequences = read(tmp_path, content)
    assert sequences.names == ("v",)
    assert "remark (300 different texts" in dict(sequences.facts)["left out"]
    assert "at most 256" in refusal(tmp_path, content, remark=ColumnRole.FEATURE)


@pytest.mark.parametrize("before", [1, 30_000])
def test_text_among_numbers_is_refused_with_its_line_and_column(tmp_path: Path, before: int) -> None:
    content = "a,b\n" + "1,2.5\n" * before + "3,oops\n4,5\n6,7\n"
    found = refusal(tmp_path, content)
    assert f"line {before + 2:,}, column 'b': 'oops' is not a number" in found


def test_the_line_of_a_bad_cell_counts_line_ends_inside_quotes(tmp_path: Path) -> None:
    content = 'note,b\n"two\nlines",1\n"one",2\n"one",x3\n"one",4\n'
    assert "line 5, column 'b': 'x3'" in refusal(tmp_path, content)


def test_numbers_with_separators_are_not_taken_for_symbols(tmp_path: Path) -> None:
    assert "line 2, column 'price': '$1,234' is not a number" in refusal(
        tmp_path, 'x,price\n1,"$1,234"\n2,"$2,345"\n3,"$99"\n'
    )


@pytest.mark.parametrize("before", [1, 30_000])
@pytest.mark.parametrize(("row", "cells"), [("4,5", 2), ("4,5,6,7", 4)])
def test_ragged_rows_are_refused_with_their_line(tmp_path: Path, before: int, row: str, cells: int) -> None:
    found = refusal(tmp_path, "a,b,c\n" + "1,2,3\n" * before + row + "\n7,8,9\n")
    assert f"line {before + 2:,} has {cells} cells, but there are 3 columns" in found


def test_a_header_without_rows_is_refused(tmp_path: Path) -> None:
    assert "has a header, but no rows" in refusal(tmp_path, "a,b,c\n")


def test_an_empty_column_is_left_out_and_said(tmp_path: Path) -> None:
    sequences = read(tmp_path, "a,\n1,\n2,\n")
    assert sequences.names == ("a",)
    assert "every cell is empty" in dict(sequences.facts)["left out"]


def test_a_word_for_missing_far_down_a_column_of_numbers_is_missing_not_text(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b\n" + "1,2.5\n" * 30_000 + "3,N/A\n4,5\n")
    with pytest.raises(MissingValuesError, match=r"1 missing value in 'b'; the first at step 30,001"):
        open_sequence(path)


def test_a_file_with_one_endless_line_is_text(tmp_path: Path) -> None:
    assert len(read(tmp_path, "abc" * 100_000, "line.txt")[0]) == 300_000


def test_a_table_of_dates_alone_has_no_input(tmp_path: Path) -> None:
    assert "no column left to be an input" in refusal(tmp_path, "date\n2024-01-01\n2024-01-02\n")


def test_awkward_names_of_files_and_columns_are_only_names(tmp_path: Path) -> None:
    sequences = read(tmp_path, '"x, y","z ""q""; DROP"\n1,2\n3,4\n', "a[1]'*?.csv")
    assert sequences.names == ("x, y", 'z "q"; DROP')
    (tmp_path / "year=1").mkdir()
    assert read(tmp_path / "year=1", "a\n1\n2\n").names == ("a",)


def test_json_lines(tmp_path: Path) -> None:
    sequences = read(tmp_path, '{"t":0,"x":1.5,"on":true}\n{"t":1,"x":2,"on":false}\n', "log.jsonl")
    assert roles(sequences) == {"t": ColumnRole.TIME, "x": ColumnRole.FEATURE, "on": ColumnRole.FEATURE}
    assert sequences[0].values.tolist() == [[1.5, 1], [2, 0]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"x":1}\n{"x":\n', "line 2, column 6 is not JSON"),
        ('{"x":1}\n{"x":"oops"}\n{"x":3}\n', "line 2, column 'x': 'oops' is not a number"),
        ('{"x":[1,2]}\n{"x":[3,4]}\n', "column 'x' holds BIGINT[]"),
        ("[1,2]\n[3,4]\n", "not an object"),
    ],
)
def test_bad_json_lines(tmp_path: Path, content: str, said: str) -> None:
    assert said in refusal(tmp_path, content, "log.jsonl")


def test_parquet_keeps_types_and_a_cut_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    rows = (
        "SELECT timestamptz '2024-01-01 00:00:00+00' + to_hours(i::INT) AS at, i * 0.5 AS x, "
        "(i * 0.25)::DECIMAL(9, 2) AS z, CASE WHEN i < 2 THEN 'a' ELSE 'b' END AS word FROM range(4) t(i)"
    )
    with duckdb.connect() as database:
        database.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)")
    sequences = open_sequence(path)
    assert sequences.names == ("x", "z", "word=a", "word=b")
    assert sequences[0].values[3].tolist() == [1.5, 0.75, 0, 1]
    assert sequences[0].time is not None
    assert sequences[0].time[3] == np.datetime64("2024-01-01T03")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SequenceError, match="not a whole Parquet file"):
        open_sequence(path)


NAMES = st.lists(st.sampled_from(["alpha", "beta", "gamma", "x1", "a b", "ß", 'q"t', "c,d"]), unique=True, min_size=1)
FLOATS = st.floats(-(2.0**100), 2.0**100, width=32)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), names=NAMES, kind=st.sampled_from(["csv", "jsonl", "parquet"]))
def test_what_is_written_is_read(tmp_path: Path, data: st.DataObject, names: list[str], kind: str) -> None:
    rows = data.draw(st.lists(st.lists(FLOATS, min_size=len(names), max_size=len(names)), min_size=2, max_size=8))
    values = np.array(rows, np.float32)
    path = tmp_path / f"written.{kind}"
    if kind == "csv":
        quoted = ",".join('"' + name.replace('"', '""') + '"' for name in names)
        lines = [",".join(repr(float(value)) for value in row) for row in values]
        path.write_text("\n".join([quoted, *lines]) + "\n", encoding="utf-8")
    else:
        lines = [json.dumps(dict(zip(names, map(float, row), strict=True))) for row in values]
        path.with_suffix(".jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if kind == "parquet":
        with duckdb.connect() as database:
            database.execute(f"COPY (FROM read_json('{path.with_suffix('.jsonl')}')) TO '{path}' (FORMAT parquet)")
    sequences = open_sequence(path)
    assert sequences.names == tuple(names)
    np.testing.assert_array_equal(sequences[0].values, values)
    assert all(info.kind is ColumnKind.NUMBER for info in sequences.columns)


@pytest.mark.parametrize(
    ("content", "line", "cells"),
    [("a,b\n1,2\n3\n4,5,6\n", 3, 1), ("1,2\n3,4\n5\n6,7,8\n", 3, 1), ("a,b\n1,2\n3,4\n5,6,7\n8,9,1\n", 4, 3)],
)
def test_rows_of_numbers_are_never_passed_over_as_words_before_the_table(
    tmp_path: Path, content: str, line: int, cells: int
) -> None:
    path = tmp_path / "ragged.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SequenceError) as caught:
        open_sequence(path)
    assert f"line {line} has {cells} cells, but there are 2 columns" in caught.value.found


def test_words_before_the_table_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "station.csv"
    path.write_text("Station 5\nwritten 2024\na,b\n" + "".join(f"{row},{row * row}\n" for row in range(9)), "utf-8")
    assert open_sequence(path)[0].values[:, 1].tolist() == [row * row for row in range(9)]


@pytest.mark.parametrize("name", ["deep.jsonl", "deep.txt"])
def test_json_that_nests_too_deeply_is_refused_where_it_does(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text('{"a": 1}\n' * (name == "deep.jsonl") + '{"a":' * 100_000 + "\n", "utf-8")
    if name == "deep.jsonl":
        with pytest.raises(SequenceError, match="line 2 nests lists or objects too deeply"):
            open_sequence(path)
    else:
        assert open_sequence(path)[0].symbols is not None


def test_a_file_that_goes_away_while_it_is_read_is_said_to_have_done_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "brief.csv"
    path.write_text("a,b\n" + "1,2\n" * 1000, "utf-8")
    look = _csv.sniff

    def look_and_remove(database: duckdb.DuckDBPyConnection, readable: Path, head: Head) -> _csv.Dialect:
        dialect = look(database, readable, head)
        path.unlink()
        return dialect

    monkeypatch.setattr(_csv, "sniff", look_and_remove)
    with pytest.raises(SequenceError, match=r"brief\.csv went away while it was read"):
        open_sequence(path)
