"""What Monitor shows while it follows nothing: the three lines that record a training, and how to add one."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFont, QFontDatabase, QFontInfo, QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLayout,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from lstm_studio.ui.actions import Actions
from lstm_studio.ui.monitor.code_lines import LINES, narrow
from lstm_studio.ui.theme import GRID, PANEL_INSET, Theme
from lstm_studio.ui.widgets.empty import EmptyState
from lstm_studio.ui.widgets.text import label

_WIDEST = 640
_AROUND_FRAME = 48
"""Pixels that margins and a scroll bar take beside the dashed frame."""
_SHARE = 100
"""Of the width, beside one for each side: all of it, as long as that is no wider than is good for reading."""
_MARGIN = 3 * PANEL_INSET
_AROUND_LINES = 32
"""Pixels that border, padding and margins take beside the three lines."""


class EmptyMonitor(QWidget):
    """How to record a training, and how to follow one.

    Parameters
    ----------
    actions
        Its buttons give these commands.
    """

    def __init__(self, theme: Theme, actions: Actions) -> None:
        super().__init__()
        self._frame = EmptyState(theme, "")
        title = label("Watch a training, here or on any computer", "title")
        words = label("Record your own with three lines in its script:", "secondary")
        self._code = _Code()
        more = label(
            "Then add the folder “runs”: the run appears as it grows. Folders of TensorBoard and metrics.csv open too.",
            "secondary",
        )
        for one in (title, words, more):
            one.setWordWrap(True)
            one.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(GRID)
        self._buttons.addStretch(1)
        for key, kind in (("monitor.copy-lines", ""), ("monitor.add-folder", "primary"), ("monitor.add-address", "")):
            action = actions[key]
            button = QPushButton(action.text())
            button.setToolTip(action.toolTip())
            button.setProperty("kind", kind)
            button.clicked.connect(action.trigger)
            self._buttons.addWidget(button)
        self._buttons.addStretch(1)
        column = QVBoxLayout(self._frame)
        column.setContentsMargins(*[_MARGIN] * 4)
        column.setSpacing(PANEL_INSET)
        # A label takes no heed of what lies in it.
        column.setSizeConstraint(QLayout.SizeConstraint.SetMinimumSize)
        for part in (title, words, self._code, more):
            column.addWidget(part)
        column.addLayout(self._buttons)
        content = QWidget()
        outer = QVBoxLayout(content)
        outer.addStretch(1)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self._frame, _SHARE)
        row.addStretch(1)
        outer.addLayout(row)
        outer.addStretch(2)
        self._scroll = QScrollArea()
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidgetResizable(True)
        self._scroll.setAccessibleName("How to record a training, scrolling")
        self._scroll.viewport().setAutoFillBackground(False)
        self._scroll.setWidget(content)
        content.setAutoFillBackground(False)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._scroll)
        self.apply_theme(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the buttons below each other where they have no room side by side."""
        super().resizeEvent(event)
        self._arrange()

    def event(self, event: QEvent) -> bool:
        """Likewise where their text has grown."""
        done = super().event(event)
        if event.type() is QEvent.Type.LayoutRequest:
            self._arrange()
        return done

    def _arrange(self) -> None:
        widgets = [item.widget() for place in range(self._buttons.count()) if (item := self._buttons.itemAt(place))]
        needed = sum(button.sizeHint().width() + GRID for button in widgets if button is not None)
        beside = needed + 2 * _MARGIN + _AROUND_FRAME <= self.width()
        direction = QHBoxLayout.Direction.LeftToRight if beside else QHBoxLayout.Direction.TopToBottom
        if self._buttons.direction() is not direction:
            self._buttons.setDirection(direction)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme, and another size of text."""
        self._frame.apply_theme(theme)
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        fixed.setPixelSize(QFontInfo(self.font()).pixelSize())
        # No wider than is good for reading, but for large text wide enough that the lines are seen whole.
        self._frame.setMaximumWidth(max(_WIDEST, self._code.show_in(fixed) + 2 * _MARGIN))


class _Code(QPlainTextEdit):
    """The lines, each with its comment beside it, or above it where there is no room beside."""

    def __init__(self) -> None:
        super().__init__(LINES)
        self._metrics = QFontMetricsF(self.font())
        self.setReadOnly(True)
        self.setAccessibleName("The three lines that record a training")
        self.setTabChangesFocus(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_in(self, fixed: QFont) -> int:
        """Write in a font; return the width that the lines and what is around them take with the comments beside."""
        # The style sheet would win over a font that is merely set.
        self.setStyleSheet(f"font-family: '{fixed.family()}'; font-size: {fixed.pixelSize()}px; padding: 6px;")
        self._metrics = QFontMetricsF(fixed)
        self._fit()
        return self._wide

    @property
    def _wide(self) -> int:
        return round(max(self._metrics.horizontalAdvance(line) for line in LINES.splitlines())) + _AROUND_LINES

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the comments where there is room for them."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def _fit(self) -> None:
        beside = self.width() >= self._wide
        text = LINES if beside else narrow()
        if text != self.toPlainText():
            self.setPlainText(text)
        modes = QPlainTextEdit.LineWrapMode
        self.setLineWrapMode(modes.NoWrap if beside else modes.WidgetWidth)
        # Of a plain text the height is told in lines, with those that were begun for want of room.
        lines = max(text.count("\n") + 1, round(self.document().size().height()))
        self.setFixedHeight(round(self._metrics.lineSpacing() * lines) + 4 * GRID)
