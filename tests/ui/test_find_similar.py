"""Units, stretches and the search in the whole window, with the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lstm_studio.progress import ignore_progress
from lstm_studio.session.compute import Answer, Answered, Request
from lstm_studio.session.similar import FindSimilar
from lstm_studio.session.state import UnitFilter, UnitOrder
from lstm_studio.ui.explore.similar.panel import SimilarPanel
from lstm_studio.ui.explore.units_panel import UnitsPanel
from lstm_studio.ui.plots.canvas import Canvas
from lstm_studio.ui.window import StudioWindow
from tests.ui.explore.fakes import small_setup, symbol_set
from tests.ui.explore.similar.fakes import Shelves
from tests.ui.opened import opened_window, press
from tests.ui.slow_computer import FakeComputer

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


def search(request: Request) -> Answer | None:
    return Answered(request.answer(Shelves(), ignore_progress)) if isinstance(request, FindSimilar) else None


@pytest.fixture
def window() -> Iterator[StudioWindow]:
    with opened_window(FakeComputer(rule=search), setup=small_setup(symbol_set(steps=40))) as opened:
        yield opened


def stretch(window: StudioWindow) -> tuple[int, int] | None:
    """The marked stretch; a call, so that a type checker does not take it for unchanged."""
    return window.session.view.marked


def test_mark_find_go_and_unmark_without_a_mouse(window: StudioWindow, qtbot: QtBot) -> None:
    session, stack = window.session, window.workspace.stack
    press(stack, Qt.Key.Key_Home)
    for _ in range(4):
        press(stack, Qt.Key.Key_Right)
    press(stack, Qt.Key.Key_M)
    assert stretch(window) == (4, 5)
    for _ in range(2):
        press(stack, Qt.Key.Key_Right)
    assert stretch(window) == (4, 7)
    press(stack, Qt.Key.Key_M)
    press(stack, Qt.Key.Key_End)
    assert stretch(window) == (4, 7)
    assert stack.stretch_item.stretch == window.transport.scrub.stretch == (4, 7)
    # The threshold, so that some units are on.
    panel = cast(SimilarPanel, window.panel("similar"))
    press(stack, Qt.Key.Key_F)
    assert panel.isVisible()
    panel._threshold.setFocus()
    panel._threshold.selectAll()
    QTest.keyClicks(panel._threshold, "-0.9")
    QTest.keyClick(panel._threshold, Qt.Key.Key_Return)
    press(stack, Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is stack
    press(stack, Qt.Key.Key_F)
    qtbot.waitUntil(lambda: panel.found_list.found_model.rowCount() > 1)
    assert QApplication.focusWidget() is panel.found_list
    second = panel.found_list.found_model.listed.found[1]
    press(stack, Qt.Key.Key_Down)
    press(stack, Qt.Key.Key_Return)
    assert stretch(window) == (second.start, second.stop)
    assert session.view.cursor == second.stop - 1
    press(stack, Qt.Key.Key_Escape)
    assert stretch(window) is not None
    assert QApplication.focusWidget() is stack
    press(stack, Qt.Key.Key_Escape)
    assert stretch(window) is None


def test_a_stretch_that_was_only_begun_is_given_up_with_escape(window: StudioWindow) -> None:
    stack = window.workspace.stack
    window.session.look(stretch=(1, 3), cursor=8)
    press(stack, Qt.Key.Key_M)
    press(stack, Qt.Key.Key_Left)
    assert stretch(window) == (7, 9)
    press(stack, Qt.Key.Key_Escape)
    assert stretch(window) == (1, 3)


def test_the_slider_keeps_the_arrows_while_it_has_the_keyboard(window: StudioWindow) -> None:
    window.session.look(stretch=(2, 5), cursor=7)
    window.show_panel("similar", True)
    panel = cast(SimilarPanel, window.panel("similar"))
    panel._slider.setFocus()
    before = panel._slider.value()
    press(panel, Qt.Key.Key_Right)
    assert panel._slider.value() == before + 1
    assert window.session.view.cursor == 7


def test_orders_pins_and_filter_have_their_keys(window: StudioWindow) -> None:
    session, stack = window.session, window.workspace.stack
    session.select_unit("0:lstm.0", 3)
    press(stack, Qt.Key.Key_P)
    assert dict(session.remarks.pinned) == {"0:lstm.0": (3,)}
    orders = []
    for _ in range(3):
        press(stack, Qt.Key.Key_O)
        orders.append(session.view.order)
    assert orders == [UnitOrder.ACTIVITY, UnitOrder.SIMILARITY, UnitOrder.INDEX]
    press(stack, Qt.Key.Key_Slash)
    panel = cast(UnitsPanel, window.panel("units"))
    assert QApplication.focusWidget() is panel.filter_field
    QTest.keyClicks(panel.filter_field, "1, 4")
    QTest.keyClick(panel.filter_field, Qt.Key.Key_Return)
    assert session.view.unit_filter == UnitFilter(listed=(1, 4))
    press(stack, Qt.Key.Key_Escape)
    walked = []
    for _ in range(4):
        press(stack, Qt.Key.Key_Down)
        walked.append(session.view.units["0:lstm.0"])
    assert walked == [1, 4, 4, 4]
    press(stack, Qt.Key.Key_Up)
    press(stack, Qt.Key.Key_Up)
    assert session.view.units["0:lstm.0"] == 3


def test_next_unit_follows_activity(window: StudioWindow) -> None:
    session, stack = window.session, window.workspace.stack
    window.command_actions["units.by-activity"].trigger()
    activities = np.abs(session.result.traces[0]["lstm.0.hidden_state"]).mean(axis=0)
    expected = np.argsort(-activities).tolist()
    session.select_unit("0:lstm.0", expected[0])
    walked = [expected[0]]
    for _ in range(4):
        press(stack, Qt.Key.Key_Down)
        walked.append(session.view.units["0:lstm.0"])
    assert walked == expected
    heat: Any = stack.row_item("0.hidden_state")
    assert [heat.unit_at((place + 0.5) * heat.height / 5) for place in range(5)] == expected


def test_what_is_marked_and_found_is_drawn_in_the_window(window: StudioWindow, qtbot: QtBot) -> None:
    window.session.look(stretch=(5, 9))
    panel = cast(SimilarPanel, window.panel("similar"))
    window.show_panel("similar", True)
    panel._threshold.setValue(-0.95)
    panel.search()
    qtbot.waitUntil(panel.found_list.isVisible)
    picture = window.grab().toImage()
    assert picture.format() != QImage.Format.Format_Invalid
    assert panel.found_list.height() > 0


def test_a_search_that_is_cancelled_leaves_the_last_list_to_go_on_with(qtbot: QtBot) -> None:
    computer = FakeComputer(rule=search)
    with opened_window(computer, setup=small_setup(symbol_set(steps=40))) as window:
        window.show_panel("similar", True)
        panel = cast(SimilarPanel, window.panel("similar"))
        window.session.look(stretch=(5, 9))
        panel._threshold.setValue(-0.95)
        panel.search()
        qtbot.waitUntil(lambda: panel.found_list.found_model.rowCount() > 1)
        before = panel.found_list.found_model.listed
        computer._gate.clear()
        panel.search()
        qtbot.waitUntil(lambda: window.runner.busy)
        window.runner.cancel()
        qtbot.waitUntil(lambda: not window.runner.busy)
        assert panel.found_list.found_model.listed is before
        panel.found_list.setCurrentIndex(panel.found_list.found_model.index(1))
        panel.found_list.setFocus()
        press(panel.found_list, Qt.Key.Key_Return)
        assert stretch(window) == (before.found[1].start, before.found[1].stop)
        computer.release()


def test_an_end_is_dragged_in_a_plot_undone_and_done_again(window: StudioWindow, qtbot: QtBot) -> None:
    stack = window.workspace.stack
    window.session.mark("Mark a stretch", (10, 15))
    window.show_panel("similar", True)
    panel = cast(SimilarPanel, window.panel("similar"))
    panel._threshold.setValue(-0.95)
    panel.search()
    qtbot.waitUntil(lambda: panel.found_list.found_model.rowCount() > 1)
    item = stack.row_item("0.cell_state")
    scale, y = item.scale_of_time, item.y() + item.height / 2
    canvas = stack.findChild(Canvas)
    assert canvas is not None
    canvas.pressed.emit(QPointF(scale.column_edges(14)[1] + 1, y))
    for step in (16, 17, 20):
        canvas.dragged.emit(QPointF(sum(scale.column_edges(step)) / 2, y))
    canvas.released.emit()
    assert stretch(window) == (10, 21)
    qtbot.waitUntil(lambda: panel.found_list.found_model.listed.found[0].stop == 21)
    assert window.session.undo_text == "Move an end of the stretch"
    window.command_actions["edit.undo"].trigger()
    assert stretch(window) == (10, 15)
    qtbot.waitUntil(lambda: panel.found_list.found_model.listed.found[0].stop == 15)
    window.command_actions["edit.redo"].trigger()
    assert stretch(window) == (10, 21)
    canvas.dragged.emit(QPointF(sum(scale.column_edges(2)) / 2, y))
    assert stretch(window) == (10, 21), "it was let go"
    assert window.session.view.cursor == 2


def test_undo_goes_back_from_where_one_went_to_what_was_marked(window: StudioWindow, qtbot: QtBot) -> None:
    window.session.mark("Mark a stretch", (10, 13))
    window.show_panel("similar", True)
    panel = cast(SimilarPanel, window.panel("similar"))
    panel._threshold.setValue(-0.95)
    panel.search()
    qtbot.waitUntil(lambda: panel.found_list.found_model.rowCount() > 2)
    for row in (1, 2):
        panel.found_list.gone_to.emit(row)
    found = panel.found_list.found_model.listed.found[2]
    assert stretch(window) == (found.start, found.stop)
    window.command_actions["edit.undo"].trigger()
    assert stretch(window) == (10, 13)
