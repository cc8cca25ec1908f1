"""One of the small plots of the selected run, with its title."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from lstm_studio.networks.signals import Role
from lstm_studio.ui.monitor.drawing import Tile
from lstm_studio.ui.theme import HALF_GRID, Theme
from lstm_studio.ui.training_plots.curve_plot import CurvePlot
from lstm_studio.ui.widgets.badge import Badge
from lstm_studio.ui.widgets.text import ElidedLabel

_HEIGHT, _LEAST = 124, 74


class TileWidget(QWidget):
    """Title, unit and curves."""

    chosen = Signal(float)
    """Position that the user pointed at."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._tile: Tile | None = None
        self._badge = Badge(theme)
        self._title = ElidedLabel(kind="value")
        self._caption = ElidedLabel(kind="caption")
        self._caption.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.plot = CurvePlot(theme, "", height=_HEIGHT, least=_LEAST)
        self.plot.chosen.connect(self.chosen)
        self._head = head = QHBoxLayout()
        head.setSpacing(HALF_GRID)
        head.addWidget(self._badge)
        head.addWidget(self._title, 3)
        head.addWidget(self._caption, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.plot, 1)

    def show_tile(self, tile: Tile) -> None:
        """Show something else, or the same as it is now."""
        if tile is self._tile:
            return
        self._tile = tile
        self._badge.show_badge(tile.badge, tile.role if tile.role is not Role.INPUT else Role.GRADIENT)
        self._title.setText(tile.title)
        self._caption.setText(tile.caption)
        self._share_head()
        self.plot.title = tile.title
        self.plot.setAccessibleName(f"{tile.title}, {tile.caption}")
        self.plot.show_picture(tile.picture)

    def _share_head(self) -> None:
        """Give the title what it needs, and the caption the rest."""
        title = self._title.fontMetrics().horizontalAdvance(self._title.text()) + HALF_GRID
        rest = self.width() - self._badge.width() - 2 * HALF_GRID - title
        self._head.setStretch(1, title)
        self._head.setStretch(2, max(1, rest))
        # Of a few letters nobody learns anything; a screen reader says them all the same.
        self._caption.setVisible(rest > 4 * self._caption.fontMetrics().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the new width."""
        super().resizeEvent(event)
        self._share_head()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._badge.apply_theme(theme)
        self.plot.apply_theme(theme)
