"""A comparison in a low window: rows stay in sight down to the gradient, and the cells make room where they must."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from lstm_studio.session.compute import Computer
from lstm_studio.session.session import Session
from lstm_studio.session.state import Branch, CompareMode, Comparison, branch_key
from lstm_studio.ui.explore.compare_bar import CompareBar, TwoLines
from lstm_studio.ui.explore.rows import GRADIENT_KEY
from lstm_studio.ui.plots.axis import TimeAxis
from lstm_studio.ui.theme import LIGHT
from lstm_studio.ui.window import StudioWindow
from tests.ui.explore.fakes import answer, small_setup
from tests.ui.opened import opened_window, press

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")

GATE = Branch("gate of units 0 to 2 is 1", 4, clamp=(("lstm.0.forget_gate", ((0, 1.0), (1, 1.0), (2, 1.0))),))
FRAME = 20
"""Pixels that a window's title takes on a screen."""


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[StudioWindow]:
    """A window on a screen of 1366 × 768, with a what-if."""
    with opened_window(Computer(), size=(1366, 768 - FRAME)) as made:
        made.session.change("What if", branches=(GATE,))
        qtbot.waitUntil(lambda: not made.session.waiting, timeout=20_000)
        yield made


def compare(window: StudioWindow, mode: CompareMode) -> None:
    window.session.look(comparison=Comparison(branch_key(GATE.name), mode=mode))
    QApplication.processEvents()


def cells_button(window: StudioWindow) -> QToolButton:
    buttons = window.workspace.compare_bar.findChildren(QToolButton)
    return next(button for button in buttons if button.accessibleName() == "Show cells")


def seen(window: StudioWindow) -> bool:
    """Return whether all rows are in sight, and the gradient is high enough to be read."""
    stack = window.workspace.stack
    bottom = stack.axis_item.sceneBoundingRect().top()
    gradient = stack.row_item(GRADIENT_KEY)
    return not stack._bar.isVisible() and gradient.y() + gradient.height <= bottom and gradient.height >= 40


@pytest.mark.parametrize("mode", CompareMode)
def test_the_whole_stack_is_in_sight_while_something_is_compared(window: StudioWindow, mode: CompareMode) -> None:
    assert seen(window)
    compare(window, mode)
    assert window.workspace.compare_bar.isVisible()
    assert seen(window)
    assert window.workspace.deck.isVisible() == (mode is not CompareMode.SIDE)
    window.session.look(comparison=None)
    QApplication.processEvents()
    assert window.workspace.deck.isVisible()
    assert seen(window)


