"""The centre of Monitor: the curve of every run, gates and norms of the selected one, its gradient by lag."""

from __future__ import annotations

import math
from dataclasses import replace

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from lstm_studio.networks.signals import Role
from lstm_studio.session.monitoring import Monitoring, MonitorView
from lstm_studio.session.run_words import loss_names
from lstm_studio.session.session import Session
from lstm_studio.session.state import View
from lstm_studio.ui.actions import Actions
from lstm_studio.ui.monitor.drawing import Drawing
from lstm_studio.ui.monitor.empty import EmptyMonitor
from lstm_studio.ui.monitor.tile import TileWidget
from lstm_studio.ui.theme import GRID, HALF_GRID, PANEL_INSET, SECTION_GAP, Theme, scaled
from lstm_studio.ui.training_plots.curve_plot import CurvePlot
from lstm_studio.ui.training_plots.lag_map import LagMap
from lstm_studio.ui.training_plots.plot import TrainingPlot
from lstm_studio.ui.widgets.badge import Badge
from lstm_studio.ui.widgets.focus_ring import FocusRing
from lstm_studio.ui.widgets.text import ElidedLabel, label
from lstm_studio.ui.widgets.themed import Themed

_TILE_WIDTH = 208
_TILE_TEXT = 188
"""What of that grows with the text: the labels beside the curves, and these have to stay as wide."""
_MOST_COLUMNS = 4
_LOSS = "Loss"
_TICK = 1000
"""Milliseconds between two looks at what has fallen silent."""


