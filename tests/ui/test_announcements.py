"""Notices and hints for those who do not see them: they are said, and the keyboard reaches them and comes back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.errors import SequenceError
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.sequences.options import ReadOptions
from lstm_studio.session.compute import Compute, OpenFile, Request
from lstm_studio.session.settings import Settings
from lstm_studio.ui.notices import Level, Notice, Offer
from lstm_studio.ui.window import StudioWindow
from tests.ui.heard import listening
from tests.ui.opened import opened_window, press
from tests.ui.slow_computer import FakeComputer

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


def in_sight(part: QWidget) -> bool:
    """Return whether all of a part can be seen: nothing cuts it."""
    return part.visibleRegion().boundingRect() == part.rect()


@pytest.mark.parametrize("percent", [100, 200])
def test_the_newest_of_long_notices_is_in_sight_with_its_buttons_and_tab_scrolls_to_the_others(
    window: StudioWindow, percent: int
) -> None:
    window.resize(1366, 720)
    window.scale_text(percent)
    offer = Offer("Fill forward", OpenFile("c.csv", ReadOptions()))
    for number in range(3):
        long = f"/home/somebody/{'x' * 150}.csv, number {number}: {'one of many words ' * 12}"
        window.show_notice(Notice(Level.ERROR, long, "Correct it. " * 12, offers=(offer,)))
    for _ in range(5):
        QApplication.processEvents()
    board = window.stage.notices
    assert window.stage.rect().contains(board.geometry())
    assert all(in_sight(button) for button in board.buttons[:2])
    for _ in board.buttons:
        press(window, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        assert focused in board.buttons
        assert in_sight(focused), focused_text()
    for label in board.findChildren(QLabel):
        assert label.minimumSizeHint().width() <= label.width(), label.text()
    # Each can be closed, and the rest takes no more room than it needs.
    while board.dismiss():
        QApplication.processEvents()
    assert not board.isVisible()


@pytest.mark.parametrize(
    ("cure", "shown"),
    [
        ("Choose what becomes of them (ReadOptions.missing = FORWARD).", "Choose what becomes of them."),
        (
            "Choose a network for 1 feature (input_size=1), or a sequence with 8 features.",
            "Choose a network for 1 feature, or a sequence with 8 features.",
        ),
    ],
)
def test_a_cure_names_no_option_of_the_library(cure: str, shown: str, qtbot: QtBot) -> None:
    def refuse(request: Request) -> None:
        if isinstance(request, OpenFile | Compute):
            raise SequenceError("That has gaps.", cure)

    with opened_window(FakeComputer(rule=refuse)) as other:
        board = other.stage.notices
        for computing in (False, True):
            if computing:
                other.session.change("Change the seed", network=NetworkSpec(seed=5))
            else:
                other.runner.open_sequence("a.csv")
            qtbot.waitUntil(lambda: bool(board.notices))
            assert board.notices[0].cure == shown
            board.clear()


def test_what_a_key_switches_is_said(window: StudioWindow) -> None:
    loops = window.session.view.loop
    with listening() as heard:
        press(window, Qt.Key.Key_L)
        press(window, Qt.Key.Key_L)
        press(window, Qt.Key.Key_5, Qt.KeyboardModifier.AltModifier)
    assert window.session.view.loop is loops
    first, second = ("off", "on") if loops else ("on", "off")
    assert [words for words, _ in heard] == [f"Loop {first}", f"Loop {second}", "What if panel off"]
