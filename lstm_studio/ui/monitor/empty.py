"""What Monitor shows while it follows nothing: the three lines that record a training, and how to add one."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QFontInfo, QFontMetricsF
from PySide6.QtWidgets import QHBoxLayout, QLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from lstm_studio.ui.actions import Actions
from lstm_studio.ui.monitor.code_lines import LINES
from lstm_studio.ui.theme import GRID, PANEL_INSET, Theme
from lstm_studio.ui.widgets.empty import EmptyState
from lstm_studio.ui.widgets.text import label

_WIDEST = 640
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
        title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        words = label("Record your own with three lines in its script:", "secondary")
        self._code = QPlainTextEdit(LINES)
        self._code.setReadOnly(True)
        self._code.setAccessibleName("The three lines that record a training")
        self._code.setTabChangesFocus(True)
        self._code.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._code.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        more = label(
            "Then add the folder “runs”: the run appears as it grows. Folders of TensorBoard and metrics.csv open too.",
            "secondary",
        )
        for one in (words, more):
            one.setWordWrap(True)
            one.setAlignment(Qt.AlignmentFlag.AlignCenter)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addStretch(1)
        for key, kind in (("monitor.copy-lines", ""), ("monitor.add-folder", "primary"), ("monitor.add-address", "")):
            action = actions[key]
            button = QPushButton(action.text())
            button.setToolTip(action.toolTip())
            button.setProperty("kind", kind)
            button.clicked.connect(action.trigger)
            buttons.addWidget(button)
        buttons.addStretch(1)
        column = QVBoxLayout(self._frame)
        column.setContentsMargins(*[_MARGIN] * 4)
        column.setSpacing(PANEL_INSET)
        # A label takes no heed of what lies in it.
        column.setSizeConstraint(QLayout.SizeConstraint.SetMinimumSize)
        for part in (title, words, self._code, more):
            column.addWidget(part)
        column.addLayout(buttons)
        outer = QVBoxLayout(self)
        outer.addStretch(1)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self._frame, 8)
        row.addStretch(1)
        outer.addLayout(row)
        outer.addStretch(2)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme, and another size of text."""
        self._frame.apply_theme(theme)
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        fixed.setPixelSize(QFontInfo(self.font()).pixelSize())
        # The style sheet would win over a font that is merely set.
        self._code.setStyleSheet(f"font-family: '{fixed.family()}'; font-size: {fixed.pixelSize()}px; padding: 6px;")
        metrics = QFontMetricsF(fixed)
        self._code.setFixedHeight(round(metrics.lineSpacing() * (LINES.count("\n") + 1)) + 4 * GRID)
        # No wider than is good for reading, but for large text wide enough that the lines are seen whole.
        longest = max(metrics.horizontalAdvance(line) for line in LINES.splitlines())
        self._frame.setMaximumWidth(max(_WIDEST, round(longest) + _AROUND_LINES + 2 * _MARGIN))
