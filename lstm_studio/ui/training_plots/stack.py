"""The plots of one training below each other, each with its label, on one axis and with one cursor."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QFontInfo, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.plots.header import RowHeader
from lstm_studio.ui.plots.row_item import TICK_GAP, Look
from lstm_studio.ui.plots.rows import GradientRow
from lstm_studio.ui.theme import (
    FOCUS_RING,
    GRID,
    HALF_GRID,
    LABEL_WIDTH,
    LIGHT,
    PANEL_INSET,
    PLOT_GAP,
    Text,
    Theme,
    base_size,
    scaled,
)
from lstm_studio.ui.training_plots.colour_bar import ColourBar, bar_width
from lstm_studio.ui.training_plots.curve_plot import CurvePlot
from lstm_studio.ui.training_plots.lag_map import LagMap
from lstm_studio.ui.training_plots.pictures import LagPicture, PlotRow
from lstm_studio.ui.training_plots.span import Span
from lstm_studio.ui.widgets.focus_ring import BY_KEYBOARD
from lstm_studio.ui.widgets.text import plain

_LABEL_GAP = 8
_MOST_LABEL_SHARE = 0.26
_USUAL_TICK = "0.25"
_LEAST_ROW = 34
_WIDEST_END = "LSTM 1.39e−12"


@dataclass(frozen=True, eq=False, slots=True)
class StackPicture:
    """Everything that plots below each other show.

    Parameters
    ----------
    rows
        From the top down; keys are unique.
    span
        The axis.
    cursor
        The step that is looked at; None for none.
    column
        The positions between which the cursor's column lies.
    edge
        The step that a training has reached that is not at its end; None for none.
    """

    rows: tuple[PlotRow, ...] = ()
    span: Span = field(default_factory=Span)
    cursor: int | None = None
    column: tuple[float, float] | None = None
    edge: int | None = None


class TrainingStack(QWidget):
    """Rows of plots over the steps of a training.

    Parameters
    ----------
    theme
        Where colours come from.
    name
        What is shown, for screen readers.
    """

    step_requested = Signal(int)
    """The step that was clicked or dragged to."""
    edges_changed = Signal(int, int)
    """Left and right edge of the plots in its own coordinates."""

    def __init__(
        self, theme: Theme = LIGHT, name: str = "Plots of the training", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(name)
        self._theme = theme
        self._look: Look | None = None
        self._picture = StackPicture()
        self._plots: dict[str, CurvePlot | LagMap] = {}
        self._headers: dict[str, RowHeader] = {}
        self._written: dict[str, tuple[object, ...]] = {}
        self._edges = (0, 0)
        self._bar = ColourBar(self.look, self)
        self._ring = _Ring(theme, self)
        self._ring.hide()

    @property
    def look(self) -> Look:
        """Theme and fonts, in the size of the window's text."""
        if self._look is None:
            self._look = Look(self._theme, QFontInfo(self.font()).pixelSize() / (base_size() * Text.BODY.value[0]))
        return self._look

    @property
    def picture(self) -> StackPicture:
        """What is shown."""
        return self._picture

    @property
    def edges(self) -> tuple[int, int]:
        """Left and right edge of the plots in its own coordinates."""
        return self._edges

    def plot(self, key: str) -> CurvePlot | LagMap:
        """Return the plot of a row."""
        return self._plots[key]

    # What is shown.

    def show_picture(self, picture: StackPicture) -> None:
        """Show something else; what is the same as before is not drawn again."""
        before, self._picture = self._picture, picture
        arranged = picture.rows is not before.rows and self._show_rows(picture.rows)
        for plot in self._plots.values():
            plot.show_span(picture.span)
        if arranged:
            self._place()
        elif picture.rows is not before.rows or picture.span != before.span:
            self._settle()
        self._show_cursor()

    def _show_rows(self, rows: tuple[PlotRow, ...]) -> bool:
        """Add, change and remove rows; return whether the arrangement changed."""
        arranged = [row.key for row in rows] != list(self._plots)
        kinds = {row.key: LagMap if isinstance(row.picture, LagPicture) else CurvePlot for row in rows}
        for key in [key for key, plot in self._plots.items() if not isinstance(plot, kinds.get(key, Look))]:
            self._remove(key)
            arranged = True
        for row in rows:
            plot = self._plots.get(row.key)
            if plot is None:
                plot = self._add(row)
            plot.show_picture(row.picture)
            self._show_label(row)
        self._plots = {row.key: self._plots[row.key] for row in rows}
        return arranged

    def _show_label(self, row: PlotRow) -> None:
        written = (row.title, row.note, row.third, row.badge, row.role)
        if self._written.get(row.key) != written:
            self._written[row.key] = written
            self._headers[row.key].set_row(_label_of(row))
            self._plots[row.key].title = row.title
            self._plots[row.key].setAccessibleName(row.title)
        self._headers[row.key].setAccessibleDescription(row.picture.summary)

    def _add(self, row: PlotRow) -> CurvePlot | LagMap:
        maps = isinstance(row.picture, LagPicture)
        plot = LagMap(self._theme, row.title, bar=False) if maps else CurvePlot(self._theme, row.title)
        plot.setParent(self)
        plot.chosen.connect(self._on_chosen)
        header = RowHeader(_label_of(row), self.look, self)
        self._plots[row.key], self._headers[row.key] = plot, header
        for part in (plot, header):
            part.show()
        return plot

    def _remove(self, key: str) -> None:
        self._written.pop(key, None)
        for part in (self._plots.pop(key), self._headers.pop(key)):
            part.hide()
            part.deleteLater()

    def _show_cursor(self) -> None:
        picture = self._picture
        flag = "" if picture.cursor is None else f"{picture.span.title} {picture.span.write(picture.cursor)}"
        edge = "" if picture.edge is None else format_count(picture.edge)
        for plot in self._plots.values():
            plot.show_edge(picture.edge, edge)
            plot.show_cursor(picture.cursor, flag, picture.column)
        summaries = [f"{row.title}: {row.picture.summary}" for row in picture.rows]
        self.setAccessibleDescription(". ".join(summaries))

    def apply_theme(self, theme: Theme) -> None:
        """Change colours and fonts."""
        self._theme, self._look = theme, None
        self._ring.theme = theme
        for plot in self._plots.values():
            plot.apply_theme(theme)
        self._place()
        self.update()

    # Places.

    def sizeHint(self) -> QSize:
        """Return room for four rows."""
        return QSize(900, 640)

    def minimumSizeHint(self) -> QSize:
        """Return room for four low rows."""
        return QSize(420, 200)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the new size among the rows."""
        super().resizeEvent(event)
        self._place()

    def changeEvent(self, event: QEvent) -> None:
        """Place everything anew with another font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._look = None
            self._place()

    def _title_width(self, row: PlotRow) -> float:
        return self.look.badge + HALF_GRID + self.look.metrics(Text.ROW_LABEL).horizontalAdvance(row.title)

    @property
    def _label_width(self) -> int:
        widest = max((self._title_width(row) for row in self._picture.rows), default=0.0)
        # What stands below the titles says how curves are drawn: it grows with the text, as far as plots can spare it.
        third = max((self._third_width(row) for row in self._picture.rows), default=0.0)
        notes = min(max(scaled(LABEL_WIDTH), math.ceil(third)), round(_MOST_LABEL_SHARE * self.width()))
        return max(LABEL_WIDTH, notes, round(widest + 3 * _LABEL_GAP))

    def _third_width(self, row: PlotRow) -> float:
        """Return what the last line of a label needs beside ticks of usual length."""
        third = self.look.metrics(Text.SECONDARY).horizontalAdvance(plain(row.third))
        tick = self.look.metrics(Text.TICK).horizontalAdvance(_USUAL_TICK)
        return self.look.badge + HALF_GRID + third + TICK_GAP + tick

    def _place(self) -> None:
        """Give every part its place."""
        rows, look = self._picture.rows, self.look
        self._bar.look = look
        flag = math.ceil(look.metrics(Text.TICK_BOLD).height()) + HALF_GRID + 4
        axis = math.ceil(look.metrics(Text.TICK).height()) + GRID
        free = self.height() - flag - axis - PLOT_GAP * max(0, len(rows) - 1)
        weights = sum(row.weight for row in rows) or 1.0
        # Rounded so that the heights add up, and every frame lies on whole pixels.
        ends, below = [0], 0.0
        for row in rows:
            below += row.weight
            ends.append(round(free * below / weights))
        top = 0
        for place, row in enumerate(rows):
            plot, header = self._plots[row.key], self._headers[row.key]
            first, last = place == 0, place == len(rows) - 1
            above, under = flag if first else PLOT_GAP - 1, axis if last else 1
            height = above + max(_LEAST_ROW, ends[place + 1] - ends[place]) + under
            plot.join(float(above), float(under), goes_on=(not first, not last), axis=last, flag=first)
            plot.keep_clear(PANEL_INSET + self._title_width(row))
            plot.setGeometry(0, top, self.width(), height)
            header.set_look(look)
            header.setGeometry(PANEL_INSET, top + above - 1, self._label_width, height - above - under + 2)
            header.raise_()
            top += height
        self._bar.raise_()
        self._ring.setGeometry(self.rect())
        self._ring.raise_()
        self._settle()

    def _settle(self) -> None:
        """Place what depends on what is shown: the edges, the lines of the labels, and the bar of the colours."""
        look, rows = self.look, self._picture.rows
        maps = [plot for plot in self._plots.values() if isinstance(plot, LagMap)]
        left = PANEL_INSET + self._label_width + _LABEL_GAP
        right = 2.0 * GRID + look.metrics(Text.TICK_BOLD).horizontalAdvance(_WIDEST_END)
        right = max(right, bar_width(look, titled=True) if maps else 0.0)
        right = max([right, *(plot.needed_right for plot in self._plots.values())])
        for row in rows:
            plot = self._plots[row.key]
            plot.show_insets(float(left), float(math.ceil(right)))
            self._headers[row.key].set_reaches(plot.reaches(), _LABEL_GAP)
        self._bar.setVisible(bool(maps))
        if maps:
            first, last = (plot.plot_rect().translated(plot.pos()) for plot in (maps[0], maps[-1]))
            half = round(look.metrics(Text.TICK).height() / 2)
            room = QRectF(first.right(), first.top() - half, right, last.bottom() - first.top() + 2 * half)
            self._bar.setGeometry(room.toRect())
            self._bar.show_axis(maps[0].axis, shared=len(maps) > 1)
        edges = (left, self.width() - math.ceil(right))
        if edges != self._edges:
            self._edges = edges
            self.edges_changed.emit(*edges)

    # The mouse and the keyboard.

    def _on_chosen(self, position: float) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.step_requested.emit(round(position))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus ring to who came by keyboard; the mouse says itself where it is."""
        super().focusInEvent(event)
        self._ring.setVisible(event.reason() in BY_KEYBOARD)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the focus ring."""
        super().focusOutEvent(event)
        self._ring.hide()


class _Ring(QWidget):
    """The ring around what has the keyboard, which lets the mouse through."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setPen(QPen(QColor(self.theme.focus), FOCUS_RING))
        painter.drawRect(QRect(1, 1, self.width() - 2, self.height() - 2))
        painter.end()


def _label_of(row: PlotRow) -> GradientRow:
    """Return what the label of a row says, as labels take it."""
    return GradientRow(row.key, row.title, row.note, (), row.third, row.badge, row.role)
