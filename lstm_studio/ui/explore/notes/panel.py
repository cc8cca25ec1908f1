"""All notes of a session: go to one, change it, remove it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QWidget

from lstm_studio.session.notes import with_text
from lstm_studio.session.session import Session
from lstm_studio.session.state import Note, Remarks, Result, View
from lstm_studio.ui.explore.notes.note_list import NoteList, NoteRow
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.theme import GRID, Theme
from lstm_studio.ui.widgets.empty import EmptyState
from lstm_studio.ui.widgets.panel import Panel

_NOTHING = "A note stays with a step, and goes into the session that you save. Ctrl+M writes one at the cursor."


@dataclass(frozen=True, slots=True)
class _State:
    rows: tuple[NoteRow, ...]


class NotesPanel(Panel[_State]):
    """The list of notes, in the order of sequences and steps."""

    add_wanted = Signal()
    edit_wanted = Signal(int)
    """Index of a note."""
    move_wanted = Signal(int)
    """Likewise, of one that shall go to the step under the cursor."""

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Notes", parent)
        self._session = session
        self._going: Note | None = None
        self._empty = EmptyState(theme, _NOTHING)
        self.list = NoteList(theme)
        self.list.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.add_button, self.edit_button, self.move_button, self.remove_button = (
            QPushButton(text) for text in ("Add note", "Change", "Move here", "Remove")
        )
        self.move_button.setToolTip("Pin this note to the step under the cursor")
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        for button in (self.add_button, self.edit_button, self.move_button, self.remove_button):
            button.setProperty("kind", "link")
            buttons.addWidget(button)
        buttons.addStretch(1)
        self.column.addWidget(self._empty)
        self.column.addWidget(self.list, 1)
        self.column.addLayout(buttons)
        self.column.addStretch(0)
        self.add_button.clicked.connect(self.add_wanted)
        self.edit_button.clicked.connect(self._on_edit)
        self.move_button.clicked.connect(self._on_move)
        self.remove_button.clicked.connect(self._on_remove)
        self.list.go_wanted.connect(self.go_to)
        self.list.edit_wanted.connect(self.edit_wanted)
        self.list.remove_wanted.connect(self.remove)
        session.remarks_changed.connect(self._on_remarks)
        session.result_replaced.connect(self._on_result)
        session.view_changed.connect(self._on_view)
        self.refresh()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._empty.apply_theme(theme)
        self.list.apply_theme(theme)

    def go_to(self, index: int) -> None:
        """Show the sequence and the step of a note."""
        note = self._session.remarks.notes[index]
        if note.item == self._session.setup.item:
            self._session.move_cursor(note.step)
            return
        self._going = note
        self._session.change(f"Show sequence {note.item + 1}", item=note.item)

    def remove(self, index: int) -> None:
        """Remove a note; can be undone."""
        self._session.remark("Remove a note", notes=with_text(self._session.remarks.notes, index, ""))

    def _on_edit(self) -> None:
        if self.list.chosen is not None:
            self.edit_wanted.emit(self.list.chosen)

    def _on_move(self) -> None:
        if self.list.chosen is not None:
            self.move_wanted.emit(self.list.chosen)

    def _on_remove(self) -> None:
        if self.list.chosen is not None:
            self.remove(self.list.chosen)

    def _on_remarks(self, _: Remarks) -> None:
        self.refresh()

    def _on_result(self, result: Result) -> None:
        # A sequence that is shown anew is shown from its end: only now there is a step to go to.
        going, self._going = self._going, None
        if going is not None and going.item == result.setup.item:
            self._session.move_cursor(going.step)
        self.refresh()

    def _on_view(self, after: View, before: View) -> None:
        if after.cursor != before.cursor:
            self.refresh()

    def _resolve(self) -> _State:
        result, cursor = self._session.result, self._session.view.cursor
        several = len(result.sequences) > 1
        return _State(
            tuple(
                NoteRow(
                    f"Step {format_count(note.step + 1)}",
                    f"sequence {format_count(note.item + 1)}" if several else "",
                    note.text,
                    here=(note.item, note.step) == (result.setup.item, cursor),
                )
                for note in self._session.remarks.notes
            )
        )

    def _apply(self, state: _State, before: _State | None) -> None:
        self.list.show_rows(state.rows)
        if before is None or bool(before.rows) != bool(state.rows):
            self._empty.setVisible(not state.rows)
            self.list.setVisible(bool(state.rows))
            for button in (self.edit_button, self.move_button, self.remove_button):
                button.setVisible(bool(state.rows))
