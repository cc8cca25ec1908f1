"""What plots in squares have in common: beside each other where there is room, else below each other."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar

from PySide6.QtCore import QPointF, QSize
from PySide6.QtWidgets import QSizePolicy

from lstm_studio.ui.plots.small_plot import SmallPlot
from lstm_studio.ui.theme import GRID, Theme


class SquarePlots(SmallPlot):
    """Squares of one size; their height follows the width of the panel."""

    least: ClassVar[int]
    """The smallest side in pixels."""
    comfortable: ClassVar[int]
    """The side beyond which the height does not follow the width."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    @property
    @abstractmethod
    def count(self) -> int:
        """How many squares there are."""

    @abstractmethod
    def columns(self, width: float) -> int:
        """Return how many squares stand beside each other."""

    @property
    @abstractmethod
    def left(self) -> float:
        """Room to the left of each square."""

    @property
    @abstractmethod
    def above(self) -> float:
        """Room above each square."""

    @property
    @abstractmethod
    def below(self) -> float:
        """Room below each square."""

    @property
    def foot(self) -> float:
        """Room below all of them."""
        return 0.0

    def rows(self, width: float) -> int:
        """Return how many rows of squares there are."""
        return -(-max(1, self.count) // self.columns(width))

    def heightForWidth(self, width: int) -> int:
        """Return the height at which the squares fill the width, up to a comfortable size."""
        side = min(self._widest(width), self.comfortable)
        return round(self.rows(width) * (side + self.above + self.below) + self.foot)

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(276, self.heightForWidth(276))

    def minimumSizeHint(self) -> QSize:
        """Return a width that every panel has; the height follows it."""
        return QSize(160, self.least)

    def _widest(self, width: float) -> float:
        columns = self.columns(width)
        return max(self.least, (width - (columns - 1) * 2 * GRID) / columns - self.left)

    @property
    def side(self) -> float:
        """The side that both directions allow."""
        height = (self.height() - self.foot) / self.rows(self.width()) - self.above - self.below
        return min(self._widest(self.width()), max(self.least, height))

    def corners(self, side: float) -> tuple[QPointF, ...]:
        """Return the top left corners of squares with this side, in logical pixels."""
        columns = self.columns(self.width())
        return tuple(
            QPointF(
                math.floor(self.left + index % columns * (side + self.left + 2 * GRID)),
                math.floor(self.above + index // columns * (side + self.above + self.below)),
            )
            for index in range(self.count)
        )