@pytest.mark.parametrize("mode", CompareMode)
def test_rows_get_their_places_once_where_a_comparison_begins_or_ends(
    window: StudioWindow, mode: CompareMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bar and the cells change the height that the rows share, and the comparison changes the rows."""
    stack = window.workspace.stack
    placed: list[int] = []
    usual = TimeAxis.place

    def place(self: TimeAxis, *where: Any, **how: Any) -> None:
        if self is stack.axis_item:
            placed.append(stack.height())
        usual(self, *where, **how)

    def places() -> list[tuple[float, ...]]:
        items = [stack.row_item(row.key) for row in stack.state.rows]
        return [(item.y(), item.height, item.scale_of_time.left, item.scale_of_time.width) for item in items]

    monkeypatch.setattr(TimeAxis, "place", place)
    for comparison in (Comparison(branch_key(GATE.name), mode=mode), None):
        window.session.look(comparison=comparison)
        QApplication.processEvents()
        assert placed == [stack.height()]
        before = places()
        stack._place()
        assert places() == before
        placed.clear()


def test_cells_that_made_room_come_back_when_asked_for(window: StudioWindow) -> None:
    deck, stack = window.workspace.deck, window.workspace.stack
    cells = window.command_actions["view.diagram"]
    compare(window, CompareMode.OVERLAY)
    assert not cells_button(window).isVisible()
    assert cells.isChecked()
    compare(window, CompareMode.SIDE)
    assert cells_button(window).isVisible()
    assert not cells.isChecked()
    cells_button(window).click()
    QApplication.processEvents()
    assert deck.isVisible()
    assert stack._bar.isVisible()
    assert cells.isChecked()
    assert not cells_button(window).isVisible()
    compare(window, CompareMode.OVERLAY)
    compare(window, CompareMode.SIDE)
    assert deck.isVisible(), "it was asked for, until nothing is compared any more"
    window.session.look(comparison=None)
    compare(window, CompareMode.SIDE)
    assert not deck.isVisible()
    press(stack, Qt.Key.Key_D)
    assert deck.isVisible()
    press(stack, Qt.Key.Key_D)
    assert not deck.isVisible()
    assert not window.session.view.diagram
    assert not cells_button(window).isVisible(), "they are hidden, not in the way"


def test_a_larger_window_has_room_for_both(window: StudioWindow) -> None:
    compare(window, CompareMode.SIDE)
    assert not window.workspace.deck.isVisible()
    window.resize(1920, 1060)
    QApplication.processEvents()
    assert window.workspace.deck.isVisible()
    assert window.command_actions["view.diagram"].isChecked()
    assert seen(window)


def test_the_words_stand_beside_the_choosers_or_below_them(window: StudioWindow) -> None:
    compare(window, CompareMode.OVERLAY)
    bar = window.workspace.compare_bar
    words = bar.findChild(TwoLines)
    assert words is not None
    assert words.y() < bar.modes.geometry().bottom()
    assert bar.height() <= 40
    window.resize(1100, 768)
    QApplication.processEvents()
    assert words.y() >= bar.modes.geometry().bottom()
    assert words.width() > bar.width() - 40
    window.resize(1366, 768)
    QApplication.processEvents()
    assert words.y() < bar.modes.geometry().bottom()


def test_with_large_text_the_words_go_below_the_choosers_sooner(window: StudioWindow) -> None:
    compare(window, CompareMode.OVERLAY)
    bar = window.workspace.compare_bar
    words = bar.findChild(TwoLines)
    assert words is not None
    for percent, below in ((100, False), (150, True), (200, True), (100, False)):
        window.scale_text(percent)
        for _ in range(4):
            QApplication.processEvents()
        assert (words.y() >= bar.modes.geometry().bottom()) is below, percent
        assert words.width() > 20 * words.fontMetrics().averageCharWidth()
    # Also where the text was scaled while nothing was compared.
    window.session.look(comparison=None)
    window.scale_text(150)
    compare(window, CompareMode.OVERLAY)
    QApplication.processEvents()
    assert words.y() >= bar.modes.geometry().bottom()


def test_a_long_sentence_has_two_lines_and_no_more(qapp: QApplication) -> None:
    words = TwoLines()
    words.setText("one two three four five six seven eight nine ten eleven twelve")
    width = words.fontMetrics().horizontalAdvance(words.text())
    words.resize(width + 2, 40)
    assert words.lines() == (words.text(),)
    words.resize(width // 2 + 60, 40)
    first, second = words.lines()
    assert f"{first} {second}" == words.text()
    words.resize(width // 4, 40)
    first, second = words.lines()
    assert words.text().startswith(first)
    assert second.endswith("…")
    assert words.fontMetrics().horizontalAdvance(second) <= width // 4
    words.grab()
    assert words.toolTip() == words.text()
    words.deleteLater()


def test_the_bar_alone_offers_no_cells(qapp: QApplication) -> None:
    bar = CompareBar(Session(answer(small_setup())), LIGHT)
    asked: list[bool] = []
    bar.cells_requested.connect(lambda: asked.append(True))
    assert bar._cells.isHidden()
    bar.offer_cells(True)
    bar._cells.click()
    assert asked == [True]
    bar.deleteLater()
