"""The rows at the top of the window: whole words in windows of any size."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.ui.theme import GRID
from lstm_studio.ui.window import ONE_ROW_BELOW_HEIGHT
from tests.ui.opened import opened_window

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


@pytest.mark.parametrize(
    ("size", "left_out"),
    [((960, 560), 3), ((1000, 600), 2), ((1100, 600), 1), ((1366, 600), 0), ((960, 700), 0), ((1600, 1000), 0)],
)
def test_of_the_tools_those_that_the_menus_have_give_way_and_words_stay_whole(
    qtbot: QtBot, size: tuple[int, int], left_out: int
) -> None:
    with opened_window(size=size) as window:
        for _ in range(3):
            QApplication.processEvents()
        header = window.header
        bar = header.menu_bar
        ends = [bar.actionGeometry(action).right() for action in bar.actions()]
        assert max(ends) <= bar.width(), "no menu hides behind an arrow"
        parts: list[QWidget] = [bar, header.workspaces, header.find_button, header.open_button, header._labels]
        for part in parts:
            assert not part.isVisible() or part.width() >= part.minimumSizeHint().width()
        tools = (header._devices, header._samples, header._labels)
        assert [tool.isVisible() for tool in tools] == [False] * left_out + [True] * (3 - left_out)
        window.resize(1600, 1000)
        QApplication.processEvents()
        assert all(tool.isVisible() for tool in tools)


@pytest.mark.parametrize("percent", [125, 150, 200])
@pytest.mark.parametrize("size", [(960, 560), (960, 768), (1366, 768), (1366, 600)])
def test_large_text_hides_no_menu_and_lets_nothing_lie_over_anything_else(
    qtbot: QtBot, size: tuple[int, int], percent: int
) -> None:
    with opened_window(size=size) as window:
        window.scale_text(percent)
        for _ in range(6):
            QApplication.processEvents()
        header = window.header
        bar = header.menu_bar
        assert max(bar.actionGeometry(action).right() for action in bar.actions()) <= bar.width()
        one_row = size[1] < ONE_ROW_BELOW_HEIGHT
        menus: list[QWidget] = [bar, header.workspaces, header.find_button]
        tools: list[QWidget] = [*header._buttons, header._samples, header._name, header._devices, header._labels]
        for row in ([*menus, *tools],) if one_row else (menus, tools):
            shown = [part for part in row if part.isVisible()]
            places = [QRect(part.mapTo(header, QPoint()), part.size()) for part in shown]
            assert all(before.right() < after.left() for before, after in pairwise(places))
            assert places[-1].right() < header.width()
            for part, place in zip(shown, places, strict=True):
                assert place.width() >= part.minimumSizeHint().width(), part
        assert header.find_button.width() >= header.find_button._icon.sizeHint().width() + GRID
        window.scale_text(100)
        window.resize(1600, 1000)
        for _ in range(6):
            QApplication.processEvents()
        assert all(tool.isVisible() for tool in (*tools, *header._titles, header.find_button._words))
