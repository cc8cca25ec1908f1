"""The rows at the top of the window: whole words in windows of any size."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

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