class MonitorCentre(QWidget):
    """Everything that is drawn of the runs, on one axis of training steps with one cursor.

    Parameters
    ----------
    monitoring
        What is shown, and how.
    session
        Which vocabulary is used.
    actions
        What the buttons do.
    """

    edges_changed = Signal(int, int)
    """Left and right edge of the plots that go over the whole width, in pixels of the screen."""

    def __init__(self, monitoring: Monitoring, session: Session, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self._monitoring, self._session, self._theme = monitoring, session, theme
        self.drawing = Drawing(monitoring)
        self.setAccessibleName("Monitor")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._empty = EmptyMonitor(theme, actions)
        self.runs = CurvePlot(theme, "Curves of all runs that are shown", flag=True, height=190, least=112)
        self.tiles: list[TileWidget] = []
        self.lags = LagMap(theme, "Gradient by lag")
        self._titles = [label(kind="title") for _ in range(3)]
        self._captions = [ElidedLabel(kind="caption") for _ in range(3)]
        self._scalar, self._layer, self._signal = (_chooser(*named) for named in _CHOSEN)
        self._log = QPushButton("Log")
        self._badge = Badge(theme, "∂", Role.GRADIENT)
        self._grid = QGridLayout()
        self._pages = QStackedLayout()
        self._shown_grid = (0, 0)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK)
        self._timer.timeout.connect(monitoring.tick)
        self._ring = FocusRing(theme, self)
        self._lay_out(actions)
        for plot in (self.runs, self.lags):
            plot.chosen.connect(self._on_chosen)
        self._scalar.activated.connect(self._choose_scalar)
        self._layer.activated.connect(self._choose_layer)
        self._signal.activated.connect(self._choose_signal)
        self._log.clicked.connect(actions["monitor.log-axis"].trigger)
        monitoring.view_changed.connect(self._on_view)
        monitoring.pictured.connect(self._on_pictured)
        monitoring.listed.connect(self._on_listed)
        session.view_changed.connect(self._on_session_view)
        self.refresh()

    def _lay_out(self, actions: Actions) -> None:
        self._log.setCheckable(True)
        self._log.setAccessibleName("Logarithmic axis")
        self._log.setToolTip(actions["monitor.log-axis"].toolTip())
        for caption in self._captions:
            caption.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        content = QFrame()
        content.setProperty("kind", "panel")
        column = QVBoxLayout(content)
        column.setContentsMargins(PANEL_INSET, HALF_GRID, PANEL_INSET, GRID)
        column.setSpacing(HALF_GRID)
        self._grid.setHorizontalSpacing(PANEL_INSET)
        self._grid.setVerticalSpacing(HALF_GRID)
        column.addLayout(_head(self._titles[0], self._scalar, self._log, self._captions[0]))
        column.addWidget(self.runs, 5)
        self._lower = QWidget()
        lower = QVBoxLayout(self._lower)
        lower.setContentsMargins(0, 0, 0, 0)
        lower.setSpacing(HALF_GRID)
        lower.addWidget(_line())
        lower.addLayout(_head(self._titles[1], self._layer, self._captions[1]))
        lower.addLayout(self._grid, 7)
        lower.addWidget(_line())
        lower.addLayout(_head(self._badge, self._titles[2], self._signal, self._captions[2]))
        lower.addWidget(self.lags, 5)
        column.addWidget(self._lower, 12)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName("Plots of the runs, scrolling")
        scroll.setWidget(content)
        self._content = content
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(SECTION_GAP)
        # Before anything is in it, which would show as a window of its own.
        outer.addLayout(self._pages)
        self._pages.addWidget(self._empty)
        self._pages.addWidget(scroll)

    # What is shown.

    def refresh(self) -> None:
        """Draw everything as it is now."""
        self._pages.setCurrentIndex(1 if self._monitoring.addresses else 0)
        if not self._monitoring.addresses:
            return
        self._show_choices()
        self._show_runs()
        self._show_selected()
        self._align()
        self._show_cursor()

    def _show_runs(self) -> None:
        monitoring = self._monitoring
        picture = self.drawing.runs(self._theme)
        self.runs.show_span(self.drawing.span())
        self.runs.show_picture(picture)
        name = monitoring.view.scalar or _LOSS
        self._titles[0].setText(f"{name}, {len(picture.lines)} of {len(monitoring.addresses)} runs")
        self._captions[0].setText(f"{'log axis, ' if monitoring.view.log else ''}raw values")

    def _show_selected(self) -> None:
        monitoring, drawing = self._monitoring, self.drawing
        picture, view = monitoring.selected, monitoring.view
        followed = monitoring.followed.get(view.selected)
        self._lower.setVisible(bool(view.selected))
        if followed is None:
            return
        title = picture.title if picture is not None else view.selected
        self._titles[1].setText(f"{monitoring.letter(view.selected)} · {title}")
        if picture is None:
            self._captions[1].setText("cannot be read" if followed.error is not None else "is being opened")
        else:
            every = picture.info.get("every")
            words = [f"sampled every {every} steps" if isinstance(every, int) and every > 1 else "", *picture.lacks[:1]]
            self._captions[1].setText(" · ".join(word for word in words if word))
        self._show_tiles()
        lags = drawing.lags()
        self.lags.show_span(drawing.span())
        self.lags.show_picture(lags)
        self._titles[2].setText("Gradient by lag")
        name = drawing.lag_signal()
        self._captions[2].setText(f"norm of ∂L/∂{_symbol(name)}, log scale" if name else "")

    def _show_tiles(self) -> None:
        tiles = self.drawing.tiles(self._theme, self._session.view.labels)
        span = self.drawing.span()
        while len(self.tiles) < len(tiles):
            made = TileWidget(self._theme)
            made.chosen.connect(self._on_chosen)
            self.tiles.append(made)
        for widget, tile in zip(self.tiles, tiles, strict=False):
            widget.plot.show_span(span)
            widget.show_tile(tile)
        self._arrange(len(tiles))

    def _arrange(self, count: int) -> None:
        """Put so many tiles into as many columns as have room."""
        width = self._content.width() - 2 * PANEL_INSET
        title = 22 * QFontMetrics(self._titles[0].font()).averageCharWidth()
        fits = max(1, width // max(_TILE_WIDTH, title, scaled(_TILE_TEXT)))
        most = max(1, min(_MOST_COLUMNS, fits, count))
        rows = -(-count // most)
        # As even as possible: seven are four and three, six are three and three.
        columns = -(-count // max(1, rows))
        if (count, columns) == self._shown_grid:
            return
        self._shown_grid = (count, columns)
        for index, tile in enumerate(self.tiles):
            self._grid.removeWidget(tile)
            if index < count:
                self._grid.addWidget(tile, index // columns, index % columns)
            # Once it has a parent: else it would be a window of its own.
            tile.setVisible(index < count)
        for column in range(_MOST_COLUMNS):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)

    def _show_choices(self) -> None:
        monitoring, drawing, view = self._monitoring, self.drawing, self._monitoring.view
        names: dict[str, None] = {}
        for address in monitoring.drawn:
            picture = monitoring.picture(address)
            if picture is not None:
                names |= dict.fromkeys((*loss_names(picture.scalars), *picture.scalars, *picture.parameters))
        _fill(self._scalar, [("Loss of each run", ""), *((name, name) for name in names)], view.scalar)
        layers = drawing.layers()
        _fill(self._layer, [(layer, layer) for layer in layers], view.layer or next(iter(layers), ""))
        self._layer.setVisible(len(layers) > 1)
        signals = drawing.lag_choices(self._session.view.labels)
        _fill(self._signal, signals, drawing.lag_signal())
        self._signal.setVisible(len(signals) > 1)
        self._log.setChecked(view.log)

    def _show_cursor(self) -> None:
        monitoring = self._monitoring
        picture, step = monitoring.selected, monitoring.step
        position = self.drawing.position(picture, step) if picture is not None and step is not None else None
        if position is not None and math.isnan(position):
            # It does not say when its steps were: on an axis of time there is no place for them.
            position = None
        flag, column = "", None
        if position is not None:
            flag = f"{self.runs.span.title} {self.runs.span.write(position)}"
            record = self.lags.picture.record_at(position)
            column = None if record is None else self.lags.picture.reach(record)
        self.runs.show_cursor(position, flag)
        self.lags.show_cursor(position, column=column)
        for tile in self.tiles:
            tile.plot.show_cursor(position)

    def _align(self) -> None:
        """Give all plots over the whole width the same edges, and tell them."""
        wide: tuple[TrainingPlot, ...] = (self.runs, self.lags)
        left, right = max(plot.needed_left for plot in wide), max(plot.needed_right for plot in wide)
        for plot in wide:
            plot.show_insets(left, right)
        tiles = [tile.plot for tile in self.tiles if not tile.isHidden()]
        left = max((plot.needed_left for plot in tiles), default=0.0)
        right = max((plot.needed_right for plot in tiles), default=0.0)
        for plot in tiles:
            plot.show_insets(left, right)
        inside = self.runs.plot_rect()
        at = self.runs.mapToGlobal(QPoint()).x()
        self.edges_changed.emit(round(at + inside.left()), round(at + inside.right()))

    # What the user does.

    def _on_chosen(self, position: float) -> None:
        """Go to the recorded step nearest to a place."""
        monitoring = self._monitoring
        picture, steps = monitoring.selected, monitoring.steps
        if picture is None or not len(steps):
            return
        if not self.runs.span.seconds:
            monitoring.go_to(round(position))
            return
        known, walls = picture.times
        index = int((walls - walls[0]).searchsorted(position)) if len(known) else 0
        monitoring.go_to(int(known[min(index, len(known) - 1)]) if len(known) else 0)

    def _choose_scalar(self, index: int) -> None:
        self._monitoring.look(scalar=self._scalar.itemData(index))

    def _choose_layer(self, index: int) -> None:
        self._monitoring.look(layer=self._layer.itemData(index), signal="")

    def _choose_signal(self, index: int) -> None:
        self._monitoring.look(signal=self._signal.itemData(index))

    # What is told.

    def _on_view(self, after: MonitorView, before: MonitorView) -> None:
        if not self.isVisible():
            return
        if replace(after, step=before.step, item=before.item, words=before.words) != before:
            self.refresh()
        elif after.step != before.step:
            self._show_cursor()

    def _on_pictured(self, addresses: frozenset[str]) -> None:
        if not self.isVisible():
            return
        if self._monitoring.view.selected in addresses:
            self.refresh()
        elif addresses & set(self._monitoring.drawn):
            before = self.runs.span
            self._show_choices()
            self._show_runs()
            if self.runs.span != before:
                self.refresh()

    def _on_listed(self, addresses: tuple[str, ...]) -> None:  # noqa: ARG002 - the watch list holds them
        self.drawing.forget()
        self.refresh()

    def _on_session_view(self, after: View, before: View) -> None:
        if after.labels is not before.labels and self.isVisible():
            self._show_choices()
            self._show_selected()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what has come while it could not be seen."""
        super().showEvent(event)
        self.refresh()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest while nobody looks."""
        super().hideEvent(event)
        self._timer.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange the tiles, and tell where the edges are."""
        super().resizeEvent(event)
        self.refresh()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = self._ring.theme = theme
        parts: tuple[Themed, ...] = (self._empty, self.runs, self.lags, self._badge, *self.tiles)
        for part in parts:
            part.apply_theme(theme)
        for chooser in (self._scalar, self._layer, self._signal):
            chooser.setMaximumWidth(scaled(_CHOOSER))
        self.refresh()


_CHOOSER = 240
"""Pixels at 100 % that a choice takes at most."""


_CHOSEN = (
    ("Curve", "The curve that is drawn of each run"),
    ("Layer", "The layer that is drawn below"),
    ("Signal", "The gradient that is drawn by its lag"),
)


def _chooser(name: str, tip: str) -> QComboBox:
    made = QComboBox()
    made.setAccessibleName(name)
    made.setToolTip(tip)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    return made


def _fill(chooser: QComboBox, options: list[tuple[str, str]], chosen: str) -> None:
    """Offer other options, but leave a chooser alone that offers them already: it may be open."""
    if [(chooser.itemText(at), chooser.itemData(at)) for at in range(chooser.count())] != options:
        chooser.clear()
        for text, data in options:
            chooser.addItem(text, data)
    index = chooser.findData(chosen)
    if index != chooser.currentIndex():
        chooser.setCurrentIndex(index)


def _head(*parts: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(GRID)
    for part in parts:
        row.addWidget(part, 1 if isinstance(part, ElidedLabel) else 0)
    return row


def _line() -> QFrame:
    made = QFrame()
    made.setFrameShape(QFrame.Shape.HLine)
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    made.setFixedHeight(1)
    made.setStyleSheet("border: 0; background: palette(midlight);")
    return made


def _symbol(name: str) -> str:
    return {"hidden_state": "h", "cell_state": "c"}.get(name.rpartition(".")[2], name.rpartition(".")[2])
