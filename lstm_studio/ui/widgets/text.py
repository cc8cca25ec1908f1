"""Fonts and labels for widgets that follow the user's font setting."""

from __future__ import annotations

import re

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QFontInfo, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from lstm_studio.ui.theme import Text, base_size, font

_TAG = re.compile(r"<[^>]+>")


def text_font(widget: QWidget, use: Text) -> QFont:
    """Return the font for one use of text in a painted widget, scaled as the window's style sheet scales body text."""
    body = base_size() * Text.BODY.value[0]
    return font(use, QFontInfo(widget.font()).pixelSize() / body)


def plain(rich: str) -> str:
    """Return rich text without its tags, for screen readers."""
    return _TAG.sub("", rich)


def label(text: str = "", kind: str = "", *, selectable: bool = False) -> QLabel:
    """Return a label with one of the looks of the style sheet."""
    made = QLabel(text)
    if kind:
        made.setProperty("kind", kind)
    if selectable:
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


class ElidedLabel(QLabel):
    """One line that never asks for more room than it gets: what does not fit is elided, the tool tip has it all."""

    def __init__(self, text: str = "", kind: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._mode = mode
        self.hint = ""
        """The tool tip where nothing is elided."""
        if kind:
            self.setProperty("kind", kind)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a width that any panel has."""
        return QSize(24, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002 - Qt's name
        """Draw as much of the text as fits."""
        shown = self.fontMetrics().elidedText(self.text(), self._mode, self.width())
        self.setToolTip(self.hint if shown == self.text() else self.text())
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), shown)
