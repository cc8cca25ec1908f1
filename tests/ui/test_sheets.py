"""Pages beside the window and forms over it: as large as what is in them, and even."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtWidgets import QApplication, QMenu, QTextBrowser
from pytestqt.qtbot import QtBot

from lstm_studio.ui.export.dialogs import PictureDialog
from lstm_studio.ui.sheets import TextSheet
from lstm_studio.ui.theme import GRID
from tests.ui.opened import opened_window

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


def wait_until_all_its_width_is_seen(qtbot: QtBot, page: QTextBrowser) -> None:
    # Qt sees only after a while that nothing is as wide as it was at first.
    qtbot.waitUntil(lambda: page.horizontalScrollBar().maximum() == 0)


@pytest.mark.parametrize("percent", [100, 150, 200])
def test_a_short_page_is_whole_without_empty_paper_below_it(qtbot: QtBot, percent: int) -> None:
    with opened_window(size=(1366, 768)) as window:
        window.scale_text(percent)
        for key, scrolls in (("help.about", False), ("help.shortcuts", True)):
            window.command_actions[key].trigger()
            QApplication.processEvents()
            sheet = window.findChild(TextSheet)
            assert sheet is not None
            page = sheet.findChild(QTextBrowser)
            assert page is not None
            assert (page.verticalScrollBar().maximum() > 0) is scrolls
            wait_until_all_its_width_is_seen(qtbot, page)
            assert scrolls or sheet.height() <= page.document().size().height() + 4 * GRID
            assert sheet.height() <= window.height()
            sheet.close()
            sheet.deleteLater()
            qtbot.waitUntil(lambda: window.findChild(TextSheet) is None)


@pytest.mark.parametrize("percent", [100, 150, 200])
def test_width_and_height_have_as_much_room_and_stand_side_by_side(qtbot: QtBot, percent: int) -> None:
    with opened_window(size=(1366, 768)) as window:
        window.scale_text(percent)
        window.command_actions["file.export-picture"].trigger()
        QApplication.processEvents()
        dialog = window.findChild(PictureDialog)
        assert dialog is not None
        fields = (dialog.width_field, dialog.height_field)
        widths = [field.width() for field in fields]
        assert abs(widths[0] - widths[1]) <= 1
        assert all(field.width() >= field.sizeHint().width() for field in fields)
        gap = fields[1].x() - fields[0].x() - fields[0].width()
        assert gap <= 2 * GRID + 2 * dialog.fontMetrics().horizontalAdvance("×")
        assert fields[1].geometry().right() == dialog.colours.geometry().right()
        dialog.close()


def test_lines_of_a_menu_are_equally_high_whether_they_have_an_icon_elsewhere_or_not(qtbot: QtBot) -> None:
    with opened_window() as window:
        for percent in (100, 150):
            window.scale_text(percent)
            for entry in window.header.menu_bar.actions():
                menu = entry.menu()
                assert isinstance(menu, QMenu)
                menu.ensurePolished()
                lines = [action for action in menu.actions() if action.isVisible() and not action.isSeparator()]
                heights = [menu.actionGeometry(action).height() for action in lines]
                assert len(heights) > 2
                assert all(one == other for one, other in pairwise(heights)), (entry.text(), heights)
