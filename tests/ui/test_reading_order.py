"""In which order, and by which names, a keyboard and a screen reader go through the window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QComboBox, QDockWidget, QFrame, QStackedWidget, QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.session.settings import Settings
from lstm_studio.ui.panels import PANELS
from lstm_studio.ui.plots.header import RowHeader
from lstm_studio.ui.window import StudioWindow
from lstm_studio.ui.workspaces import WORKSPACES
from tests.ui.opened import opened_window, press

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")
KEYS = [info.key for info in WORKSPACES]


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[StudioWindow]:
    with opened_window(settings=Settings(theme="light", hints_read=True)) as opened:
        yield opened


def panel_around(widget: QWidget | None) -> QDockWidget | None:
    while widget is not None and not isinstance(widget, QDockWidget):
        widget = widget.parentWidget()
    return widget


@pytest.mark.parametrize("workspace", KEYS)
def test_tab_leaves_a_panel_only_when_it_has_been_through_all_of_it(window: StudioWindow, workspace: str) -> None:
    window.show_workspace(workspace)
    QApplication.processEvents()
    start, panels = QApplication.focusWidget(), list[QDockWidget]()
    assert start is not None
    for _ in range(200):
        press(window, Qt.Key.Key_Tab)
        now = QApplication.focusWidget()
        if now is start:
            break
        panel = panel_around(now)
        if panel is not None and (not panels or panels[-1] is not panel):
            panels.append(panel)
    else:
        pytest.fail("Tab does not come back to where it began")
    shown = [dock for dock in window.arrangement.here.values() if dock.isVisible()]
    assert len(panels) == len(set(panels)) == len(shown) >= 3, [panel.windowTitle() for panel in panels]


@pytest.mark.parametrize("workspace", KEYS)
def test_whoever_comes_to_the_plots_hears_what_they_are_for_and_not_every_label_of_the_diagrams(
    window: StudioWindow, workspace: str
) -> None:
    # Where there is no description, Orca reads all labels inside, each time that the keyboard comes in.
    window.show_workspace(workspace)
    info = next(info for info in WORKSPACES if info.key == workspace)
    face = QAccessible.queryAccessibleInterface(window.stage)
    assert (face.text(QAccessible.Text.Name), face.text(QAccessible.Text.Description)) == (info.title, info.tooltip)
    # It would be read as a layered pane, and with the number of workspaces that were shown before.
    assert not window.stage.findChildren(QStackedWidget)


@pytest.mark.parametrize("workspace", KEYS)
def test_whoever_comes_into_a_panel_hears_what_it_is_for_and_not_all_that_stands_there(
    window: StudioWindow, workspace: str
) -> None:
    # Of what a screen reader is given, and not of what was set: of a dock, Qt itself tells the name alone.
    window.show_workspace(workspace)
    for key in window.arrangement.here:
        window.show_panel(key, True)
    QApplication.processEvents()
    said = {}
    for key, dock in window.arrangement.here.items():
        face = QAccessible.queryAccessibleInterface(dock)
        assert face.role() is QAccessible.Role.Pane
        assert face.text(QAccessible.Text.Name) == dock.windowTitle()
        said[key] = face.text(QAccessible.Text.Description)
        inside = QAccessible.queryAccessibleInterface(dock.panel)
        while inside.object() is not dock:
            inside = inside.parent()
        assert inside.text(QAccessible.Text.Description) == said[key], "on the way from what has the keyboard"
        assert all(face.child(place).isValid() for place in range(face.childCount()))
    infos = {info.key: info for info in PANELS if info.workspace == workspace}
    assert said == {key: info.about for key, info in infos.items()}
    assert len(set(said.values())) == len(said) >= 3
    assert all(words.endswith(".") and words.count(".") == 1 for words in said.values())


@pytest.mark.parametrize("workspace", KEYS)
def test_each_choice_says_what_it_is_also_where_its_name_is_what_is_chosen(
    window: StudioWindow, workspace: str
) -> None:
    window.show_workspace(workspace)
    for key in window.arrangement.here:
        window.panel(key)
    choosers = window.findChildren(QComboBox)
    assert choosers
    for chooser in choosers:
        face = QAccessible.queryAccessibleInterface(chooser)
        words = [other.text(QAccessible.Text.Name) for other, _ in face.relations()]
        words.append(face.text(QAccessible.Text.Description))
        assert any(words), chooser.accessibleName()


def test_a_row_says_what_it_shows_where_the_keyboard_comes_to_it(window: StudioWindow) -> None:
    stack, session = window.workspace.stack, window.session
    session.move_cursor(4)
    headers = [header for header in stack.findChildren(RowHeader) if header.isVisible()]
    assert len([header for header in headers if header.view_button is not None]) >= 5
    assert len(headers) >= 7
    for header in headers:
        summary = header.accessibleDescription()
        assert "step 5" in summary or "Gradient" in header.accessibleName()
        if header.view_button is None:
            window.header.find_button.setFocus()
            stack.setFocus()
            assert f"{header.accessibleName()}: {summary}" in stack.accessibleDescription()
        else:
            assert header.view_button.accessibleDescription().startswith(summary)
            header.view_button.setFocus()
            session.move_cursor(6)
            assert header.view_button.accessibleDescription().startswith(summary), "the step is said anyhow"
            session.move_cursor(4)


def test_nothing_shows_as_a_window_of_its_own_while_workspaces_are_made(qtbot: QtBot) -> None:
    with opened_window() as window:
        for key in KEYS:
            window.show_workspace(key)
            frames = [one for one in QApplication.topLevelWidgets() if one.isVisible() and isinstance(one, QFrame)]
            assert not frames
            assert window.isActiveWindow()
            QApplication.processEvents()
            assert window.isActiveWindow()
            assert QApplication.focusWidget() is not None
