"""Writing notes, and going from one to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt

from lstm_studio.session.notes import notes_in, notes_of, sorted_notes, with_note, with_text
from lstm_studio.session.state import Note, Setup
from lstm_studio.ui.actions import ActionInfo
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.explore.notes.editor import NoteEditor
from lstm_studio.ui.icons import Icon
from lstm_studio.ui.notices import Level
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.workspaces import EXPLORE

if TYPE_CHECKING:
    from lstm_studio.ui.window import StudioWindow

_BELOW_FLAG = 30


class NoteCommands(Group):
    """Writing notes, and going from one to the next."""

    workspace = EXPLORE
    actions = (
        ActionInfo(
            "note.add",
            "Add note",
            "Write a note that stays with this step.",
            "add",
            ("Ctrl+M",),
            Icon.COMMENT,
        ),
        ActionInfo("note.next", "Next note", "Go to the next step with a note.", "next", ("F4",)),
        ActionInfo("note.previous", "Previous note", "Go to the step before with a note.", "previous", ("Shift+F4",)),
    )

    def __init__(self, window: StudioWindow) -> None:
        super().__init__(window)
        self._editor: NoteEditor | None = None
        self._edited: Note | None = None
        """The note that is being changed; None for a new one."""
        self._place = (0, 0)
        """Sequence and step of the note that is being written."""
        self._about = self._session.setup
        """Where that place is."""
        self._session.setup_changed.connect(self._on_setup_changed)

    def add(self) -> None:
        """Write a note at the cursor."""
        self._begin(None)

    def edit(self, index: int) -> None:
        """Change a note, at its step."""
        note = self._session.remarks.notes[index]
        if note.item == self._session.setup.item:
            self._session.move_cursor(note.step)
        self._begin(note)

    def move(self, index: int) -> None:
        """Pin a note to the step under the cursor."""
        notes = self._session.remarks.notes
        moved = replace(notes[index], item=self._session.setup.item, step=self._session.view.cursor)
        self._session.remark("Move a note", notes=sorted_notes((*notes[:index], moved, *notes[index + 1 :])))

    def _begin(self, note: Note | None) -> None:
        workspace = self._window.workspace
        if self._editor is None:
            self._editor = NoteEditor(workspace)
            self._editor.written.connect(self._on_written)
            self._editor.left.connect(self._on_left)
        self._edited, self._about = note, self._session.setup
        here = (self._session.setup.item, self._session.view.cursor)
        self._place = here if note is None else (note.item, note.step)
        stack = workspace.stack
        x = stack.axis_item.x_of(self._session.view.cursor)
        tip = stack.mapTo(workspace, QPoint(round(x), _BELOW_FLAG))
        self._editor.begin(self._place[1], "" if note is None else note.text, tip)

    def _on_written(self, text: str) -> None:
        notes = self._session.remarks.notes
        # While it was written, the one that it was may have been taken back, or become another.
        if self._edited is not None and self._edited in notes:
            what = "Change a note" if text.strip() else "Remove a note"
            self._session.remark(what, notes=with_text(notes, notes.index(self._edited), text))
        else:
            self._session.remark("Add a note", notes=with_note(notes, Note(*self._place, text)))

    def _on_setup_changed(self, setup: Setup) -> None:
        """Stay at the event about which is being written; of other sequences there is none."""
        editor, before = self._editor, self._about
        if editor is None or not editor.isVisibleTo(self._window.workspace):
            return
        self._about = setup
        if setup.data is before.data:
            text = self._edited.text if self._edited is not None else ""
            (moved,) = notes_in((Note(*self._place, text),), before, setup)
            self._edited = None if self._edited is None else moved
            self._place = (moved.item, moved.step)
            editor.show_step(moved.step)
            return
        text = editor.give_up()
        if text.strip():
            self._window.note(
                Level.WARNING,
                f"The note was not kept, as other sequences are shown: “{text.strip()}”",
                f"Undo brings back the sequences; write it at step {format_count(self._place[1] + 1)}.",
            )

    def _on_left(self) -> None:
        self._window.workspace.stack.setFocus(Qt.FocusReason.OtherFocusReason)

    def next(self) -> None:
        """Go to the next step with a note."""
        later = [step for step in self._steps() if step > self._session.view.cursor]
        if later:
            self._session.move_cursor(min(later))

    def previous(self) -> None:
        """Go to the step before with a note."""
        earlier = [step for step in self._steps() if step < self._session.view.cursor]
        if earlier:
            self._session.move_cursor(max(earlier))

    def _steps(self) -> list[int]:
        return [note.step for note in notes_of(self._session.remarks.notes, self._session.setup.item)]

    def possible(self) -> Mapping[str, bool]:
        """Return whether this sequence has notes."""
        some = bool(self._steps())
        return {"note.next": some, "note.previous": some}
