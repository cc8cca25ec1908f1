"""The keyboard's way through the window: wherever it is, it can be seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.ui.explore.objective_menu import ObjectiveMenu
from lstm_studio.ui.widgets.stepper import Stepper
from lstm_studio.ui.window import StudioWindow
from tests.ui.opened import opened_window, press
from tests.ui.slow_computer import FakeComputer

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


def in_focus_colour(window: StudioWindow) -> NDArray[np.bool_]:
    """Return which pixels of the window have the colour of the focus."""
    image = window.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.bytesPerLine() // 4)
    focus = QColor(window.appearance.theme.focus).rgb() & 0xFFFFFF
    return np.asarray((rows & 0xFFFFFF) == focus)


@pytest.mark.parametrize("by_mouse", [True, False])
def test_after_cancel_the_keys_still_step(qtbot: QtBot, by_mouse: bool) -> None:
    with opened_window(FakeComputer(open_gate=False)) as window:
        window.activateWindow()
        window.workspace.stack.setFocus()
        window.session.change("Change the size", network=NetworkSpec(hidden_size=9))
        qtbot.waitUntil(window.stage.bar.isVisible)
        cancel = next(one for one in window.header.findChildren(QPushButton) if one.text() == "Cancel")
        if by_mouse:
            QTest.mouseClick(cancel, Qt.MouseButton.LeftButton)
        else:
            cancel.setFocus(Qt.FocusReason.TabFocusReason)
            press(window, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: not cancel.isVisible())
        now = QApplication.focusWidget()
        assert now is not None
        assert window.stage.isAncestorOf(now), f"{type(now).__name__} {now.accessibleName()}"
        window.session.move_cursor(0)
        press(window, Qt.Key.Key_Right)
        assert window.session.view.cursor == 1


@pytest.mark.parametrize("by_mouse", [True, False])
def test_where_the_panel_with_the_keyboard_is_hidden_the_keys_step(qtbot: QtBot, by_mouse: bool) -> None:
    with opened_window() as window:
        qtbot.wait(50)
        window.activateWindow()
        dock = window.arrangement.docks["what-if"]
        inside = next(one for one in dock.panel.findChildren(QPushButton) if one.isVisible())
        inside.setFocus(Qt.FocusReason.TabFocusReason)
        if by_mouse:
            QTest.mouseClick(dock._close, Qt.MouseButton.LeftButton)
        else:
            window.command_actions["view.panel-what-if"].trigger()
        assert dock.isHidden()
        window.session.move_cursor(0)
        press(window, Qt.Key.Key_Right)
        assert window.session.view.cursor == 1
        # One that has not the keyboard takes none along.
        window.header.open_button.setFocus(Qt.FocusReason.TabFocusReason)
        window.show_panel("what-if", True)
        window.show_panel("what-if", False)
        assert QApplication.focusWidget() is window.header.open_button


@pytest.mark.parametrize(
    ("workspace", "in_front"),
    [("explore", "step"), ("explore", "notes"), ("explore", "horizon"), ("train", ""), ("monitor", "")],
)
def test_tab_goes_through_everything_and_each_place_shows_it(qtbot: QtBot, workspace: str, in_front: str) -> None:
    with opened_window() as window:
        window.show_workspace(workspace)
        if in_front:
            # What lies behind another panel cannot be seen, so the keyboard must not be there.
            window.show_panel(in_front, True)
        if in_front == "step":
            # Only true networks have weights behind an operation.
            folds = [
                it for it in window.findChildren(QToolButton) if it.accessibleName().endswith("weights and values")
            ]
            assert len(folds) == 4
            for fold in folds:
                fold.show()
        qtbot.wait(50)
        window.activateWindow()
        window.stage.shown.setFocus() if window.stage.shown is not None else None
        qtbot.waitUntil(lambda: QApplication.focusWidget() is not None)
        seen: list[QWidget] = []
        before = in_focus_colour(window)
        while True:
            press(window, Qt.Key.Key_Tab)
            QApplication.processEvents()
            now = QApplication.focusWidget()
            assert now is not None
            if now in seen:
                break
            seen.append(now)
            shown = in_focus_colour(window)
            place = QRect(now.mapTo(window, QPoint()), now.size())
            who = f"{type(now).__name__} {now.accessibleName()!r} at {place.getRect()}"
            assert window.rect().intersects(place), who
            assert np.count_nonzero(shown & ~before) >= 20, f"{who} does not show that it has the keyboard"
            before = shown
        assert len(seen) >= 15
        assert seen[0] is now, "it goes round"


@pytest.mark.parametrize("width", [1600, 1000])
def test_tab_goes_through_diagrams_plots_and_numbers_in_the_order_in_which_they_are_read(
    qtbot: QtBot, width: int
) -> None:
    with opened_window() as window:
        window.resize(width, 900)
        qtbot.wait(50)
        workspace, inspector = window.workspace, window.arrangement.docks["step"].panel
        folds = [it for it in inspector.findChildren(QToolButton) if it.accessibleName().endswith("weights and values")]
        unit = inspector.findChild(Stepper)
        menu = inspector.findChild(ObjectiveMenu)
        assert isinstance(unit, Stepper)
        assert isinstance(menu, ObjectiveMenu)
        assert len(folds) == 4
        tabs = workspace.deck.tabs
        assert (tabs is None) is (width == 1600)
        one_at_a_time = [] if tabs is None else [tabs.button("0"), tabs.button("1")]
        views = [card.view for card in workspace.deck.cards]
        row = workspace.stack.row_header("0.forget_gate").view_button
        assert row is not None
        read = [window.header.open_button, *one_at_a_time, *views, workspace.stack, row]
        assert in_chain_of(window, read) == read
        numbers: list[QWidget] = [unit.field, *folds, menu]
        assert in_chain_of(window, numbers) == numbers
        assert workspace.deck.focusPolicy() is Qt.FocusPolicy.NoFocus


def in_chain_of(window: QWidget, wanted: Sequence[QWidget]) -> list[QWidget]:
    """Return some widgets in the order in which Tab comes to them, beginning with the first of them."""
    found, at = [wanted[0]], wanted[0].nextInFocusChain()
    while at is not None and at is not wanted[0]:
        if at in wanted:
            found.append(at)
        assert at.window() is window
        at = at.nextInFocusChain()
    return found
