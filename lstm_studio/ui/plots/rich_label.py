"""Rich text in a narrow place: wrapped, and cut with an ellipsis where it is still too long."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPointF
from PySide6.QtGui import QFont, QPainter, QTextCursor, QTextDocument, QTextOption

_ELLIPSIS = "…"


class RichLabel:
    """A few lines of rich text; unlike a `QLabel` it can cut them.

    Parameters
    ----------
    parent
        Owner of the document.
    """

    def __init__(self, parent: QObject) -> None:
        self._document = QTextDocument(parent)
        self._document.setDocumentMargin(0)
        self._document.setUndoRedoEnabled(False)
        wrap = QTextOption()
        wrap.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._document.setDefaultTextOption(wrap)
        self._html = ""
        self._text = ""
        self._fitted: tuple[float, int, int] | None = None
        self._is_cut = False

    @property
    def text(self) -> str:
        """All of the text, plain."""
        return self._text

    @property
    def shown(self) -> str:
        """What is shown of it, plain."""
        return self._document.toPlainText()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self._text.strip()

    def write(self, html: str, font: QFont) -> None:
        """Show another text; give it room with `fit` before it is painted."""
        if html == self._html and font == self._document.defaultFont():
            return
        self._html, self._fitted, self._is_cut = html, None, False
        self._document.setDefaultFont(font)
        self._document.setHtml(html)
        self._text = self._document.toPlainText()

    def fit(self, width: float, most: int) -> int:
        """Wrap into lines of ``width`` logical pixels, and cut the end off where there are more than ``most``.

        Returns
        -------
        int
            How many lines the text takes.
        """
        # To lay rich text out takes longer than to draw it, and labels are asked for the same again and again.
        if self._fitted is None or self._fitted[:2] != (width, most):
            self._fitted = width, most, self._fit(width, most)
        return self._fitted[2]

    def _fit(self, width: float, most: int) -> int:
        if self._is_cut:
            self._document.setHtml(self._html)
            self._is_cut = False
        self._document.setTextWidth(max(1.0, width))
        lines = self._lines()
        if lines <= most:
            return lines
        # More than the lines hold without an ellipsis cannot be kept; a word that does not fit may go as a whole.
        layout = self._document.firstBlock().layout()
        following = layout.lineAt(most)
        shortest, longest = 0, min(following.textStart() + following.textLength(), len(self._text) - 1)
        last = layout.lineAt(most - 1).textStart() + layout.lineAt(most - 1).textLength()
        if 2 < last <= longest and self._holds(last - 2, most):
            shortest = last - 2
        while shortest < longest:
            length = (shortest + longest + 1) // 2
            if self._holds(length, most):
                shortest = length
            else:
                longest = length - 1
        self._cut(shortest)
        return min(most, self._lines())

    def _holds(self, length: int, most: int) -> bool:
        """Return whether so many letters and the ellipsis fit."""
        self._cut(length)
        return self._lines() <= most

    def _cut(self, length: int) -> None:
        self._is_cut = True
        self._document.setHtml(self._html)
        cursor = QTextCursor(self._document)
        cursor.setPosition(length)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(_ELLIPSIS)

    def _lines(self) -> int:
        self._document.size()  # lays the text out
        return int(self._document.firstBlock().layout().lineCount())

    def paint(self, painter: QPainter, at: QPointF, pitch: float) -> None:
        """Draw the lines from ``at`` down, the first one in the middle of ``pitch`` logical pixels."""
        layout = self._document.firstBlock().layout()
        painter.save()
        for line in range(layout.lineCount()):
            placed = layout.lineAt(line)
            top = at.y() + line * pitch + (pitch - placed.height()) / 2
            placed.draw(painter, QPointF(at.x(), top - placed.y()))
        painter.restore()
