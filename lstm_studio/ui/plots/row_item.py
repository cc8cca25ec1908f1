"""What all rows of the stack have in common: a cached picture, a frame, margins."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakMethod

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPaintEngine, QPainter, QPixmap, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.plots.rows import StackState
from lstm_studio.ui.plots.scale import TimeScale
from lstm_studio.ui.theme import BADGE_SIZE, COLOUR_BAR_WIDTH, GRID, HALF_GRID, PANEL_INSET, Text, Theme, font

TICK_GAP = 6
_MARKER = 5
_LEAST_MARGIN = 8.0


_WIDEST = ("mean", "−0.005", "−5e−4")
"""What stands in the margin at the right; levels of a difference may be small."""


class Look:
    """Theme and fonts, handed to every item; fonts are made once, as making one costs as much as drawing with it.

    Parameters
    ----------
    theme
        Where colours come from.
    scale
        The user's font setting, 1 for 100 %.
    """

    def __init__(self, theme: Theme, scale: float = 1.0) -> None:
        self.theme = theme
        self.scale = scale
        self._fonts = {text: font(text, scale) for text in Text}
        self._metrics = {text: QFontMetricsF(made) for text, made in self._fonts.items()}

    def font(self, text: Text) -> QFont:
        """Return the font for one use of text."""
        return self._fonts[text]

    def metrics(self, text: Text) -> QFontMetricsF:
        """Return the measures of that font."""
        return self._metrics[text]

    @cached_property
    def badge(self) -> int:
        """Side of a badge, as large as its letter needs."""
        return max(BADGE_SIZE, self.font(Text.TICK_BOLD).pixelSize() + 6)

    @cached_property
    def side_width(self) -> float:
        """The most that the margin at the right takes: colour bar and its values, legends, end labels."""
        widest = max(map(self.metrics(Text.TICK).horizontalAdvance, _WIDEST))
        return GRID + COLOUR_BAR_WIDTH + HALF_GRID + widest


@dataclass(frozen=True, slots=True)
class Mark:
    """A point of a curve at the cursor: y in logical pixels from the row's top, and its colour."""

    y: float
    colour: str


