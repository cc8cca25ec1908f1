"""What-ifs and comparing from the whole window: menus, panels, plots and diagram lead to the same place."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QContextMenuEvent, QFontMetricsF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QToolTip
from pytestqt.qtbot import QtBot

from lstm_studio.engine.interventions import resume
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.session.compute import Computer
from lstm_studio.session.state import Branch, CompareMode, Comparison, Second, branch_key
from lstm_studio.ui.explore.rows import GRADIENT_KEY
from lstm_studio.ui.explore.sequence_panel import SequencePanel
from lstm_studio.ui.explore.sequence_table import SequenceTable
from lstm_studio.ui.explore.what_if.branch_list import BranchDelegate
from lstm_studio.ui.explore.what_if.form import Change, Place
from lstm_studio.ui.explore.what_if.hold_forms import ClampForm
from lstm_studio.ui.explore.what_if.panel import WhatIfPanel
from lstm_studio.ui.explore.what_if.plot_menu import PlotMenu
from lstm_studio.ui.plots.rows import GradientRow
from lstm_studio.ui.theme import Text
from lstm_studio.ui.widgets.text import text_font
from lstm_studio.ui.window import StudioWindow
from tests.ui.opened import opened_window


def opened_form(window: StudioWindow) -> Change | None:
    return panel_of(window).opened


def panel_of(window: StudioWindow) -> WhatIfPanel:
    panel = window.panel("what-if")
    assert isinstance(panel, WhatIfPanel)
    return panel


def test_a_value_dragged_in_a_diagram_is_a_what_if(qapp: QApplication) -> None:
    with opened_window() as window:
        window.workspace.value_dragged.emit(0, "lstm.0.forget_gate", 3, 5, 0.2)
        (branch,) = window.session.setup.branches
        assert branch.clamp == (("lstm.0.forget_gate", ((3, 0.2),)),)
        assert (branch.at, branch.until) == (5, 6)
        assert window.session.undo_text == "What if: Forget gate of unit 3 = 0.2 at 6"


def test_commands_and_the_menu_of_the_plots_open_forms_even_in_a_hidden_panel(qapp: QApplication) -> None:
    with opened_window() as window:
        window.show_panel("what-if", False)
        window.command_actions["what-if.ablate"].trigger()
        panel = panel_of(window)
        assert panel.isVisible()
        assert opened_form(window) is Change.ABLATE
        window.workspace.what_if_requested.emit(Change.CLAMP, Place(0, "cell_state", 2, 8))
        assert opened_form(window) is Change.CLAMP
        form = panel.form(Change.CLAMP)
        assert isinstance(form, ClampForm)
        assert (form.signal.currentData(), form.units.text(), form.steps.first.value()) == ("cell_state", "2", 9)


@pytest.mark.qt_log_ignore("This plugin does not support")  # what a menu asks of a window system
def test_the_menu_key_in_the_plots_offers_what_can_be_changed(qapp: QApplication) -> None:
    with opened_window() as window:
        stack = window.workspace.stack
        middle = stack.rect().center()
        reason = QContextMenuEvent.Reason.Keyboard
        QApplication.sendEvent(stack, QContextMenuEvent(reason, middle, stack.mapToGlobal(middle)))
        menu = window.workspace.findChild(PlotMenu)
        assert menu is not None
        assert menu.actions()[0].text().startswith("Clamp forget gate of unit 0 from step ")
        menu.actions()[0].trigger()
        menu.close()
        assert opened_form(window) is Change.CLAMP


def test_other_sequences_and_networks_are_asked_for(qapp: QApplication) -> None:
    with opened_window() as window:
        session = window.session
        window.command_actions["compare.next-sequence"].trigger()
        assert session.setup.second == Second(item=session.setup.item + 1)
        window.command_actions["compare.untrained"].trigger()
        spec = session.setup.network
        assert session.setup.second == Second(network=NetworkSpec("lstm", 5, 1, False, spec.seed + 1))
        panel = window.panel("sequence")
        assert isinstance(panel, SequencePanel)
        panel.comparison_requested.emit(4)
        assert session.setup.second == Second(item=4)


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_a_right_click_in_the_list_compares_without_choosing(qapp: QApplication) -> None:
    with opened_window() as window:
        table = window.panel("sequence").findChild(SequenceTable)
        assert table is not None
        shown = window.session.setup.item
        place = table.visualRect(table.model().index(3, 0)).center()
        QTest.mouseClick(table.viewport(), Qt.MouseButton.RightButton, pos=place)
        reason = QContextMenuEvent.Reason.Mouse
        QApplication.sendEvent(table.viewport(), QContextMenuEvent(reason, place, table.mapToGlobal(place)))
        menu = table.findChild(QMenu)
        assert menu is not None
        assert [action.text() for action in menu.actions()] == ["Compare with sequence 4"]
        menu.actions()[0].trigger()
        menu.close()
        assert window.session.setup.second == Second(item=3)
        assert window.session.setup.item == shown


def test_playing_pauses_where_a_form_opens_so_that_it_begins_at_the_step_shown(qapp: QApplication) -> None:
    with opened_window() as window:
        window.session.move_cursor(3)
        window.transport.play()
        window.command_actions["what-if.clamp"].trigger()
        assert not window.transport.playing
        form = panel_of(window).form(Change.CLAMP)
        assert isinstance(form, ClampForm)
        assert form.steps.first.value() == window.session.view.cursor + 1


def test_the_modes_are_possible_while_something_is_compared(qapp: QApplication) -> None:
    with opened_window() as window:
        actions = window.command_actions
        assert not actions["compare.side"].isEnabled()
        assert window.workspace.compare_bar.isHidden()
        window.session.look(comparison=Comparison(branch_key("gone"), mode=CompareMode.SIDE))
        assert not actions["compare.stop"].isEnabled()
        assert window.workspace.compare_bar.isHidden()


def test_the_row_of_gradients_shows_those_of_a_what_if_as_soon_as_they_are_there(qtbot: QtBot) -> None:
    with opened_window(Computer()) as window:
        session = window.session
        panel_of(window).add(Branch("", 3, clamp=(("lstm.0.forget_gate", ((2, 0.1),)),)))

        def names() -> list[str]:
            row = next((row for row in window.workspace.stack.state.rows if row.key == GRADIENT_KEY), None)
            assert isinstance(row, GradientRow)
            return [curve.full_name for curve in row.curves]

        qtbot.waitUntil(lambda: "B LSTM ∂c" in names(), timeout=20_000)
        assert {"A LSTM ∂c", "A LSTM ∂h", "B LSTM ∂c", "B LSTM ∂h", "RNN ∂h"} == set(names())
        expected = resume(session.result.traces[0], 3, clamp={"lstm.0.forget_gate": {2: 0.1}}, gradients=True)
        row = window.workspace.stack.state.rows[-1]
        assert isinstance(row, GradientRow)
        curve = next(curve for curve in row.curves if curve.full_name == "B LSTM ∂c")
        np.testing.assert_array_equal(curve.values, expected["norm.grad.lstm.0.cell_state"])
        assert session.undo_text is not None
        assert session.undo_text.startswith("What if")
        session.look(comparison=None)
        assert set(names()) == {"LSTM ∂c", "LSTM ∂h", "RNN ∂h"}


def test_what_a_what_if_changes_is_shown_also_where_nothing_was_stepped_to_yet(qtbot: QtBot) -> None:
    with opened_window(Computer()) as window:
        session = window.session
        session.move_cursor(2)
        session.change("Compare with sequence 4", second=Second(item=3))
        qtbot.waitUntil(lambda: not session.waiting, timeout=20_000)
        assert not session.view.reveal_all
        panel_of(window).add(Branch("", 2, clamp=(("lstm.0.forget_gate", ((2, 0.1),)),)))
        qtbot.waitUntil(lambda: session.view.reveal_all, timeout=20_000)
        assert session.view.cursor == 2
        assert window.command_actions["view.show-all"].isChecked()


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_a_double_click_on_a_value_in_a_diagram_asks_for_another_one_to_be_typed(qtbot: QtBot) -> None:
    with opened_window(Computer()) as window:
        session = window.session
        session.select_unit("0:lstm.0", 3)
        session.move_cursor(2)
        QApplication.processEvents()
        view = window.workspace.deck.cards[0].view
        mark = next(mark for mark in view.diagram.strips.values() if mark.strip.tap.signal == "forget_gate")
        at = view.mapFromScene(mark.mapToScene(mark.value_rect.center()))
        view._hover(view._local(at.toPointF()), view.mapToGlobal(at))
        assert QToolTip.text().endswith("\nWhat if: drag it, or double-click to type")
        QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
        form = panel_of(window).form(Change.CLAMP)
        assert isinstance(form, ClampForm)
        assert opened_form(window) is Change.CLAMP
        assert (form.signal.currentData(), form.units.text(), form.steps.first.value()) == ("forget_gate", "3", 3)
        field = QApplication.focusWidget()
        assert field is form.value
        QTest.keyClicks(field, "0.25")
        QTest.keyClick(field, Qt.Key.Key_Return)
        (branch,) = session.setup.branches
        assert branch.clamp == (("lstm.0.forget_gate", ((3, 0.25),)),)
        assert branch.at == 2
        QToolTip.hideText()
        qtbot.waitUntil(lambda: not session.waiting, timeout=20_000)
        nowhere = view.viewport().rect().bottomLeft()
        QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=nowhere)
        assert opened_form(window) is None


def test_the_panel_gives_back_the_room_that_a_form_needed(qtbot: QtBot) -> None:
    with opened_window(size=(1366, 748)) as window:
        docks = window.arrangement.docks
        before = docks["step"].height(), docks["what-if"].height()
        window.command_actions["what-if.clamp"].trigger()
        qtbot.waitUntil(lambda: docks["what-if"].height() > before[1] + 40)
        window.command_actions["what-if.state"].trigger()
        QApplication.processEvents()
        panel_of(window).close_form()
        qtbot.waitUntil(lambda: (docks["step"].height(), docks["what-if"].height()) == before)


def test_a_new_what_if_and_each_line_that_the_keyboard_comes_to_are_in_sight_in_a_low_window(qtbot: QtBot) -> None:
    with opened_window(Computer(), size=(1366, 748)) as window:
        panel = panel_of(window)

        def await_line(place: int) -> None:
            qtbot.waitUntil(lambda: panel.list.currentIndex().row() == place, timeout=20_000)

        def in_sight() -> bool:
            room = panel._scroll.viewport()
            top = panel.list.viewport().mapTo(room, panel.list.line.topLeft()).y()
            return 0 <= top <= room.height() - panel.list.line.height()

        for step in range(4):
            window.workspace.value_dragged.emit(0, "lstm.0.forget_gate", 3, step, 0.2)
            await_line(step + 1)
            assert in_sight()
        dock = window.arrangement.docks["what-if"]
        low = dock.height()
        window.command_actions["what-if.clamp"].trigger()
        qtbot.waitUntil(lambda: dock.height() > low + 40)
        panel.form(Change.CLAMP).submit()
        await_line(5)
        qtbot.waitUntil(lambda: dock.height() == low)
        assert panel.list.hasFocus()
        for place in (5, 4, 3, 2, 1, 0):
            assert panel.list.currentIndex().row() == place
            assert in_sight()
            QTest.keyClick(panel.list, Qt.Key.Key_Up)


def test_a_long_name_is_whole_beside_the_box_also_where_the_outcome_is_long(qtbot: QtBot) -> None:
    with opened_window(Computer()) as window:
        panel = panel_of(window)
        window.workspace.value_dragged.emit(0, "lstm.0.forget_gate", 3, 2, 0.25)
        qtbot.waitUntil(lambda: panel.list.branch_model.rowCount() == 2, timeout=20_000)
        row, delegate = panel.list.branch_model.rows[1], panel.list.itemDelegate()
        assert isinstance(delegate, BranchDelegate)
        name = round(QFontMetricsF(text_font(panel.list, Text.ACTIVE)).horizontalAdvance(row.title))
        assert delegate.shown_title(QRect(0, 0, 400 + name, 41), row) == row.title
        assert delegate.shown_title(QRect(0, 0, 48 + name, 41), row) == row.title
        assert delegate.shown_title(QRect(0, 0, name, 41), row).endswith("…")
        assert panel.list.visualRect(panel.list.currentIndex()).width() >= 48 + name
