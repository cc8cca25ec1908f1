"""Lists to which Tab leads: their current line is marked, and named to screen readers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QHeaderView
from pytestqt.qtbot import QtBot

from lstm_studio.progress import ignore_progress
from lstm_studio.session.compute import Answer, Answered, Computer, OpenFile, Request
from lstm_studio.session.kept_trainings import KeptTraining, ListTrainings
from lstm_studio.session.state import Note
from lstm_studio.ui.train.kept_panel import KeptPanel
from lstm_studio.ui.window import StudioWindow
from tests.ui.opened import opened_window
from tests.ui.slow_computer import FakeComputer

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")

KEPT = tuple(KeptTraining(f"/runs/{name}", name, "16 units", 1.0) for name in ("first", "second"))


def answering(request: Request) -> Answer | None:
    if isinstance(request, ListTrainings):
        return Answered(KEPT)
    return Computer().answer(request, ignore_progress) if isinstance(request, OpenFile) else None


@pytest.fixture
def window() -> Iterator[StudioWindow]:
    with opened_window(FakeComputer(rule=answering)) as made:
        yield made


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What a screen reader is told that the keyboard is on, of what we tell it."""
    heard: list[str] = []

    def hear(event: QAccessibleEvent) -> None:
        if event.type() is QAccessible.Event.Focus:
            heard.append(event.accessibleInterface().text(QAccessible.Text.Name))

    monkeypatch.setattr(QAccessible, "updateAccessibility", hear)
    QAccessible.setActive(True)
    yield heard
    QAccessible.setActive(False)


def words_of(index: QModelIndex) -> str:
    return str(index.data(Qt.ItemDataRole.AccessibleTextRole) or index.data())


def come_to(view: QAbstractItemView) -> None:
    view.clearFocus()
    view.setFocus(Qt.FocusReason.TabFocusReason)
    assert view.hasFocus()


def lists_in(window: StudioWindow) -> list[QAbstractItemView]:
    return [
        view
        for view in window.findChildren(QAbstractItemView)
        if view.isVisible() and view.focusPolicy() & Qt.FocusPolicy.TabFocus and not isinstance(view, QHeaderView)
    ]


def test_trainings_that_were_kept_show_and_name_the_line_to_which_tab_leads(
    window: StudioWindow, named: list[str], qtbot: QtBot
) -> None:
    window.show_workspace("train")
    window.show_panel("train-kept", True)
    panel = window.panel("train-kept")
    assert isinstance(panel, KeptPanel)
    qtbot.waitUntil(lambda: panel.list.count() == 2)
    assert not panel.list.selectedItems()
    come_to(panel.list)
    assert [item.text() for item in panel.list.selectedItems()] == [panel.list.item(0).text()]
    assert named[-1] == panel.list.item(0).text()
    panel.list.setCurrentRow(1)
    window.transport.setFocus()
    named.clear()
    come_to(panel.list)
    assert named == [panel.list.item(1).text()]


def test_each_list_names_its_line_whenever_the_keyboard_comes(
    window: StudioWindow, named: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    window.session.remark("Add a note", notes=(Note(0, 3, "first"), Note(0, 5, "second")))
    for key in ("sequence", "notes", "what-if"):
        window.show_panel(key, True)
    QApplication.processEvents()
    seen = set()

    def look() -> None:
        for view in lists_in(window):
            for _ in range(2):
                named.clear()
                come_to(view)
                current = view.currentIndex()
                assert current.isValid(), view.accessibleName()
                assert named[-1:] == [words_of(current)], view.accessibleName()
                window.transport.setFocus()
            seen.add(type(view).__name__)

    look()
    path = tmp_path / "walk.csv"
    path.write_text("left,right\n" + "".join(f"{step},{step % 3}\n" for step in range(12)), "utf-8")
    window.commands.files.open_files([str(path)])
    qtbot.waitUntil(lambda: window.session.result.sequence.steps == 12)
    look()
    assert seen >= {"SequenceTable", "NoteList", "BranchList", "FeatureTable"}
