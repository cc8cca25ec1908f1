"""What small plots have in common: fonts that follow the text, a kept picture, values under the mouse."""

from __future__ import annotations

from abc import abstractmethod

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFontInfo,
    QHideEvent,
    QMouseEvent,
    QPaintEngine,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from lstm_studio.ui.plots.row_item import Look
from lstm_studio.ui.theme import Text, Theme, base_size


class SmallPlot(QWidget):
    """A plot in a panel. What it shows but for the cursor is kept as a picture, so that a moving cursor copies pixels.

    Parameters
    ----------
    name
        What it shows, for screen readers; :meth:`describe` adds what is to be seen.
    """

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self.theme = theme
        self._look: Look | None = None
        self._picture: QPixmap | None = None
        self._ratio: float | None = None
        self.renders = 0
        """How often the picture was drawn."""
        self.setAccessibleName(name)
        self.setMouseTracking(True)

    @property
    def look(self) -> Look:
        """Theme and fonts, in the size of the panel's text."""
        if self._look is None:
            self._look = Look(self.theme, QFontInfo(self.font()).pixelSize() / (base_size() * Text.BODY.value[0]))
        return self._look

    @property
    def ratio(self) -> float:
        """Pixels of the device that is drawn on, for each logical one."""
        return self._ratio or self.devicePixelRatioF()

    @property
    def line_height(self) -> float:
        """Height of a line of ticks."""
        return self.look.metrics(Text.TICK).height()

    def describe(self, summary: str) -> None:
        """Say in a sentence what is to be seen."""
        self.setAccessibleDescription(summary)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self.theme = theme
        self._look = None
        self.redraw()

    def redraw(self) -> None:
        """Forget the picture, and draw a new one when it is next shown; until then nobody needs parts of it either."""
        if self.isVisible():
            self.forget_picture()
        else:
            self.release()
        self.update()

    @property
    def kept_picture(self) -> QPixmap | None:
        """The picture as it was drawn last; None where a new one is needed."""
        fits = self._picture is not None and self._picture.size() == self.size() * self.devicePixelRatioF()
        return self._picture if fits else None

    def forget_picture(self) -> None:
        """Draw a new picture when a part of it is next shown."""
        self._picture = None

    def release(self) -> None:
        """Keep no picture at all."""
        self.forget_picture()

    @abstractmethod
    def paint(self, painter: QPainter) -> None:
        """Draw all but the cursor, in logical pixels."""

    def paint_over(self, painter: QPainter) -> None:
        """Draw what moves over the picture."""

    @abstractmethod
    def text_at(self, at: QPointF) -> str:
        """Return the tool tip for a place; empty where there is nothing to tell."""

    @abstractmethod
    def choose_at(self, at: QPointF) -> None:
        """Tell what the user pointed at."""

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Copy the picture, and draw what moves; into a file, draw all of it anew, as sharp as the file is."""
        painter = QPainter(self)
        ratio = painter.deviceTransform().m11()
        if painter.paintEngine().type() is QPaintEngine.Type.SVG:
            self._ratio = 1.0
            self.paint(painter)
            self._ratio = None
        elif ratio != self.devicePixelRatioF():
            painter.drawPixmap(0, 0, self._drawn(ratio))
        else:
            picture = self.kept_picture
            if picture is None:
                picture = self._picture = self._drawn(ratio)
                self.renders += 1
            painter.drawPixmap(0, 0, picture)
        self.paint_over(painter)
        painter.end()

    def _drawn(self, ratio: float) -> QPixmap:
        """Return all but what moves, with so many pixels for each logical one."""
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        inside = QPainter(picture)
        self._ratio = ratio
        self.paint(inside)
        self._ratio = None
        inside.end()
        return picture

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw anew."""
        super().resizeEvent(event)
        self.redraw()

    def hideEvent(self, event: QHideEvent) -> None:
        """Let go of the pictures; not if only what it stands in is hidden, which is soon shown again."""
        super().hideEvent(event)
        if self.isHidden():
            self.release()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the size of text."""
        super().changeEvent(event)
        if event.type() in {QEvent.Type.FontChange, QEvent.Type.StyleChange}:
            self._look = None
            self.redraw()
            self.updateGeometry()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell the value under the mouse; with the button down, choose it too."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.choose_at(event.position())
        text = self.text_at(event.position())
        if text:
            here = event.position().toPoint()
            QToolTip.showText(
                event.globalPosition().toPoint(), text, self, QRect(here - QPoint(2, 2), here + QPoint(2, 2))
            )
        else:
            QToolTip.hideText()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose what is under the mouse."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.choose_at(event.position())
        else:
            event.ignore()

    def write(self, painter: QPainter, text: str, at: QPointF, flags: Qt.AlignmentFlag, *, bold: bool = False) -> None:
        """Write a tick or an axis title, aligned to a point."""
        painter.setFont(self.look.font(Text.TICK_BOLD if bold else Text.TICK))
        painter.setPen(QColor(self.theme.ink if bold else self.theme.ink2))
        width = painter.fontMetrics().horizontalAdvance(text) + 2.0
        height = self.line_height
        left = at.x() - (
            width if flags & Qt.AlignmentFlag.AlignRight else width / 2 if flags & Qt.AlignmentFlag.AlignHCenter else 0
        )
        top = at.y() - (height / 2 if flags & Qt.AlignmentFlag.AlignVCenter else 0)
        painter.drawText(QRectF(left, top, width, height), flags & Qt.AlignmentFlag.AlignHorizontal_Mask, text)


def paint_line(painter: QPainter, rect: QRectF, theme: Theme) -> None:
    """Draw the cursor: a thin bar on its halo."""
    painter.fillRect(rect.adjusted(-1.2, 0, 1.2, 0), QColor(theme.halo))
    painter.fillRect(rect, QColor(theme.cursor))
