"""What the bars below plots have in common: a track with a handle, moved by mouse, wheel and keyboard."""

from __future__ import annotations

from abc import abstractmethod

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPen, QWheelEvent
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy

from lstm_studio.ui.theme import Text, Theme
from lstm_studio.ui.widgets.text import text_font

TRACK = 6
"""Height of the track in pixels."""
HANDLE = (12, 20)
"""Width and height of the handle in pixels."""
MARK = 5
"""Height of the line of what stands out, in pixels."""


class TrackBar(QAbstractSlider):
    """A slider over steps, whose ends can be put under the edges of plots.

    Its value is the number of a step, counted from 1 as all that the window writes: screen readers read it out.

    Parameters
    ----------
    name
        What is chosen, for screen readers.
    overhang
        Pixels beyond each end of the track, for the handle and the labels.
    """

    chosen = Signal(int)
    """The index that the user chose, counted from 0; not emitted by :meth:`show_index`."""

    def __init__(self, theme: Theme, name: str, overhang: int) -> None:
        super().__init__()
        self._theme, self._overhang = theme, overhang
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setSingleStep(1)
        self.setPageStep(10)
        self.setTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setRange(1, 1)
        self.valueChanged.connect(self._tell)

    @abstractmethod
    def index_at(self, x: float) -> int:
        """Return the index whose place is nearest to a position."""

    @property
    def index(self) -> int:
        """What is chosen, counted from 0."""
        return self.value() - 1

    def show_index(self, count: int, index: int) -> None:
        """Show so many steps, one of them as chosen, without telling."""
        self.blockSignals(True)
        self.setRange(1, max(1, count))
        self.setValue(index + 1)
        self.blockSignals(False)

    def _tell(self, number: int) -> None:
        self.chosen.emit(number - 1)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme, and another size of text."""
        self._theme = theme
        self.updateGeometry()
        self.update()

    @property
    def track_width(self) -> float:
        """Length of the track in pixels."""
        return max(1.0, self.width() - 2.0 * self._overhang)

    @property
    def track(self) -> QRectF:
        """Where the track is."""
        return QRectF(self._overhang, self.height() / 2 - TRACK / 2, self.track_width, TRACK)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the step under the mouse."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.setValue(self.index_at(event.position().x()) + 1)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the handle along."""
        if self.isSliderDown():
            self.setValue(self.index_at(event.position().x()) + 1)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """Let go."""
        self.setSliderDown(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step by step, whatever the wheel's resolution: up is back."""
        turned = event.angleDelta().y() or event.angleDelta().x()
        if turned:
            self.setValue(self.value() + (1 if turned < 0 else -1))
        event.accept()

    def paint_track(self, painter: QPainter, until: float, colour: str) -> None:
        """Draw the track up to a position."""
        track = self.track
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        track.setWidth(min(max(0.0, until - track.left()), track.width()))
        painter.drawRoundedRect(track, 3, 3)

    def paint_handle(self, painter: QPainter, x: float) -> None:
        """Draw the handle, its middle at a position."""
        (width, height), middle = HANDLE, self.height() / 2
        painter.setPen(QPen(QColor(self._theme.focus if self.hasFocus() else self._theme.cursor), 2))
        painter.setBrush(QColor(self._theme.panel))
        painter.drawRoundedRect(QRectF(x - width / 2, middle - height / 2, width, height), 4, 4)
        painter.drawLine(round(x), round(middle - 4), round(x), round(middle + 4))

    def use_font(self, painter: QPainter, use: Text) -> QFontMetricsF:
        """Write with the font for one use of text, and return its measures."""
        chosen = text_font(self, use)
        painter.setFont(chosen)
        return QFontMetricsF(chosen)
