"""Where a note is written: a small field at the cursor, which stops nothing and is left with Return or Escape."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QVBoxLayout, QWidget

from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.theme import GRID, HALF_GRID
from lstm_studio.ui.widgets.text import label

_WIDTH = 320
_LINES = 3
_HELP = "Return keeps it, Shift+Return begins a line, Escape drops it."


class NoteEditor(QFrame):
    """A card with a field, over the plots.

    Parameters
    ----------
    parent
        Over which it is shown.
    """

    written = Signal(str)
    """The text, which may be blank; it has been left with Return or with the mouse."""
    left = Signal()
    """It is closed, whatever became of the text."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.setProperty("kind", "popup")
        self.setAccessibleName("Note")
        self._title = label(kind="title")
        self.field = _Field()
        self.field.setAccessibleName("Text of the note")
        self.field.setAccessibleDescription(_HELP)
        self.field.setPlaceholderText("What is to be seen here?")
        help_ = label(_HELP, "caption")
        help_.setWordWrap(True)
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        column.setSpacing(HALF_GRID)
        for part in (self._title, self.field, help_):
            column.addWidget(part)
        self.field.accepted.connect(self._keep)
        self.field.dropped.connect(self._drop)
        self.field.deserted.connect(self._on_deserted)
        self.hide()

    def begin(self, step: int, text: str, tip: QPoint) -> None:
        """Write or change a note.

        Parameters
        ----------
        step
            0-based.
        text
            What it says so far.
        tip
            Where the step is, in the parent's coordinates.
        """
        self.show_step(step)
        self.field.setPlainText(text)
        self.field.selectAll()
        self.field.setFixedHeight(_LINES * self.field.fontMetrics().lineSpacing() + 2 * GRID)
        self.setFixedWidth(_WIDTH)
        self._column.activate()
        self.adjustSize()
        x = max(GRID, min(tip.x() + GRID, self._over.width() - self.width() - GRID))
        y = max(GRID, min(tip.y(), self._over.height() - self.height() - GRID))
        self.move(x, y)
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def show_step(self, step: int) -> None:
        """Name another step, 0-based, to which the note will belong."""
        self._title.setText(f"Note on step {format_count(step + 1)}")

    def give_up(self) -> str:
        """Close it without keeping the text, and return that."""
        self._drop()
        return self.field.toPlainText()

    def _keep(self) -> None:
        if self.isVisibleTo(self._over):
            self._close()
            self.written.emit(self.field.toPlainText())
            self.left.emit()

    def _drop(self) -> None:
        if self.isVisibleTo(self._over):
            self._close()
            self.left.emit()

    def _on_deserted(self) -> None:
        # Whoever clicks elsewhere has not asked for the text to be thrown away.
        if self.field.toPlainText().strip():
            self._keep()
        else:
            self._drop()

    def _close(self) -> None:
        self.field.blockSignals(True)
        self.hide()
        self.field.blockSignals(False)


class _Field(QPlainTextEdit):
    accepted = Signal()
    dropped = Signal()
    deserted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)

    def event(self, event: QEvent) -> bool:
        """Claim Escape, which is a command elsewhere."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() is QEvent.Type.ShortcutOverride
            and event.key() == Qt.Key.Key_Escape
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep with Return, drop with Escape."""
        plain = not event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and plain:
            self.accepted.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.dropped.emit()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tell that one has gone elsewhere in the window."""
        super().focusOutEvent(event)
        if event.reason() not in (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason):
            self.deserted.emit()
