"""The hints of the first start: shown once, in the way of nothing, and never again when they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from lstm_studio.session.settings import Settings, load_settings
from lstm_studio.ui.hints import Hints
from lstm_studio.ui.notices import Level
from lstm_studio.ui.window import StudioWindow
from lstm_studio.ui.workspaces import EXPLORE
from tests.ui.opened import opened_window, press

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[StudioWindow]:
    with opened_window() as opened:
        opened.greet()
        yield opened


def shown(window: StudioWindow) -> Hints | None:
    return window.hints


def test_three_hints_one_after_the_other_each_inside_the_window(window: StudioWindow) -> None:
    titles = []
    for size in ((1600, 1000), (1024, 640), (1366, 768)):
        window.resize(*size)
        assert window.hints is not None
        titles.append(window.hints.hint.title)
        assert window.rect().contains(window.hints.geometry())
        QTest.mouseClick(window.hints.next_button, Qt.MouseButton.LeftButton)
    assert len(set(titles)) == 3
    assert window.hints is None
    assert window.settings.hints_read


def test_they_leave_the_keyboard_where_it_was(window: StudioWindow) -> None:
    assert window.focusWidget() is window.workspace.stack
    window.session.move_cursor(3)
    press(window, Qt.Key.Key_Right)
    assert window.session.view.cursor == 4
    assert window.hints is not None


def test_escape_or_the_link_ends_them_for_good(window: StudioWindow, qtbot: QtBot) -> None:
    window.command_actions["view.dismiss"].trigger()
    assert window.hints is None
    window.greet()
    assert shown(window) is None
    window.command_actions["help.hints"].trigger()
    again = shown(window)
    assert again is not None
    again.close_button.click()
    assert shown(window) is None


def test_who_has_read_them_does_not_see_them(qtbot: QtBot) -> None:
    with opened_window(settings=Settings(hints_read=True)) as window:
        window.greet()
        assert window.hints is None


def test_they_wait_while_another_workspace_is_shown(window: StudioWindow) -> None:
    hints = window.hints
    assert hints is not None
    for key in ("train", "monitor"):
        window.show_workspace(key)
        window.resize(1500, 900)
        assert not hints.isVisible()
        window.command_actions["view.dismiss"].trigger()
        assert window.hints is hints, "what cannot be seen is not closed"
    window.show_workspace(EXPLORE)
    assert hints.isVisible()
    window.show_workspace("monitor")
    window.command_actions["help.hints"].trigger()
    assert window.current_workspace == EXPLORE
    assert window.hints is not None
    assert window.hints.isVisible()


@pytest.mark.parametrize("size", [(1600, 1000), (1366, 768), (1920, 1040)])
def test_they_do_not_cover_what_a_notice_offers(window: StudioWindow, size: tuple[int, int]) -> None:
    window.resize(*size)
    QApplication.processEvents()
    for _ in range(3):
        hints = window.hints
        assert hints is not None
        alone = hints.geometry()
        window.note(Level.WARNING, "The session of 14:03 today was not saved: Temporal order, with a note." * 2)
        QApplication.processEvents()
        board = window.stage.notices
        there = QRect(board.mapTo(window, QPoint()), board.size())
        assert not hints.geometry().intersects(there)
        assert window.rect().contains(hints.geometry())
        board.clear()
        QApplication.processEvents()
        assert hints.geometry() == alone
        hints.go_on()


def test_that_they_were_read_outlasts_a_crash(qtbot: QtBot, tmp_path: Path) -> None:
    with opened_window(settings_path=tmp_path / "settings.json") as window:
        window.greet()
        window.session.look(speed=16.0)
        window.command_actions["view.dismiss"].trigger()
        window.scale_text(125)
        # What is on the disk while the window is still open is what a killed program leaves.
        left = load_settings(tmp_path / "settings.json").settings
        assert (left.hints_read, left.speed, left.font_scale) == (True, 16.0, 125)


_LEFT = ("sequence", "networks", "units")


def draws(window: StudioWindow, on: bool) -> None:
    window.session.look(diagram=on)


def docks(window: StudioWindow, on: bool) -> None:
    for key in _LEFT:
        window.arrangement.docks[key].setFloating(not on)


def shows(window: StudioWindow, on: bool) -> None:
    for key in _LEFT:
        window.show_panel(key, on)


def writes_small(window: StudioWindow, on: bool) -> None:
    window.scale_text(100 if on else 200)


def comes_back(window: StudioWindow, on: bool) -> None:
    window.show_workspace(EXPLORE if on else "train")


@pytest.mark.parametrize("shown_one", range(3))
@pytest.mark.parametrize("move", [draws, docks, shows, writes_small, comes_back])
def test_ring_and_card_stay_with_their_place_whatever_moves_it(
    window: StudioWindow, move: Callable[[StudioWindow, bool], None], shown_one: int
) -> None:
    hints = window.hints
    assert hints is not None
    for _ in range(shown_one):
        hints.go_on()
    for on in (False, True):
        move(window, on)
        for _ in range(5):
            QApplication.processEvents()
        if not hints.isVisible():
            assert (move, on) == (comes_back, False)
            continue
        place = hints.hint.place
        around = QRect(place.mapTo(window, QPoint()), place.size())
        assert hints.ring == around.adjusted(-2, -2, 2, 2).intersected(window.rect())
        room = max(around.top(), window.height() - around.bottom())
        assert room < hints.height() + 24 or not hints.geometry().intersects(around)
        assert window.rect().contains(hints.geometry())


@pytest.mark.parametrize("percent", [80, 100, 150, 200])
def test_nothing_of_a_hint_is_cut_at_any_size_of_text(window: StudioWindow, percent: int) -> None:
    window.resize(1366, 720)
    window.scale_text(percent)
    QApplication.processEvents()
    for _ in range(3):
        hints = window.hints
        assert hints is not None
        for part in hints.findChildren(QLabel):
            assert part.width() >= part.minimumSizeHint().width(), part.text()
            needed = part.heightForWidth(part.width()) if part.wordWrap() else part.sizeHint().height()
            assert part.height() >= needed, part.text()
        hints.go_on()