@dataclass(frozen=True, slots=True)
class LeftLabel:
    """A label of the axis at the left: y in logical pixels from the row's top."""

    y: float
    text: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a label at the left reaches out: from ``top`` to ``bottom`` in the row, ``width`` beside the plot."""

    top: float
    bottom: float
    width: float


class RowItem(QGraphicsItem):
    """One row: its origin is the top left pixel of the plot inside the frame.

    The picture of the data is kept as a pixmap of the plot's size in device pixels, so that a moving cursor only copies
    pixels; it is drawn anew when data, size, view, selection or theme change.

    Parameters
    ----------
    look
        Theme and text scale.
    """

    framed = True

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.look = look
        self.scale_of_time = TimeScale(0, 1, 1, 0, 1)
        self.height = 1.0
        self.renders = 0
        self._pixmap: QPixmap | None = None
        self._margins = (_Margin(self, self.paint_left), _Margin(self, self.paint_right))
        self._reaches: list[Reach] = []

    def place(self, scale: TimeScale, top: float, height: float) -> None:
        """Give the row its place; draws anew only if the size or the visible steps changed."""
        if self.pos() != QPointF(scale.left, top):
            self.setPos(scale.left, top)
        if scale is self.scale_of_time and height == self.height:
            return
        self.prepareGeometryChange()
        self.scale_of_time, self.height = scale, height
        self.redraw()

    def set_look(self, look: Look) -> None:
        """Change colours and fonts; touches no data."""
        self.look = look
        self.redraw()

    def redraw(self) -> None:
        """Forget the picture, and draw a new one when it is next shown."""
        self.redraw_picture()
        self.redraw_margins()

    def redraw_picture(self) -> None:
        """Likewise, but leave the margins as they are."""
        self._pixmap = None
        self.update()

    def redraw_margins(self) -> None:
        """Draw ticks and side anew, but not the picture."""
        self._reaches = [reach for _, reach in self._drawn_labels()]
        # As narrow as ticks allow, so that a value that changes in the label column leaves them alone.
        left = max((reach.width for reach in self._reaches), default=_LEAST_MARGIN)
        # The ▸ of a first or last unit that is low reaches beyond the row.
        self._margins[0].cover(QRectF(-left, -_MARKER, left - 2, self.height + 2 * _MARKER))
        self._margins[1].cover(QRectF(self.scale_of_time.width + 2, -1, self.look.side_width, self.height + 2))
        for margin in self._margins:
            margin.update()

    def boundingRect(self) -> QRectF:
        """Return plot and frame."""
        return QRectF(-1, -1, self.scale_of_time.width + 2, self.height + 2)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        """Copy the exposed part of the picture, and draw the frame."""
        if painter.paintEngine().type() is QPaintEngine.Type.SVG:
            self._paint_as_such(painter)
            return
        if self._pixmap is None:
            self._pixmap = self._render()
        exposed = option.exposedRect.intersected(QRectF(0, 0, self.scale_of_time.width, self.height))
        if not exposed.isEmpty():
            ratio = self.scale_of_time.ratio
            source = QRectF(exposed.x() * ratio, exposed.y() * ratio, exposed.width() * ratio, exposed.height() * ratio)
            painter.drawPixmap(exposed, self._pixmap, source)
        if self.framed:
            paint_frame(painter, QRectF(0, 0, self.scale_of_time.width, self.height), self.look.theme.frame)

    def _paint_as_such(self, painter: QPainter) -> None:
        """Draw text and curves into a file as what they are."""
        painter.save()
        painter.setClipRect(QRectF(0, 0, self.scale_of_time.width, self.height))
        painter.scale(1 / self.scale_of_time.ratio, 1 / self.scale_of_time.ratio)
        self.render(painter)
        self._paint_rest(painter)
        painter.restore()
        if self.framed:
            paint_frame(painter, QRectF(0, 0, self.scale_of_time.width, self.height), self.look.theme.frame)

    @property
    def length(self) -> int:
        """How many steps the row has, of the stack's; what lies behind them is empty."""
        return self.scale_of_time.first + self.scale_of_time.count

    def _paint_rest(self, painter: QPainter) -> None:
        """Say that the row has ended where the stack goes on."""
        scale = self.scale_of_time
        first = max(0, self.length - scale.first)
        if first >= scale.count:
            return
        left = int(scale.edges[first])
        rest = QRectF(left, 0, scale.pixels - left, self.pixel_height)
        painter.fillRect(rest, QColor(self.look.theme.sunken))
        painter.save()
        painter.scale(scale.ratio, scale.ratio)
        painter.setFont(self.look.font(Text.TICK))
        painter.setPen(QColor(self.look.theme.ink3))
        room = QRectF(left / scale.ratio, 0, rest.width() / scale.ratio, self.height)
        words = f"ended at step {format_count(self.length)}"
        if painter.fontMetrics().horizontalAdvance(words) < room.width() - GRID:
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, words)
        painter.restore()

    def _render(self) -> QPixmap:
        self.renders += 1
        pixmap = QPixmap(self.scale_of_time.pixels, self.pixel_height)
        pixmap.fill(QColor(self.look.theme.panel))
        painter = QPainter(pixmap)
        self.render(painter)
        self._paint_rest(painter)
        painter.end()
        return pixmap

    @property
    def pixel_height(self) -> int:
        """Height of the plot in device pixels."""
        return max(1, round(self.height * self.scale_of_time.ratio))

    @abstractmethod
    def render(self, painter: QPainter) -> None:
        """Draw the data in device pixels; the origin is the plot's top left."""

    @property
    @abstractmethod
    def title(self) -> str:
        """The row's title."""

    @abstractmethod
    def apply(self, state: StackState) -> None:
        """Take over what concerns this row's data from a new state."""

    @abstractmethod
    def value_text(self, step: int) -> tuple[str, str]:
        """Return (what, value) for the label column at a step; the value may be empty."""

    @abstractmethod
    def summary(self) -> str:
        """Return the row in one sentence, for screen readers."""

    @abstractmethod
    def hover_text(self, step: int, y: float, label: Callable[[int], str]) -> str:
        """Return the tool tip for a step and a height in logical pixels from the row's top.

        ``label`` names a step, as `StackState.step_label` does.
        """

    def unit_at(self, y: float) -> int | None:  # noqa: ARG002 - for rows of units
        """Return the unit drawn at a height, if the row has units one can point at."""
        return None

    def marks(self, step: int) -> list[Mark]:  # noqa: ARG002 - for rows that have any
        """Return the points to mark at the cursor."""
        return []

    def left_labels(self) -> list[LeftLabel]:
        """Return the ticks to the left of the plot, from the top down."""
        return []

    def reaches(self) -> list[Reach]:
        """Return how far each tick that is drawn reaches into the label column."""
        return self._reaches

    def paint_left(self, painter: QPainter) -> None:
        """Draw ticks to the left of the plot, where they do not meet the title; x = 0 is the plot's left edge."""
        for label, reach in self._drawn_labels():
            painter.setFont(self.look.font(Text.TICK_BOLD if label.bold else Text.TICK))
            painter.setPen(QColor(self.look.theme.ink if label.bold else self.look.theme.ink2))
            room = QRectF(-reach.width, reach.top, reach.width - _tick_gap(label), reach.bottom - reach.top)
            painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, label.text)

    def paint_right(self, painter: QPainter) -> None:
        """Draw colour bar, legend or end labels; x = 0 is the plot's right edge."""

    def side_needed(self) -> float:
        """Return how wide that is; the same whatever unit is selected."""
        return self.look.side_width

    def _drawn_labels(self) -> list[tuple[LeftLabel, Reach]]:
        """Return the ticks that do not meet the title, and how far each reaches."""
        title = self.look.metrics(Text.ROW_LABEL)
        bottom = title.height() - 4
        right = PANEL_INSET + self.look.badge + HALF_GRID + title.horizontalAdvance(self.title) + 2
        every = [(label, self._extent(label)) for label in self.left_labels()]
        room = self.scale_of_time.left - right
        return [(label, reach) for label, reach in every if reach.top >= bottom or reach.width <= room]

    def _extent(self, label: LeftLabel) -> Reach:
        """Return where a label lies and how far it reaches, gap to the plot included, kept inside the row."""
        metrics = self.look.metrics(Text.TICK_BOLD if label.bold else Text.TICK)
        half = metrics.capHeight() / 2 + 1
        y = min(max(label.y, half), self.height - half)
        width = metrics.horizontalAdvance(label.text) + _tick_gap(label)
        return Reach(y - metrics.height() / 2, y + metrics.height() / 2, width)


