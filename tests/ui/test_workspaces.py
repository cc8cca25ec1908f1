"""The workspaces: each has its panels, its commands and its layout, and finds them again as they were left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from lstm_studio.session.settings import load_settings
from lstm_studio.ui.panels import PANELS, Side
from lstm_studio.ui.window import StudioWindow
from lstm_studio.ui.workspaces import EXPLORE, WORKSPACES
from tests.ui.opened import opened_window, press

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[StudioWindow]:
    with opened_window() as opened:
        yield opened


def shown_panels(window: StudioWindow) -> set[str]:
    return {key for key, dock in window.arrangement.docks.items() if not dock.isHidden()}


def test_keys_lead_to_every_workspace_and_its_switch_says_so(window: StudioWindow) -> None:
    for info in (*WORKSPACES, *reversed(WORKSPACES)):
        press(window, getattr(Qt.Key, f"Key_{info.key_sequence}"))
        QApplication.processEvents()
        assert window.current_workspace == info.key
        checked = [other.key for other in WORKSPACES if window.command_actions[other.action].isChecked()]
        assert checked == [info.key]
        focused, centre = window.focusWidget(), window.stage.shown
        assert focused is not None
        assert centre is not None
        assert centre is focused or centre.isAncestorOf(focused)


@pytest.mark.parametrize("workspace", [info.key for info in WORKSPACES])
def test_only_its_own_panels_are_shown(window: StudioWindow, workspace: str) -> None:
    for info in WORKSPACES:
        window.show_workspace(info.key)
    window.show_workspace(workspace)
    QApplication.processEvents()
    own = {info.key for info in PANELS if info.workspace == workspace}
    first = {info.key for info in PANELS if info.workspace == workspace and info.side is not Side.TABS}
    assert first <= shown_panels(window) <= own
    for panel in PANELS:
        assert window.command_actions[panel.action].isEnabled() == (panel.key in own), panel.key


def test_each_keeps_its_layout(window: StudioWindow) -> None:
    window.show_panel("units", False)
    window.show_workspace("train")
    window.show_panel("train-kept", True)
    hidden_in_train = next(info.key for info in PANELS if info.workspace == "train" and info.side is Side.LEFT)
    window.show_panel(hidden_in_train, False)
    window.show_workspace("monitor")
    window.show_workspace(EXPLORE)
    assert "units" not in shown_panels(window)
    window.show_workspace("train")
    assert "train-kept" in shown_panels(window)
    assert hidden_in_train not in shown_panels(window)
    window.command_actions["view.reset-layout"].trigger()
    assert hidden_in_train in shown_panels(window)
    assert "train-kept" not in shown_panels(window)
    window.show_workspace(EXPLORE)
    assert "units" not in shown_panels(window), "a reset is for the workspace that is shown"


def test_the_next_window_finds_the_layouts_of_all(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    with opened_window(settings_path=path) as window:
        window.show_panel("units", False)
        window.show_workspace("train")
        window.show_panel("train-kept", True)
    loaded = load_settings(path)
    assert loaded.problems == ()
    with opened_window(settings=loaded.settings, settings_path=path) as window:
        assert window.current_workspace == EXPLORE, "every start begins with what is to be explored"
        assert "units" not in shown_panels(window)
        window.show_workspace("train")
        assert "train-kept" in shown_panels(window)


def test_a_panel_of_another_workspace_leads_there(window: StudioWindow) -> None:
    window.show_panel("train-kept", True)
    assert window.current_workspace == "train"
    assert "train-kept" in shown_panels(window)
    window.show_panel("units", False)
    assert window.current_workspace == "train", "to hide what is not to be seen leads nowhere"


def test_a_panel_that_floats_has_a_frame_and_comes_away_from_its_place(window: StudioWindow) -> None:
    dock = window.arrangement.dock("units")
    before = dock.mapToGlobal(QPoint())
    button = next(it for it in dock.findChildren(QToolButton) if it.accessibleName() == "Float Units")
    button.click()
    QApplication.processEvents()
    assert dock.isFloating()
    room = dock.screen().availableGeometry()
    assert dock.pos() != before
    assert room.left() <= dock.x()
    assert room.top() <= dock.y()
    frame = QColor(window.appearance.theme.frame).rgb()
    image = dock.grab().toImage()
    width, height = image.width(), image.height()
    # Qt leaves a pixel free around what a dock holds while it floats.
    sides = (
        [image.pixel(width // 2, inset) for inset in (0, 1)],
        [image.pixel(width // 2, height - 1 - inset) for inset in (0, 1)],
        *([image.pixel(inset, y) for inset in (0, 1)] for y in (4, height // 2)),
        *([image.pixel(width - 1 - inset, y) for inset in (0, 1)] for y in (4, height // 2)),
    )
    assert all(frame in side for side in sides)
    button.click()
    QApplication.processEvents()
    assert not dock.isFloating()
    image = dock.grab().toImage()
    assert frame not in {image.pixel(inset, image.height() // 2) for inset in (0, 1)}
