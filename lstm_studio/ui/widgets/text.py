"""Fonts and labels for widgets that follow the user's font setting."""

from __future__ import annotations

import re
import textwrap

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QFont, QFontInfo, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from lstm_studio.ui.theme import Text, base_size, font

_TAG = re.compile(r"<[^>]+>")
_LIKE_HTML = re.compile(r"<[^>]*>|&lt;")
_TIP_COLUMNS, _TIP_LINES = 72, 16
_NOTHING = "\N{ZERO WIDTH SPACE}"


def text_font(widget: QWidget, use: Text) -> QFont:
    """Return the font for one use of text in a painted widget, scaled as the window's style sheet scales body text."""
    body = base_size() * Text.BODY.value[0]
    return font(use, QFontInfo(widget.font()).pixelSize() / body)


def plain(rich: str) -> str:
    """Return rich text without its tags, for screen readers."""
    return _TAG.sub("", rich)


def written_tip(text: str) -> str:
    """Return what somebody has written, or has called a file, as a tool tip that fits on a screen and is no HTML.

    What only begins like HTML would be drawn as such, and pictures that it names would be opened.
    """
    lines = [folded for line in text.splitlines() for folded in textwrap.wrap(line, _TIP_COLUMNS) or [""]]
    if len(lines) > _TIP_LINES:
        lines = [*lines[: _TIP_LINES - 1], "…"]
    tip = "\n".join(lines)
    return re.sub("[<&]", rf"\g<0>{_NOTHING}", tip) if _LIKE_HTML.search(tip) else tip


def label(text: str = "", kind: str = "", *, selectable: bool = False) -> QLabel:
    """Return a label with one of the looks of the style sheet."""
    made = QLabel(text)
    if kind:
        made.setProperty("kind", kind)
    if selectable:
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


class Room(QWidget):
    """The room of a label whose text changes with each step: its surroundings are laid out anew only for another size.

    A label in a layout has every widget up to the window laid out for each new text, however wide it is.

    Parameters
    ----------
    held
        The label; its text is set as ever, and this is what a layout holds and what is hidden.
    grows
        Whether the room never shrinks again, so that nothing moves to and fro.
    """

    def __init__(self, held: QLabel, *, grows: bool = False) -> None:
        super().__init__()
        self._held, self._grows = held, grows
        self._told: QSize | None = None
        held.setParent(self)
        self.setSizePolicy(held.sizePolicy())

    def event(self, event: QEvent) -> bool:
        """Pass on only what changes the room: the label tells of every text."""
        kind = event.type()
        if kind is QEvent.Type.LayoutRequest:
            before = self._told
            if self._needed() != before:
                self.updateGeometry()
            return True
        # While it is hidden, the label tells of nothing.
        if kind in (QEvent.Type.FontChange, QEvent.Type.StyleChange, QEvent.Type.Show):
            self._told = None
            self.updateGeometry()
        return super().event(event)

    def _needed(self) -> QSize:
        needed = self._held.sizeHint().expandedTo(self._held.minimumSize())
        if self.sizePolicy().horizontalPolicy() is QSizePolicy.Policy.Ignored:
            needed.setWidth(self._held.minimumSizeHint().width())
        if self._grows and self._told is not None:
            needed = needed.expandedTo(self._told)
        self._told = needed
        return needed

    def sizeHint(self) -> QSize:
        """Return what the label needs."""
        return self._needed() if self._told is None else self._told

    def minimumSizeHint(self) -> QSize:
        """Return the same: its text is on one line."""
        return self.sizeHint()

    def resizeEvent(self, _event: QResizeEvent) -> None:
        """Give all of it to the label."""
        self._held.setGeometry(self.rect())


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

    def minimumSizeHint(self) -> QSize:
        """Return a width that any panel has."""
        return QSize(24, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw as much of the text as fits."""
        shown = self.fontMetrics().elidedText(self.text(), self._mode, self.width())
        self.setToolTip(written_tip(self.hint if shown == self.text() else self.text()))
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), shown)
