"""Panels that have nothing to show: each says what to do next, wholly readable, and no longer than that is true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QPushButton, QSpinBox, QToolButton
from pytestqt.qtbot import QtBot

from lstm_studio.session.session import WITHOUT_NETWORK
from lstm_studio.session.state import Recorded
from lstm_studio.ui.command_palette import CommandPalette
from lstm_studio.ui.monitor.runs_panel import RunsPanel
from lstm_studio.ui.panels import PANELS
from lstm_studio.ui.widgets.empty import EmptyState
from lstm_studio.ui.widgets.fold import Fold
from lstm_studio.ui.window import StudioWindow
from tests.ui.explore.fakes import answer, number_set, small_setup
from tests.ui.opened import opened_window

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[StudioWindow]:
    with opened_window(size=(1366, 720)) as opened:
        yield opened


def settle() -> None:
    for _ in range(6):
        QApplication.processEvents()


def said(window: StudioWindow, key: str) -> list[str]:
    """Return what a panel says of being empty."""
    window.show_panel(key, True)
    settle()
    panel = window.shown_panel(key)
    assert panel is not None
    return [one.text() for one in panel.findChildren(EmptyState) if one.isVisible() and one.text()]


@pytest.mark.parametrize("percent", [80, 100, 200])
def test_what_an_empty_panel_says_is_seen_whole(window: StudioWindow, percent: int) -> None:
    window.scale_text(percent)
    seen = set()
    for info in PANELS:
        if said(window, info.key):
            seen.add(info.key)
            panel = window.panel(info.key)
            for one in panel.findChildren(EmptyState):
                if one.isVisible() and one.text():
                    assert one.height() >= one.heightForWidth(one.width()), f"{info.key}: {one.text()}"
    assert {"similar", "notes", "train-snapshot", "train-seeds", "train-kept", "train-result", "alarms"} <= seen
    assert "recorder" in seen


def test_without_a_run_nobody_is_asked_to_select_one(window: StudioWindow) -> None:
    for key in ("alarms", "recorder"):
        assert any("Add the folder of a run" in words for words in said(window, key)), key


def test_the_horizon_of_a_single_step_asks_for_more_of_them(window: StudioWindow, qtbot: QtBot) -> None:
    window.session.change("One step", data=number_set(count=1, steps=1), item=0)
    qtbot.waitUntil(lambda: not window.session.waiting)
    assert any("one step" in words and "open a longer one" in words for words in said(window, "horizon"))
    window.session.change("More steps", data=number_set(count=1, steps=9), item=0)
    qtbot.waitUntil(lambda: not window.session.waiting)
    assert not any("one step" in words for words in said(window, "horizon"))


@pytest.fixture
def recorded(window: StudioWindow) -> StudioWindow:
    """A window on a recorded step of a training, of which there is no network."""
    found = answer(replace(small_setup(), recorded=Recorded("/runs/a", 5, 0)))
    # What can be held is known by the network, and none was recorded.
    traces = tuple(replace(trace, origin=None) for trace in found.traces)
    window.session.show_stored("Open a step", found.setup, replace(found, traces=traces))
    settle()
    return window


def test_a_recorded_step_says_that_its_network_is_not_there_and_lets_it_be_opened(
    recorded: StudioWindow, qtbot: QtBot
) -> None:
    panels = {}
    for key in ("what-if", "networks"):
        recorded.show_panel(key, True)
        settle()
        panels[key] = recorded.panel(key)
    hints = [one.text() for one in panels["what-if"].findChildren(QLabel) if one.isVisible()]
    assert " ".join(WITHOUT_NETWORK) in hints
    assert not any("Hold a signal" in hint for hint in hints)
    (fold,) = panels["networks"].findChildren(Fold)
    fold.open()
    settle()
    controls = {
        one.accessibleName() or one.property("text"): one
        for kind in (QPushButton, QComboBox, QSpinBox, QToolButton)
        for one in panels["networks"].findChildren(kind)
        if one.isVisible() and one is not fold._head
    }
    able = {name for name, one in controls.items() if one.isEnabled()}
    assert able == {"Open checkpoint…"}
    assert {"Cell", "Units", "Seed", "Another seed", "Companion", "Open checkpoint as companion…"} <= controls.keys()
    assert all(controls[name].toolTip() == " ".join(WITHOUT_NETWORK) for name in ("Cell", "Seed", "Another seed"))
    for key in ("compare.network", "compare.untrained", "network.companion", "file.open-companion", "what-if.clamp"):
        assert not recorded.command_actions[key].isEnabled(), key
    assert recorded.command_actions["file.open-network"].isEnabled()
    recorded.session.undo()
    qtbot.waitUntil(controls["Another seed"].isEnabled)
    assert controls["Another seed"].toolTip() == "Another seed"
    assert any("Hold a signal" in one.text() for one in panels["what-if"].findChildren(QLabel) if one.isVisible())


def test_a_run_that_is_selected_and_cannot_be_read_is_not_asked_for(window: StudioWindow) -> None:
    window.show_workspace("monitor")
    window.watchlist.add(["/runs/a"])
    window.monitoring.select("/runs/a")
    assert said(window, "recorder") == ["Run A has not been read yet. If it cannot be, an alarm says why."]
    window.watchlist.remove(["/runs/a"])
    assert said(window, "recorder") == ["Add the folder of a run to see how it is recorded."]


def test_a_filter_that_no_run_passes_says_so(window: StudioWindow) -> None:
    window.show_workspace("monitor")
    assert said(window, "runs") == [], "without runs, the middle of the window says what to do"
    window.watchlist.add(["/runs/a", "/runs/b"])
    panel = window.panel("runs")
    assert isinstance(panel, RunsPanel)
    for words, empty in (("nothing like it", True), ("", False), ("/runs/zzz", True)):
        panel.filter.setText(words)
        settle()
        assert any("Fewer letters find more" in text for text in said(window, "runs")) is empty


@pytest.mark.parametrize("key", ["train-kept", "train-snapshot", "train-seeds", "train-result"])
def test_without_a_training_each_panel_says_how_to_have_one(window: StudioWindow, key: str) -> None:
    window.show_workspace("train")
    (words,) = said(window, key)
    assert "training" in words
    assert words.startswith(("Start a training", "One seed proves nothing general. Repeat"))


def test_the_palette_says_how_to_find_more(window: StudioWindow, qtbot: QtBot) -> None:
    window.command_actions["help.find-command"].trigger()
    settle()
    (palette,) = [one for one in window.findChildren(CommandPalette) if one.isVisible()]
    palette.field.setText("zzzz")
    assert palette._nothing.isVisible()
    assert "Fewer letters find more" in palette._nothing.text()
    assert palette.field.accessibleDescription() == palette._nothing.text()
    palette.close()
