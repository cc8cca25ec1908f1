"""The labels of rows, and what stands beside their plots."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.ui.numbers import format_tick
from lstm_studio.ui.plots.header import RowHeader
from lstm_studio.ui.plots.heat_item import HeatItem
from lstm_studio.ui.plots.row_item import Look, Reach
from lstm_studio.ui.plots.scale import TimeScale
from lstm_studio.ui.plots.stack import PlotStack
from lstm_studio.ui.plots.unit_row import UnitData
from lstm_studio.ui.theme import COLOUR_BAR_WIDTH, GRID, HALF_GRID, LIGHT, PLOT_GAP, Text
from tests.ui.plots.conftest import make_state, unit_row


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_the_view_button_is_whole_whatever_the_height_of_the_row(qtbot: QtBot, scale: float) -> None:
    column = QWidget()
    qtbot.addWidget(column)
    row = replace(unit_row("input", 10, 4), note="a note that takes two lines of its own")
    header = RowHeader(row, Look(LIGHT, scale), column)
    column.show()
    button = header.view_button
    assert button is not None
    seen = set()
    for height in range(button.height(), 160):
        header.resize(round(140 * scale), height)
        seen.add(header.lines)
        assert header.rect().contains(button.geometry()), f"{header.lines} lines in {height} pixels"
    assert {1, 2, 3, 4} <= seen


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.5, 2.0])
def test_the_view_button_keeps_off_the_badge(qtbot: QtBot, scale: float) -> None:
    column = QWidget()
    qtbot.addWidget(column)
    look = Look(LIGHT, scale)
    header = RowHeader(unit_row("input", 10, 4), look, column)
    column.show()
    button = header.view_button
    assert button is not None
    least = look.badge + button.height() + 3
    assert least < 70
    for height in range(least, 120):
        header.resize(round(140 * scale), height)
        assert header.lines == 1 or header.badge_rect.bottom() < button.y(), f"{header.lines} lines in {height} pixels"
    # Where the last line ends with the row, both of them still do not lie outside.
    for height in range(button.height(), least):
        header.resize(round(140 * scale), height)
        assert header.rect().contains(button.geometry())


@pytest.mark.parametrize(("scale", "height"), [(1.0, 37), (1.0, 43), (2.0, 68)])
def test_badge_and_button_stand_apart_in_the_lowest_rows_of_two_lines(qtbot: QtBot, scale: float, height: int) -> None:
    column = QWidget()
    qtbot.addWidget(column)
    header = RowHeader(unit_row("input", 10, 4), Look(LIGHT, scale), column)
    column.show()
    header.resize(round(140 * scale), height + 2)
    button = header.view_button
    assert button is not None
    assert header.lines == 2
    # Nearer to its own badge than to that of the row below.
    inside = button.y() - header.badge_rect.bottom()
    between = header.height() - 2 + PLOT_GAP - button.geometry().bottom() - 1 + header.badge_rect.top()
    assert 4 <= inside <= between
    assert header.badge_rect.top() >= 0
    assert header.rect().contains(button.geometry())


def test_a_title_shrinks_before_it_is_cut_and_never_below_three_quarters(qtbot: QtBot) -> None:
    column = QWidget()
    qtbot.addWidget(column)
    look = Look(LIGHT, 2.0)
    title = "RNN short-term memory"
    header = RowHeader(replace(unit_row("input", 10, 4), title=title), look, column)
    column.show()
    whole = look.metrics(Text.ROW_LABEL).horizontalAdvance(title)
    beside = look.badge + HALF_GRID
    sizes = {}
    for share in (1.3, 0.95, 0.85, 0.6):
        header.resize(round(whole * share + beside), 100)
        assert header.lines > 1, "the button stands below"
        sizes[share] = header.title_font.pixelSize()
        drawn = QFontMetricsF(header.title_font).horizontalAdvance(header.title_shown)
        assert drawn <= header.title_room
        assert (header.title_shown == title) == (share > 0.75), share
    usual = look.font(Text.ROW_LABEL).pixelSize()
    assert sizes[1.3] == usual > sizes[0.95] > sizes[0.85] > sizes[0.6] == math.ceil(0.75 * usual)
    header.set_row(replace(unit_row("input", 10, 4), title="RNN"))
    assert header.title_font.pixelSize() == usual, "another title has its own size"


@pytest.mark.parametrize("level", [1.0, 50.0, 0.005, 2e-3, 5e-4, 2e-7])
def test_the_margin_has_room_for_the_ends_of_any_range(qtbot: QtBot, level: float) -> None:
    look = Look(LIGHT)
    widest = max(look.metrics(Text.TICK).horizontalAdvance(format_tick(end, signed=True)) for end in (-level, level))
    assert GRID + COLOUR_BAR_WIDTH + HALF_GRID + widest <= look.side_width


@pytest.mark.parametrize("scale", [0.8, 1.0, 2.0])
def test_numbers_beside_a_plot_never_lie_over_each_other(qtbot: QtBot, scale: float) -> None:
    del qtbot
    look = Look(LIGHT, scale)
    high = look.metrics(Text.TICK).capHeight()
    for levels in ((-50.0, 50.0), (0.0, 1.0)):
        row = replace(unit_row("heat", 10, 16), levels=levels)
        item = HeatItem(row, UnitData(row), look)
        for height in range(31, 120):
            item.place(TimeScale(200.0, 400.0, 1.0, 0, 10), 0.0, float(height))
            right = sorted(y for y, _ in item._bar_labels(high / 2 + 2))
            assert right
            assert all(b - a > high for a, b in pairwise(right)), f"{height} pixels: {right}"
            left = sorted(item._inside(label.y) for label in item.left_labels())
            assert left
            assert all(b - a > high for a, b in pairwise(left)), f"{height} pixels: {left}"
        texts = [text for _, text in item._bar_labels(high / 2 + 2)]
        assert texts[:2] == (["+50", "−50"] if levels[0] else ["1", "0"])
    item.place(TimeScale(200.0, 400.0, 1.0, 0, 10), 0.0, high * 1.5)
    assert [text for _, text in item._bar_labels(high / 2 + 2)] == ["0…1"]


def test_labels_are_fitted_to_the_ticks_once_whether_rows_move_or_not(
    stack: PlotStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = make_state()
    stack.apply(state)
    fitted: list[str] = []
    usual = RowHeader.set_reaches

    def set_reaches(self: RowHeader, reaches: list[Reach], gap: float) -> None:
        fitted.append(self.accessibleName())
        usual(self, reaches, gap)

    monkeypatch.setattr(RowHeader, "set_reaches", set_reaches)
    titles = [row.title for row in state.rows]
    stack.apply(replace(state, selected={"lstm.0": 3}))
    assert fitted == titles
    fitted.clear()
    stack.apply(replace(state, rows=state.rows[1:]))
    assert fitted == titles[1:]
