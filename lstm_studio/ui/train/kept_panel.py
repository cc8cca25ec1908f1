"""The trainings that lie in the folder of trainings, to be shown again."""

from __future__ import annotations

from datetime import UTC, datetime

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFocusEvent, QShowEvent
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from lstm_studio.session.kept_trainings import KeptTraining, ListTrainings
from lstm_studio.session.question import Question
from lstm_studio.session.session import Session
from lstm_studio.session.trainings import Trainings
from lstm_studio.ui.actions import Actions
from lstm_studio.ui.theme import FOCUS_RING, HALF_GRID, PANEL_INSET, SECTION_GAP, Theme
from lstm_studio.ui.widgets.current_line import meet
from lstm_studio.ui.widgets.empty import EmptyState
from lstm_studio.ui.widgets.text import ElidedLabel, written_tip

_EMPTY = "Start a training: it is kept here, and can be shown again, or go on. Those of another folder open too."
_ADDRESS = Qt.ItemDataRole.UserRole


class _Trainings(QListWidget):
    """A list of lines that are read, and opened with Return or a click."""

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show and name the current line."""
        super().focusInEvent(event)
        meet(self)


class KeptPanel(QWidget):
    """A list, the newest first; a click shows a training.

    Parameters
    ----------
    trainings
        What is shown.
    session
        Through which folders are read.
    actions
        Where the commands are.
    """

    def __init__(self, trainings: Trainings, session: Session, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self._trainings, self._session = trainings, session
        self._kept: tuple[KeptTraining, ...] = ()
        self._listed = ("", False)
        self.setAccessibleName("Trainings")
        self._empty = EmptyState(theme, _EMPTY)
        self.list = _Trainings()
        self.list.setAccessibleName("Trainings, the newest first")
        self.list.setUniformItemSizes(True)
        self.list.setWordWrap(False)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._folder = ElidedLabel(kind="caption", mode=Qt.TextElideMode.ElideMiddle)
        self._open, self._move = QPushButton("Another folder…"), QPushButton("Keep them elsewhere…")
        column = QVBoxLayout(self)
        column.setContentsMargins(PANEL_INSET, SECTION_GAP, PANEL_INSET, SECTION_GAP)
        column.setSpacing(HALF_GRID)
        column.addWidget(self._empty)
        column.addWidget(self.list, 1)
        column.addWidget(self._folder)
        for button, key in ((self._open, "train.open-run"), (self._move, "train.folder")):
            button.setProperty("kind", "link")
            button.setToolTip(actions[key].toolTip())
            button.clicked.connect(actions[key].trigger)
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        self.list.itemClicked.connect(self._choose)
        self.list.itemActivated.connect(self._choose)
        trainings.changed.connect(self._on_changed)
        session.answered.connect(self._on_answered)
        self.apply_theme(theme)
        self._ask()
        self._show()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._empty.apply_theme(theme)
        self.list.setStyleSheet(
            f"QListWidget {{ background: {theme.panel}; border: {FOCUS_RING}px solid transparent; outline: 0; }}"
            f"QListWidget:focus {{ border-color: {theme.focus}; }}"
            f"QListWidget::item {{ padding: 5px 6px; color: {theme.ink}; border-bottom: 1px solid {theme.line}; }}"
            f"QListWidget::item:hover {{ background: {theme.hover}; }}"
            f"QListWidget::item:selected {{ background: {theme.selected}; color: {theme.ink}; }}"
        )

    def sizeHint(self) -> QSize:
        """Return room for a few trainings."""
        return QSize(280, 320)

    def showEvent(self, event: QShowEvent) -> None:
        """Look for what has come since."""
        super().showEvent(event)
        self._ask()

    def _ask(self) -> None:
        self._session.ask(ListTrainings(str(self._trainings.folder)))

    def _on_changed(self) -> None:
        running = bool(self._trainings.unfinished)
        now = (f"{self._trainings.shown} {self._trainings.folder}", running)
        if now != self._listed:
            self._listed = now
            if self.isVisible():
                self._ask()
            self._mark()

    def _on_answered(self, question: Question, answer: object) -> None:
        if isinstance(question, ListTrainings) and isinstance(answer, tuple):
            self._kept = answer
            self._show()

    def _show(self) -> None:
        self._empty.setVisible(not self._kept)
        self.list.setVisible(bool(self._kept))
        self._folder.setText(str(self._trainings.folder))
        self.list.clear()
        for kept in self._kept:
            # Of the reader's own clock.
            when = datetime.fromtimestamp(kept.changed, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
            item = QListWidgetItem(f"{kept.title}\n{kept.details}\n{when}")
            item.setData(_ADDRESS, kept.address)
            item.setToolTip(written_tip(kept.address))
            self.list.addItem(item)
        self._mark()

    def _mark(self) -> None:
        series = self._trainings.series
        shown = self._trainings.shown if series is None else str(series.folder)
        for row in range(self.list.count()):
            item = self.list.item(row)
            if item.data(_ADDRESS) == shown:
                self.list.setCurrentItem(item)
                return
        self.list.clearSelection()

    def _choose(self, item: QListWidgetItem) -> None:
        self._trainings.show(str(item.data(_ADDRESS)))