def _tick_gap(label: LeftLabel) -> float:
    return TICK_GAP + (2 if label.bold else 0)


class _Margin(QGraphicsItem):
    """The area beside a plot, apart from it so that a moving cursor never repaints text."""

    def __init__(self, row: RowItem, draw: Callable[[QPainter], None]) -> None:
        super().__init__(row)
        # Else row and margin would hold each other, and the row's picture stay until the collector comes round.
        self._draw = WeakMethod(draw)
        self._rect = QRectF()

    def cover(self, rect: QRectF) -> None:
        """Change the area, in the row's coordinates."""
        self.prepareGeometryChange()
        self._rect = rect

    def boundingRect(self) -> QRectF:
        """Return the area."""
        return self._rect

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        """Let the row draw into it."""
        if self._rect.left() > 0:
            painter.translate(self._rect.left() - 2, 0)
        draw = self._draw()
        if draw is not None:
            draw(painter)


def paint_frame(painter: QPainter, inside: QRectF, colour: str) -> None:
    """Draw a 1 px frame around ``inside``."""
    x, y, width, height = inside.x(), inside.y(), inside.width(), inside.height()
    for edge in (
        QRectF(x - 1, y - 1, width + 2, 1),
        QRectF(x - 1, y + height, width + 2, 1),
        QRectF(x - 1, y, 1, height),
        QRectF(x + width, y, 1, height),
    ):
        painter.fillRect(edge, QColor(colour))


def paint_marker(painter: QPainter, y: float, colour: str) -> None:
    """Draw the ▸ of the selected unit at the plot's left edge."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    triangle = [QPointF(-2 - _MARKER, y - _MARKER + 1), QPointF(-2, y), QPointF(-2 - _MARKER, y + _MARKER - 1)]
    painter.drawPolygon(QPolygonF(triangle))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
