"""The labels of rows, and what stands beside their plots."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.ui.numbers import format_tick
from lstm_studio.ui.plots.header import RowHeader
from lstm_studio.ui.plots.heat_item import HeatItem
from lstm_studio.ui.plots.row_item import Look
from lstm_studio.ui.plots.scale import TimeScale
from lstm_studio.ui.plots.unit_row import UnitData
from lstm_studio.ui.theme import COLOUR_BAR_WIDTH, GRID, HALF_GRID, LIGHT, Text
from tests.ui.plots.conftest import unit_row


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
