"""Notes in the window: written at the cursor, marked at their steps, listed in a panel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6 import QtGui
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QFontMetrics, QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QToolTip
from pytestqt.qtbot import QtBot

from lstm_studio.session.state import Note
from lstm_studio.ui.docks import Dock
from lstm_studio.ui.explore.notes.editor import NoteEditor
from lstm_studio.ui.explore.notes.note_list import NoteDelegate, begins_at
from lstm_studio.ui.explore.notes.panel import NotesPanel
from lstm_studio.ui.theme import Text
from lstm_studio.ui.widgets.text import text_font, written_tip
from lstm_studio.ui.window import StudioWindow
from tests.ui.explore.fakes import symbol_set
from tests.ui.opened import opened_window


@pytest.fixture
def window() -> Iterator[StudioWindow]:
    with opened_window() as made:
        made.activateWindow()
        yield made


def trigger(window: StudioWindow, key: str) -> None:
    window.command_actions[key].trigger()


def editor_of(window: StudioWindow) -> NoteEditor:
    editor = window.findChild(NoteEditor)
    assert editor is not None
    return editor


def texts(window: StudioWindow) -> list[tuple[int, int, str]]:
    return [(note.item, note.step, note.text) for note in window.session.remarks.notes]


def write(window: StudioWindow, step: int, text: str) -> None:
    window.session.move_cursor(step)
    trigger(window, "note.add")
    editor = editor_of(window)
    QTest.keyClicks(editor.field, text)
    QTest.keyClick(editor.field, Qt.Key.Key_Return)


def panel_of(window: StudioWindow) -> NotesPanel:
    window.show_panel("notes", True)
    panel = window.panel("notes")
    assert isinstance(panel, NotesPanel)
    return panel


def test_a_note_is_written_at_the_cursor_and_can_be_taken_back(window: StudioWindow) -> None:
    write(window, 5, "here it forgets")
    assert texts(window) == [(0, 5, "here it forgets")]
    assert not editor_of(window).isVisible()
    assert QApplication.focusWidget() is window.workspace.stack, "the keys step again"
    trigger(window, "edit.undo")
    assert texts(window) == []
    trigger(window, "edit.redo")
    assert texts(window) == [(0, 5, "here it forgets")]


def test_the_field_opens_at_the_cursor_inside_the_window(window: StudioWindow) -> None:
    stack, workspace = window.workspace.stack, window.workspace
    for step in (0, 9, window.session.steps - 1):
        window.session.move_cursor(step)
        trigger(window, "note.add")
        editor = editor_of(window)
        assert workspace.rect().contains(editor.geometry())
        x = stack.mapTo(workspace, QPoint(round(stack.axis_item.x_of(step)), 0)).x()
        assert editor.geometry().left() <= x + 10
        assert editor.geometry().right() >= x
        assert QApplication.focusWidget() is editor.field
        QTest.keyClick(editor.field, Qt.Key.Key_Escape)


def test_letters_are_typed_and_no_commands(window: StudioWindow) -> None:
    companion = window.session.setup.companion
    trigger(window, "note.add")
    QTest.keyClicks(editor_of(window).field, "c n [a] l")
    QTest.keyClick(editor_of(window).field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(editor_of(window).field, "two")
    QTest.keyClick(editor_of(window).field, Qt.Key.Key_Return)
    assert [text for _, _, text in texts(window)] == ["c n [a] l\ntwo"]
    assert window.session.setup.companion is companion


def test_escape_drops_the_text_and_closes_no_notice(window: StudioWindow) -> None:
    trigger(window, "note.add")
    QTest.keyClicks(editor_of(window).field, "never mind")
    QTest.keyClick(editor_of(window).field, Qt.Key.Key_Escape)
    assert texts(window) == []
    assert not editor_of(window).isVisible()
    assert window.session.undo_text is None


def test_a_click_elsewhere_keeps_what_was_typed(window: StudioWindow) -> None:
    window.session.move_cursor(3)
    trigger(window, "note.add")
    QTest.keyClicks(editor_of(window).field, "kept")
    window.workspace.stack.setFocus(Qt.FocusReason.MouseFocusReason)
    assert texts(window) == [(0, 3, "kept")]
    trigger(window, "note.add")
    window.workspace.stack.setFocus(Qt.FocusReason.MouseFocusReason)
    assert len(texts(window)) == 1, "nothing was typed"
    assert not editor_of(window).isVisible()


def test_the_link_in_the_title_bar_and_the_key_begin_a_note(window: StudioWindow) -> None:
    dock = next(dock for dock in window.findChildren(Dock) if dock.objectName() == "dock-step")
    (link,) = [button for button in dock.findChildren(QPushButton) if button.text() == "Add note"]
    assert link.isVisible()
    link.click()
    assert editor_of(window).isVisible()
    QTest.keyClick(editor_of(window).field, Qt.Key.Key_Escape)
    QTest.keyClick(window.workspace.stack, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    assert editor_of(window).isVisible()


def test_marks_are_at_their_steps_and_tell_the_text(window: StudioWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda _place, text, _widget: told.append(text))
    window.session.remark("Add notes", notes=(Note(0, 4, "four"), Note(0, 4, "and more"), Note(1, 8, "elsewhere")))
    scrub, axis = window.transport.scrub, window.workspace.stack.axis_item
    assert list(scrub.notes) == [(4, "four"), (4, "and more")]
    assert "note on step 5: four" in scrub.accessibleDescription()
    place = QPoint(round(scrub.x_of(4)) + 3, 20)
    QApplication.sendEvent(scrub, QHelpEvent(QHelpEvent.Type.ToolTip, place, scrub.mapToGlobal(place)))
    assert told == ["four\nand more"]
    height = axis.boundingRect().center().y()
    assert axis.note_at(QPointF(axis.x_of(4) - 3, height)) == "four\nand more"
    assert axis.note_at(QPointF(axis.x_of(7), height)) == ""
    assert axis.note_at(QPointF(axis.x_of(4), height - 200)) == ""
    window.session.remark("Remove notes", notes=())
    assert list(scrub.notes) == []
    assert axis.note_at(QPointF(axis.x_of(4), height)) == ""


def test_a_mark_is_drawn_where_the_step_is(window: StudioWindow) -> None:
    window.session.move_cursor(0)
    scrub = window.transport.scrub
    before = scrub.grab().toImage()
    window.session.remark("Add a note", notes=(Note(0, 12, "x"),))
    after = scrub.grab().toImage()
    ratio = after.devicePixelRatio()
    changed = [
        x / ratio
        for x in range(after.width())
        if any(before.pixel(x, y) != after.pixel(x, y) for y in range(after.height()))
    ]
    assert changed
    assert abs(min(changed) + max(changed) - 2 * scrub.x_of(12)) < 3
    assert max(changed) - min(changed) < 12


def test_the_panel_is_hidden_at_first_and_says_what_a_note_is(window: StudioWindow) -> None:
    assert window.shown_panel("notes") is None
    panel = panel_of(window)
    assert not panel.list.isVisibleTo(panel)
    assert panel.add_button.isVisibleTo(panel)
    assert not panel.remove_button.isVisibleTo(panel)


def test_the_panel_lists_notes_and_goes_to_them(window: StudioWindow, qtbot: QtBot) -> None:
    write(window, 9, "nine")
    write(window, 2, "two")
    window.session.remark("Add a note", notes=(*window.session.remarks.notes, Note(2, 7, "other")))
    panel = panel_of(window)
    rows = panel.list.note_model.rows
    assert [(row.step, row.sequence, row.text, row.here) for row in rows] == [
        ("Step 3", "sequence 1", "two", True),
        ("Step 10", "sequence 1", "nine", False),
        ("Step 8", "sequence 3", "other", False),
    ]
    panel.list.setFocus()
    panel.list.setCurrentIndex(panel.list.note_model.index(1))
    QTest.keyClick(panel.list, Qt.Key.Key_Return)
    assert window.session.view.cursor == 9
    assert [row.here for row in panel.list.note_model.rows] == [False, True, False]
    assert panel.list.chosen == 1
    panel.list.setCurrentIndex(panel.list.note_model.index(2))
    QTest.keyClick(panel.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.session.result.setup.item == 2)
    assert window.session.view.cursor == 7


def test_the_panel_changes_and_removes(window: StudioWindow) -> None:
    write(window, 2, "two")
    write(window, 9, "nine")
    panel = panel_of(window)
    panel.list.setFocus()
    panel.list.setCurrentIndex(panel.list.note_model.index(0))
    QTest.keyClick(panel.list, Qt.Key.Key_F2)
    assert window.session.view.cursor == 2
    assert editor_of(window).field.toPlainText() == "two"
    QTest.keyClicks(editor_of(window).field, "changed")
    QTest.keyClick(editor_of(window).field, Qt.Key.Key_Return)
    assert texts(window) == [(0, 2, "changed"), (0, 9, "nine")]
    assert window.session.undo_text == "Change a note"
    panel.list.setFocus()
    QTest.keyClick(panel.list, Qt.Key.Key_Delete)
    assert texts(window) == [(0, 9, "nine")]
    panel.remove_button.click()
    assert texts(window) == []
    trigger(window, "edit.undo")
    trigger(window, "edit.undo")
    assert texts(window) == [(0, 2, "changed"), (0, 9, "nine")]


def test_keys_go_from_note_to_note(window: StudioWindow) -> None:
    window.session.remark("Add notes", notes=(Note(0, 2, "a"), Note(0, 9, "b"), Note(1, 5, "c")))
    window.session.move_cursor(0)
    seen = []
    for key in ("note.next", "note.next", "note.next", "note.previous", "note.previous"):
        trigger(window, key)
        seen.append(window.session.view.cursor)
    assert seen == [2, 9, 9, 2, 2]
    window.session.remark("Remove notes", notes=())
    assert not window.command_actions["note.next"].isEnabled()


def test_what_is_being_written_is_not_kept_at_a_step_of_other_sequences(window: StudioWindow) -> None:
    session = window.session
    session.move_cursor(session.steps - 1)
    trigger(window, "note.add")
    QTest.keyClicks(editor_of(window).field, "about the end")
    steps = session.steps
    session.open_data(symbol_set(steps=4))
    assert not editor_of(window).isVisible()
    assert texts(window) == []
    (notice,) = window.stage.notices.notices
    assert "about the end" in notice.found
    assert f"step {steps}" in notice.cure


def test_what_is_being_written_stays_at_its_event(window: StudioWindow, qtbot: QtBot) -> None:
    session = window.session
    write(window, 5, "before")
    session.move_cursor(5)
    trigger(window, "note.add")
    QTest.keyClicks(editor_of(window).field, "new")
    session.change("Change the piece length", piece_length=4, item=0)
    qtbot.waitUntil(lambda: not session.waiting)
    assert "step 2" in editor_of(window)._title.text()
    QTest.keyClick(editor_of(window).field, Qt.Key.Key_Return)
    assert texts(window) == [(1, 1, "before"), (1, 1, "new")]


def test_a_note_that_is_gone_while_it_is_changed_changes_no_other(window: StudioWindow) -> None:
    write(window, 2, "two")
    write(window, 9, "nine")
    window.commands.notes.edit(0)
    QTest.keyClicks(editor_of(window).field, "changed")
    window.session.remark("Remove a note", notes=window.session.remarks.notes[1:])
    QTest.keyClick(editor_of(window).field, Qt.Key.Key_Return)
    assert texts(window) == [(0, 2, "changed"), (0, 9, "nine")]


def test_a_note_is_moved_to_the_step_under_the_cursor(window: StudioWindow) -> None:
    write(window, 2, "two")
    write(window, 9, "nine")
    panel = panel_of(window)
    panel.list.setCurrentIndex(panel.list.note_model.index(0))
    window.session.move_cursor(11)
    panel.move_button.click()
    assert texts(window) == [(0, 9, "nine"), (0, 11, "two")]
    assert window.session.undo_text == "Move a note"
    trigger(window, "edit.undo")
    assert texts(window) == [(0, 2, "two"), (0, 9, "nine")]


def test_the_list_shows_the_note_under_the_cursor(window: StudioWindow) -> None:
    window.session.remark("Add notes", notes=tuple(Note(0, step, f"at {step}\nand more") for step in range(16)))
    panel = panel_of(window)
    QApplication.processEvents()
    for step in (15, 0, 8):
        window.session.move_cursor(step)
        place = panel.list.visualRect(panel.list.note_model.index(step))
        assert panel.list.viewport().rect().contains(place)


def test_a_long_note_ends_in_an_ellipsis_and_breaks_what_has_no_blanks(window: StudioWindow) -> None:
    panel = panel_of(window)
    delegate = panel.list.itemDelegate()
    assert isinstance(delegate, NoteDelegate)
    metrics = QFontMetrics(text_font(panel.list, Text.BODY))
    for text in ("a long word " * 80, "W" * 900, "one\n" * 20, "\N{GRINNING FACE}" * 400, "שלום עולם " * 90):
        lines = delegate.lines(text, 200)
        assert len(lines) == 6
        assert lines[-1].endswith("…")
        assert max(map(metrics.horizontalAdvance, lines)) <= 200
        assert text.replace("\n", "").replace(" ", "").startswith("".join(lines[:-1]).replace(" ", ""))
    assert delegate.lines("short\n\nand two", 200) == ["short", "", "and two"]


@pytest.mark.parametrize("text", ["<h1>Big</h1> a < b", "<img src=/etc/passwd>", "&lt;b> and <i>", "< b>x"])
def test_a_note_is_never_taken_for_html(window: StudioWindow, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda _place, words, _widget: told.append(words))
    window.session.remark("Add a note", notes=(Note(0, 4, text),))
    scrub, stack, panel = window.transport.scrub, window.workspace.stack, panel_of(window)
    place = QPoint(round(scrub.x_of(4)), 20)
    QApplication.sendEvent(scrub, QHelpEvent(QHelpEvent.Type.ToolTip, place, scrub.mapToGlobal(place)))
    axis = stack.axis_item
    stack._hover(QPointF(axis.x_of(4), axis.mapRectToScene(axis.boundingRect()).center().y()))
    told.append(str(panel.list.note_model.index(0).data(Qt.ItemDataRole.ToolTipRole)))
    assert len(told) == 3
    assert QtGui.Qt.mightBeRichText(text), "as it is, it would be HTML"
    for words in told:
        assert not QtGui.Qt.mightBeRichText(words)
        assert words.replace("\N{ZERO WIDTH SPACE}", "") == text


def test_the_tip_of_a_long_note_fits_on_a_small_screen() -> None:
    for text in ("a long word " * 300, "W" * 5_000, "line\n" * 200):
        lines = written_tip(text).split("\n")
        assert len(lines) <= 16
        assert max(map(len, lines)) <= 72
        assert lines[-1] == "…"


@pytest.mark.parametrize(
    ("text", "left"), [("12 abc שלום", True), ("«שלום» abc", False), ("مرحبا", False), ("12 …", True), ("", True)]
)
def test_a_note_begins_where_its_writing_does(text: str, left: bool) -> None:
    assert (begins_at(text) is Qt.AlignmentFlag.AlignLeft) is left


def test_lines_from_right_to_left_end_at_the_right(window: StudioWindow) -> None:
    window.session.remark("Add notes", notes=(Note(0, 1, "שלום"), Note(0, 2, "abcd")))
    panel = panel_of(window)
    QApplication.processEvents()
    model = panel.list.note_model
    drawn = []
    for place in range(2):
        row = panel.list.visualRect(model.index(place))
        image = panel.list.viewport().grab(row).toImage()
        ratio, body = image.devicePixelRatio(), QFontMetrics(text_font(panel.list, Text.BODY)).height()
        # Above the edge of the card and the gap below it.
        bottom = round(image.height() - 12 * ratio)
        ground = image.pixel(image.width() // 2, bottom)
        rows = range(bottom - round(body * ratio), bottom)
        inside = range(round(8 * ratio), round(image.width() - 8 * ratio))
        drawn.append([x for x in inside if any(image.pixel(x, y) != ground for y in rows)])
    (hebrew, latin), middle = drawn, panel.list.viewport().width() / 2
    assert hebrew
    assert latin
    assert min(hebrew) > middle
    assert max(latin) < middle
