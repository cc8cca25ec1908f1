"""New events: what is typed is read or refused with a reason, what is drawn is what was under the mouse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from lstm_studio.ui.explore.event_pad import PAST_STEPS, STEP_WIDTH, EventPad
from lstm_studio.ui.explore.new_event import UnreadableEventError, parse_numbers, parse_symbols
from lstm_studio.ui.theme import LIGHT
from tests.ui.explore.conftest import Show

NAMES = ("a", "b", " ", "pizza", "\n")
BORDER = PAST_STEPS * STEP_WIDTH


@pytest.mark.parametrize(
    ("text", "indices"),
    [("a", (0,)), ("ab", (0, 1)), ("pizza", (3,)), ("a pizza b", (0, 3, 1)), (" ", (2,)), ("a b", (0, 1))],
)
def test_symbols_are_read(text: str, indices: tuple[int, ...]) -> None:
    assert parse_symbols(text, NAMES) == indices


@pytest.mark.parametrize("text", ["", "q", "aq", "pizza salad"])
def test_unknown_symbols_are_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(UnreadableEventError, match="Type one of"):
        parse_symbols(text, NAMES)


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=6), separator=st.sampled_from([" ", ", ", ";", "\t"]))
def test_numbers_are_read_as_they_are_written(values: list[float], separator: str) -> None:
    text = separator.join(map(repr, values)).replace("-", "−")
    assert parse_numbers(text, len(values)) == tuple(values)


def test_a_single_number_may_have_a_decimal_comma() -> None:
    assert parse_numbers(" 1,5 ", 1) == (1.5,)


@pytest.mark.parametrize(
    ("text", "count", "reason"),
    [
        ("1 2", 3, "2 of 3 numbers"),
        ("", 1, "0 of 1 numbers"),
        ("1 2 3", 2, "3 of 2 numbers"),
        ("1 x", 2, "x is not a number"),
        ("nan", 1, "nan is not finite"),
        ("1 inf", 2, "inf is not finite"),
    ],
)
def test_what_is_no_event_is_refused_with_a_reason(text: str, count: int, reason: str) -> None:
    with pytest.raises(UnreadableEventError, match=reason):
        parse_numbers(text, count)


@pytest.fixture
def pad(show: Show) -> EventPad:
    made = EventPad(LIGHT)
    show(made)
    made.setGeometry(0, 0, 260, 76)
    made.show_feature(np.array([0.0, 1.0]), -1.0, 1.0)
    return made


def column(number: int) -> int:
    return BORDER + number * STEP_WIDTH + STEP_WIDTH // 2


def test_each_column_that_the_mouse_crosses_is_one_value(pad: EventPad) -> None:
    drawn: list[float] = []
    pad.drawn.connect(drawn.append)
    heights = [10, 30, 50, 70]
    QTest.mousePress(pad, Qt.MouseButton.LeftButton, pos=QPoint(column(0), heights[0]))
    for number, height in enumerate(heights):
        QTest.mouseMove(pad, QPoint(column(number), height))
    QTest.mouseRelease(pad, Qt.MouseButton.LeftButton, pos=QPoint(column(3), 70))
    assert drawn == [pytest.approx(pad.value_at(height)) for height in heights]
    assert drawn == sorted(drawn, reverse=True)


def test_columns_that_the_mouse_jumps_over_are_filled_on_a_straight_line(pad: EventPad) -> None:
    drawn: list[float] = []
    pad.drawn.connect(drawn.append)
    QTest.mousePress(pad, Qt.MouseButton.LeftButton, pos=QPoint(column(0), 10))
    QTest.mouseMove(pad, QPoint(column(4), 60))
    assert drawn == pytest.approx(np.linspace(pad.value_at(10), pad.value_at(60), 5).tolist())


def test_values_stay_within_the_range(pad: EventPad) -> None:
    assert pad.value_at(-500) == 1.0
    assert pad.value_at(500) == -1.0
    assert pad.value_at(pad.height() / 2) == pytest.approx(0.0)


def test_the_past_cannot_be_drawn_on(pad: EventPad) -> None:
    drawn: list[float] = []
    pad.drawn.connect(drawn.append)
    QTest.mousePress(pad, Qt.MouseButton.LeftButton, pos=QPoint(BORDER - 5, 30))
    QTest.mouseMove(pad, QPoint(column(2), 30))
    assert drawn == []
