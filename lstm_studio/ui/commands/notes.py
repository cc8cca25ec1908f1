"""Writing notes, and going from one to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt

from lstm_studio.session.notes import notes_of, with_note, with_text
from lstm_studio.session.state import Note
from lstm_studio.ui.actions import ActionInfo
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.explore.notes.editor import NoteEditor
from lstm_studio.ui.icons import Icon
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
        self._edited: int | None = None
        """Index of the note that is being changed; None for a new one."""
        self._place = (0, 0)
        """Sequence and step of the note that is being written."""

    def add(self) -> None:
        """Write a note at the cursor."""
        self._begin(None, "")

    def edit(self, index: int) -> None:
        """Change a note, at its step."""
        note = self._session.remarks.notes[index]
        if note.item == self._session.setup.item:
            self._session.move_cursor(note.step)
        self._place = (note.item, note.step)
        self._begin(index, note.text)

    def _begin(self, index: int | None, text: str) -> None:
        workspace = self._window.workspace
        if self._editor is None:
            self._editor = NoteEditor(workspace)
            self._editor.written.connect(self._on_written)
            self._editor.left.connect(self._on_left)
        self._edited = index
        if index is None:
            self._place = (self._session.setup.item, self._session.view.cursor)
        stack = workspace.stack
        x = stack.axis_item.x_of(self._session.view.cursor)
        tip = stack.mapTo(workspace, QPoint(round(x), _BELOW_FLAG))
        self._editor.begin(self._place[1], text, tip)

    def _on_written(self, text: str) -> None:
        notes = self._session.remarks.notes
        if self._edited is None:
            item, step = self._place
            self._session.remark("Add a note", notes=with_note(notes, Note(item, step, text)))
        elif self._edited < len(notes):
            what = "Change a note" if text.strip() else "Remove a note"
            self._session.remark(what, notes=with_text(notes, self._edited, text))

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
