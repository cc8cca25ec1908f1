"""Notices and hints for those who do not see them: they are said, and the keyboard reaches them and comes back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication
from pytestqt.qtbot import QtBot

from lstm_studio.sequences.options import ReadOptions
from lstm_studio.session.compute import OpenFile
from lstm_studio.session.settings import Settings
from lstm_studio.ui.notices import Level, Notice, Offer
from lstm_studio.ui.window import StudioWindow
from tests.ui.heard import listening
from tests.ui.opened import opened_window, press

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[StudioWindow]:
    with opened_window(settings=Settings(theme="light", hints_read=True)) as opened:
        yield opened


def focused_text() -> str:
    focused = QApplication.focusWidget()
    assert isinstance(focused, QAbstractButton)
    return focused.accessibleName() or focused.text()


def test_a_notice_is_said_with_its_cure_and_an_error_at_once(window: StudioWindow) -> None:
    with listening() as heard:
        window.note(Level.ERROR, "a.csv, line 7: ‘x’ is no number.", "Correct line 7.")
        window.note(Level.NOTE, "Saved b.csv.")
        offer = Offer("Fill forward", OpenFile("c.csv", ReadOptions()))
        window.show_notice(Notice(Level.WARNING, "c.csv has gaps.", offers=(offer,)))
    assert heard == [
        ("Error. a.csv, line 7: ‘x’ is no number. Correct line 7.", True),
        ("Saved b.csv.", False),
        ("Warning. c.csv has gaps. Tab: Fill forward.", False),
    ]


@pytest.mark.parametrize("workspace", ["explore", "train", "monitor"])
def test_tab_leads_to_the_newest_notice_and_closing_it_leads_back(window: StudioWindow, workspace: str) -> None:
    window.show_workspace(workspace)
    place = QApplication.focusWidget()
    window.note(Level.ERROR, "first")
    window.note(Level.ERROR, "second")
    QApplication.processEvents()
    reached = []
    for _ in range(2):
        press(window, Qt.Key.Key_Tab)
        reached.append(focused_text())
    assert reached == ["Copy details", "Close this notice"]
    press(window, Qt.Key.Key_Return)
    assert [notice.found for notice in window.stage.notices.notices] == ["first"]
    assert QApplication.focusWidget() is place


def test_the_hints_are_said_and_gone_through_with_the_keyboard_alone(window: StudioWindow) -> None:
    place = QApplication.focusWidget()
    with listening() as heard:
        window.show_hints()
        press(window, Qt.Key.Key_Tab)
        for button in ("Next", "Next", "Done"):
            assert focused_text() == button
            press(window, Qt.Key.Key_Return)
    said = [words for words, _ in heard]
    assert [words[:12] for words in said] == ["Hint 1 of 3.", "Hint 2 of 3.", "Hint 3 of 3."]
    assert said[0].endswith("Tab leads to the next one, Escape ends them.")
    assert "Ctrl K finds any command" in said[2]
    assert window.hints is None
    assert QApplication.focusWidget() is place
