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
        self._html = html
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
        self._document.setHtml(self._html)
        self._document.setTextWidth(max(1.0, width))
        if self._lines() > most:
            shortest, longest = 0, len(self._text) - 1
            while shortest < longest:
                length = (shortest + longest + 1) // 2
                self._cut(length)
                if self._lines() > most:
                    longest = length - 1
                else:
                    shortest = length
            self._cut(shortest)
        return min(most, self._lines())

    def _cut(self, length: int) -> None:
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
