"""What the small forms of the panel have in common: a title, fields, what is wrong, Add and Cancel."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from lstm_studio.session.state import Branch, Result, View
from lstm_studio.ui.icons import Icon, set_icon
from lstm_studio.ui.theme import GRID, HALF_GRID, Theme
from lstm_studio.ui.widgets.number_field import whole_field
from lstm_studio.ui.widgets.text import label

_CROSS = 10
_STEP_WIDTH = 64


class Change(StrEnum):
    """What a form changes."""

    CLAMP = "clamp"
    ABLATE = "ablate"
    EVENT = "event"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a form begins, where that is not the first network, its selected unit and the cursor."""

    network: int
    signal: str
    unit: int
    step: int


class FormError(ValueError):
    """What the fields say is no what-if; the message says why and what to do."""


class Form(QFrame):
    """Fields that make a what-if; open inside the panel, never a dialog.

    Subclasses add rows, fill them in :meth:`_fill` and make the branch in :meth:`_branch`.
    """

    made = Signal(object)
    """The branch, without a name."""
    closed = Signal()

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__()
        self.setProperty("kind", "quote")
        self._result: Result | None = None
        self._view: View | None = None
        self._title = label(title, "title")
        self._close = QToolButton()
        self._close.setProperty("kind", "flat")
        self._close.setAccessibleName("Close the form")
        self._close.setToolTip("Close the form")
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        self._problem.hide()
        self._add = QPushButton("Show what happens")
        self._add.setProperty("kind", "primary")
        head = QHBoxLayout()
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._close)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(GRID)
        self._grid.setVerticalSpacing(HALF_GRID + 2)
        self._grid.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID + 2, HALF_GRID, GRID + 2, GRID)
        layout.setSpacing(HALF_GRID + 2)
        layout.addLayout(head)
        layout.addLayout(self._grid)
        layout.addWidget(self._problem)
        layout.addWidget(self._add)
        self._close.clicked.connect(self.closed)
        self._add.clicked.connect(self.submit)
        self.apply_theme(theme)

    def start(self, result: Result, view: View) -> None:
        """Fill the fields from the cursor and the selected unit, and take the keyboard."""
        self._result, self._view = result, view
        self._problem.hide()
        self._fill(result, view)

    def place(self, place: Place) -> None:
        """Begin somewhere else."""
        raise NotImplementedError

    def follow(self, result: Result, view: View) -> None:
        """Fill the fields anew if another sequence or another network is shown; another what-if leaves them alone."""
        if self._result is not None and result.traces != self._result.traces:
            self.start(result, view)

    @property
    def field(self) -> QAbstractSpinBox | None:
        """The field that is left to fill in where all others follow from a place, or None."""
        return None

    @property
    def started(self) -> bool:
        """Whether the fields have been filled."""
        return self._result is not None

    def show_title(self, title: str) -> None:
        """Change the title, which names the form."""
        self._title.setText(title)
        self.setAccessibleName(title)

    @property
    def problem(self) -> str:
        """What is wrong with the fields, or nothing."""
        return "" if self._problem.isHidden() else self._problem.text()

    def submit(self) -> None:
        """Make the branch of the fields, or say what is wrong with them."""
        try:
            branch = self._branch()
        except FormError as problem:
            self._problem.setText(f"✗ {problem}")
            self._problem.show()
            return
        self._problem.hide()
        self.made.emit(branch)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        set_icon(self._close, Icon.CROSS, theme, theme.ink3, size=_CROSS)
        self._problem.setStyleSheet(f"color: {theme.error};")

    def _fill(self, result: Result, view: View) -> None:
        raise NotImplementedError

    def _branch(self) -> Branch:
        raise NotImplementedError

    # Rows of the grid.

    def _add_row(self, words: str, field: QWidget) -> QLabel:
        row = self._grid.rowCount()
        name = label(words, "secondary")
        name.setBuddy(field)
        self._grid.addWidget(name, row, 0)
        self._grid.addWidget(field, row, 1)
        self._end_with_button()
        return name

    def _add_wide(self, field: QWidget) -> None:
        self._grid.addWidget(field, self._grid.rowCount(), 0, 1, 2)
        self._end_with_button()

    def _end_with_button(self) -> None:
        """Let the keyboard come to the button after the fields: Tab goes in the order in which parts became parts."""
        layout = self.layout()
        assert layout is not None  # noqa: S101 - made above
        self._add.setParent(None)
        layout.addWidget(self._add)

    # Keys.

    def event(self, event: QEvent) -> bool:
        """Claim Escape, which elsewhere closes notices."""
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.ShortcutOverride and _is_escape(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close with Escape; add with Return."""
        if _is_escape(event):
            self.closed.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.submit()
        else:
            super().keyPressEvent(event)


class Steps(QWidget):
    """From which step to which, both counted from 1 and both included."""

    def __init__(self) -> None:
        super().__init__()
        self._first, self._last = step_field("First step"), step_field("Last step")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(HALF_GRID + 2)
        row.addWidget(self._first)
        row.addWidget(label("to", "secondary"))
        row.addWidget(self._last)
        row.addStretch(1)

    def show_steps(self, first: int, steps: int) -> None:
        """Show the steps from ``first``, 0-based, to the last of ``steps``."""
        for field, value in ((self._first, first + 1), (self._last, steps)):
            field.setRange(1, max(1, steps))
            field.setValue(value)

    @property
    def first(self) -> QSpinBox:
        """The field of the first step."""
        return self._first

    @property
    def last(self) -> QSpinBox:
        """The field of the last step."""
        return self._last

    def span(self) -> tuple[int, int | None]:
        """Return the first step, 0-based, and the one after the last; None for the end.

        Raises
        ------
        FormError
            If they are the wrong way round.
        """
        first, last = self._first.value() - 1, self._last.value()
        if last <= first:
            raise FormError("The last step comes before the first. Let the change end after it begins")
        return first, None if last == self._last.maximum() else last


def step_field(name: str) -> QSpinBox:
    """Return a field for the number of a step."""
    field = whole_field(name)
    field.setMinimumWidth(_STEP_WIDTH)
    return field


def text_field(name: str, hint: str = "") -> QLineEdit:
    """Return a field that takes the width that there is."""
    field = QLineEdit()
    field.setAccessibleName(name)
    field.setPlaceholderText(hint)
    field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return field


def _is_escape(event: QKeyEvent) -> bool:
    return event.key() == Qt.Key.Key_Escape
