"""What columns are recognised as, from names and contents."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_studio.errors import SequenceError
from lstm_studio.sequences.columns import Column, ColumnKind, ColumnRole, recognise_columns


def numbers(name: str, *cells: float) -> Column:
    return Column(name, ColumnKind.NUMBER, np.array(cells, float))


def texts(name: str, *cells: str) -> Column:
    symbols = tuple(sorted(set(cells)))
    return Column(name, ColumnKind.TEXT, np.array([symbols.index(cell) for cell in cells]), symbols)


def dates(name: str, *cells: str) -> Column:
    return Column(name, ColumnKind.DATE, np.array(cells, "datetime64[ns]"))


def roles(*columns: Column, **corrections: ColumnRole) -> list[str]:
    infos = recognise_columns(columns, corrections, symbol_limit=3, source="a.csv")
    assert [info.name for info in infos] == [column.name for column in columns]
    assert all(info.reason for info in infos)
    return [str(info.role) for info in infos]


V = numbers("v", 0.5, 0.25, 0.5, 0.25)


@pytest.mark.parametrize("name", ["t", "Time", "time (s)", "timestamp", "step", "Unnamed: 0", "seconds", "start_time"])
def test_a_time_has_a_time_like_name_and_never_falls(name: str) -> None:
    assert roles(numbers(name, 0, 1, 1, 2), V) == ["time", "feature"]
    assert roles(numbers(name, 0, 1, 0, 2), V) == ["feature", "feature"]
    assert roles(numbers(name, 0, 1, np.nan, 2), V) == ["feature", "feature"]


def test_a_time_may_start_again_in_each_group() -> None:
    assert roles(numbers("t", 0, 1, 0, 1), numbers("id", 7, 7, 9, 9), V) == ["time", "group", "feature"]
    assert roles(numbers("t", 0, 0, 1, 1), texts("series", "a", "b", "a", "b"), V) == ["time", "group", "feature"]


def test_the_only_column_is_an_input_even_if_it_is_named_like_a_time() -> None:
    assert roles(numbers("t", 0, 1, 2, 3)) == ["feature"]


def test_dates_are_the_time_and_the_second_ones_are_left_out() -> None:
    days = ("2024-01-04", "2024-01-03", "2024-01-02", "2024-01-01")
    assert roles(dates("opened", *days), dates("closed", *days), V) == ["time", "ignore", "feature"]


def test_a_group_repeats_and_a_number_of_each_row_is_left_out() -> None:
    assert roles(texts("subject_id", "a", "a", "b", "b"), V) == ["group", "feature"]
    assert roles(numbers("id", 1, 2, 3, 4), V) == ["ignore", "feature"]
    assert roles(numbers("track", 0.5, 0.25, 0.5, 0.125), V) == ["feature", "feature"]


def test_labels_and_targets_by_name() -> None:
    assert roles(texts("activity", "a", "b", "a", "b"), V) == ["label", "feature"]
    assert roles(V, numbers("class", 0, 1, 0, 1)) == ["feature", "label"]
    assert roles(V, numbers("y", 0, 1, 0, 1), numbers("target_2", 0, 1, 0, 1)) == ["feature", "target", "target"]


def test_y_beside_z_is_a_coordinate() -> None:
    x, y, z = (numbers(name, 1, 2, 3, 5) for name in "xyz")
    assert roles(x, y, z) == ["feature"] * 3


def test_texts_within_the_limit_are_features_and_beyond_it_left_out() -> None:
    assert roles(texts("word", "a", "b", "c", "a"), V) == ["feature", "feature"]
    assert roles(texts("word", "a", "b", "c", "d"), V) == ["ignore", "feature"]


def test_a_correction_frees_the_role_for_no_other_column() -> None:
    t, time = numbers("t", 0, 1, 2, 3), numbers("time", 0, 1, 2, 3)
    assert roles(t, time, V) == ["time", "feature", "feature"]
    assert roles(t, time, V, time=ColumnRole.TIME) == ["feature", "time", "feature"]
    assert roles(t, time, V, t=ColumnRole.FEATURE) == ["feature", "time", "feature"]


@pytest.mark.parametrize(
    ("column", "role", "said"),
    [
        (dates("d", "2024-01-01"), ColumnRole.FEATURE, "dates cannot be an input"),
        (texts("w", "a"), ColumnRole.TARGET, "a target is a number"),
        (texts("w", "soon"), ColumnRole.TIME, "'soon' is neither a number nor a date"),
        (texts("w", *"abcd"), ColumnRole.FEATURE, "4 different texts"),
    ],
)
def test_a_correction_that_cannot_be_followed(column: Column, role: ColumnRole, said: str) -> None:
    with pytest.raises(SequenceError, match=said):
        recognise_columns((column,), {column.name: role}, symbol_limit=3, source="a.csv")
