"""The horizon in the window: opened by key and by command, answered by the worker, stopped by cancelling."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDockWidget, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from lstm_studio.engine.trace import Trace
from lstm_studio.networks.signals import Labels
from lstm_studio.session.horizon import MemoryHorizon
from lstm_studio.session.state import Recorded
from lstm_studio.session.whose_loss import WhoseLoss
from lstm_studio.ui.explore.horizon.lag_page import Measure
from lstm_studio.ui.explore.horizon.panel import HorizonPanel, Page
from lstm_studio.ui.window import StudioWindow
from tests.ui.explore.fakes import small_setup
from tests.ui.opened import opened_window, press
from tests.ui.slow_computer import FakeComputer

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


def panel_of(window: StudioWindow) -> HorizonPanel:
    panel = window.panel("horizon")
    assert isinstance(panel, HorizonPanel)
    return panel


def test_it_is_hidden_at_first_and_a_key_opens_and_closes_it(qtbot: QtBot) -> None:
    computer = FakeComputer()
    with opened_window(computer) as window:
        assert window.shown_panel("horizon") is None
        assert not any(isinstance(request, MemoryHorizon) for request in computer.begun)
        press(window, Qt.Key.Key_H)
        panel = panel_of(window)
        qtbot.waitUntil(panel.lag_page.isVisible, timeout=3000)
        assert panel.lag_page._table.texts()[0] == ("LSTM cell state", "> 19", "> 19")
        press(window, Qt.Key.Key_H)
        assert window.shown_panel("horizon") is None
        asked = len(computer.begun)
        window.session.move_cursor(4)
        window.session.change("Show sequence 2", item=1)
        qtbot.waitUntil(lambda: not window.session.waiting)
        assert not any(isinstance(request, MemoryHorizon) for request in computer.begun[asked:])


def test_commands_open_its_pages_and_the_row_of_jacobians(qtbot: QtBot) -> None:
    with opened_window() as window:
        window.command_actions["horizon.itemised"].trigger()
        panel = panel_of(window)
        qtbot.waitUntil(panel.loss_page.maps.isVisible, timeout=3000)
        window.command_actions["horizon.saturation"].trigger()
        assert panel.gate_page.plots.isVisible()
        window.command_actions["horizon.jacobian-row"].trigger()
        assert window.session.setup.memory
        assert window.command_actions["horizon.jacobian-row"].isChecked()
        assert window.session.undo_text == "Show the Jacobians"


def test_of_a_recorded_step_it_says_what_is_missing_and_asks_nothing(qtbot: QtBot) -> None:
    computer = FakeComputer()
    setup = replace(small_setup(), recorded=Recorded("runs/mine", 50, 0))
    with opened_window(computer, setup=setup) as window:
        window.show_panel("horizon", True)
        panel = panel_of(window)
        panel.show_page(Page.LAG)
        qtbot.waitUntil(panel.lag_page.isVisible, timeout=3000)
        jacobian = panel.lag_page._measure.button(Measure.JACOBIAN)
        assert not jacobian.isEnabled()
        assert "recorded step" in jacobian.toolTip()
        panel.show_page(Page.LOSS)
        assert panel._empty.isVisible()
        assert "not the network itself" in panel._empty.text()
        assert "sending each loss back" in panel._empty.text()
        assert not panel.loss_page.isVisible()
        assert not panel._again.isVisible()
        assert not panel._row.isVisible()
        panel.show_page(Page.GATES)
        assert panel.gate_page.isVisible()
        bare = window.session.result
        traces = tuple(_without(trace, "norm.grad.") for trace in bare.traces)
        window.session.accept(replace(bare, traces=traces))
        panel.show_page(Page.LAG)
        assert "gradients were not recorded" in panel._empty.text()
        assert not any(isinstance(request, MemoryHorizon | WhoseLoss) for request in computer.begun)


def _without(trace: Trace, begin: str) -> Trace:
    arrays = {name: trace[name] for name in trace.names if not name.startswith(begin)}
    return Trace(arrays, trace.layers, trace.provenance)


def test_a_measurement_can_be_cancelled_and_started_again(qtbot: QtBot) -> None:
    computer = FakeComputer()
    with opened_window(computer) as window:
        qtbot.waitUntil(lambda: not window.runner.busy and not window.session.waiting)
        computer._gate.clear()
        window.show_panel("horizon", True)
        panel = panel_of(window)
        panel.show_page(Page.LOSS)
        again = next(button for button in panel.findChildren(QPushButton) if button.text() == "Measure again")
        qtbot.waitUntil(again.isVisible, timeout=3000)
        qtbot.waitUntil(lambda: any(isinstance(request, WhoseLoss) for request in computer.begun), timeout=3000)
        window.runner.cancel()
        computer.release()
        qtbot.wait(50)
        assert not panel.loss_page.isVisible()
        again.click()
        qtbot.waitUntil(panel.loss_page.maps.isVisible, timeout=3000)


def test_floating_it_is_wide_and_docked_again_narrow(qtbot: QtBot) -> None:
    with opened_window() as window:
        window.show_panel("horizon", True)
        panel = panel_of(window)
        qtbot.waitUntil(panel.lag_page.isVisible, timeout=3000)
        dock = window.findChild(QDockWidget, "dock-horizon")
        assert isinstance(dock, QDockWidget)
        docked = dock.width()
        button = next(one for one in dock.findChildren(QToolButton) if "loat" in one.accessibleName())
        button.click()
        assert dock.isFloating()
        dock.resize(900, 600)
        qtbot.waitUntil(lambda: 400 < panel.lag_page.plot.width() < 700)
        button.click()
        QApplication.processEvents()
        assert not dock.isFloating()
        assert panel.isVisible()
        qtbot.waitUntil(lambda: dock.width() <= docked + 20)
        assert panel.lag_page.plot.width() > 250


@pytest.mark.parametrize("labels", Labels)
def test_no_page_pushes_the_plots_aside(qtbot: QtBot, labels: Labels) -> None:
    with opened_window() as window:
        window.session.look(labels=labels)
        window.show_panel("horizon", True)
        panel, found = panel_of(window), []
        for page in Page:
            panel.show_page(page.value)
            qtbot.waitUntil(lambda: window.runner.idle, timeout=20_000)
            for _ in range(4):
                QApplication.processEvents()
            found.append(window.workspace.stack.width())
        assert panel.loss_page.maps.isVisibleTo(panel.loss_page)
        assert len(set(found)) == 1, found
        names = [panel.loss_page._memory.button(key).accessibleName() for key in ("0", "1")]
        kinds = (
            ("Cell state", "Hidden state") if labels is Labels.STANDARD else ("Long-term memory", "Short-term memory")
        )
        assert names == [f"Gradient of: {kind}" for kind in kinds]
