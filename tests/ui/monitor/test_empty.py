"""What Monitor says while it follows nothing."""

from __future__ import annotations

import ast
from itertools import combinations

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.ui.monitor.code_lines import LINES, narrow
from lstm_studio.ui.monitor.empty import EmptyMonitor
from lstm_studio.ui.widgets.empty import EmptyState
from tests.ui.opened import opened_window

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


def test_the_lines_for_narrow_windows_do_the_same_and_are_shorter() -> None:
    assert ast.dump(ast.parse(narrow())) == ast.dump(ast.parse(LINES))
    assert [part for part in narrow().splitlines() if part.startswith("#")] == [
        "# before the loop:",
        "# in the loop, after optimiser.step():",
    ]
    assert max(map(len, narrow().splitlines())) < 0.6 * max(map(len, LINES.splitlines()))


@pytest.mark.parametrize("percent", [100, 150, 200])
@pytest.mark.parametrize("size", [(960, 560), (1366, 768), (1600, 1000)])
def test_all_that_says_how_to_begin_can_be_read_at_any_size(qtbot: QtBot, size: tuple[int, int], percent: int) -> None:
    with opened_window(size=size) as window:
        window.show_workspace("monitor")
        window.scale_text(percent)
        for _ in range(8):
            QApplication.processEvents()
        empty = window.findChild(EmptyMonitor)
        assert empty is not None
        code = empty.findChild(QPlainTextEdit)
        assert code is not None
        assert code.horizontalScrollBar().maximum() == code.verticalScrollBar().maximum() == 0
        assert (code.toPlainText() == LINES) == (size[0] > 1000 and percent <= 150)
        frame = empty.findChild(EmptyState)
        assert frame is not None
        content = frame.parentWidget()
        assert content is not None
        parts: list[QWidget] = [*frame.findChildren(QPushButton), *frame.findChildren(QLabel), code]
        assert len(parts) == 7
        assert content.width() <= empty.width(), "nothing is cut at the side"
        for part in parts:
            place = QRect(part.mapTo(content, QPoint()), part.size())
            assert content.rect().contains(place)
            if isinstance(part, QLabel):
                assert part.height() >= part.heightForWidth(part.width()), part
            if isinstance(part, QPushButton):
                assert part.width() >= part.minimumSizeHint().width()
        for one, other in combinations(parts, 2):
            places = [QRect(part.mapTo(content, QPoint()), part.size()) for part in (one, other)]
            assert not places[0].intersects(places[1])
