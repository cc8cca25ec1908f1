"""The bar below the plots of a training: all its steps on one line, with a handle that stops at its snapshots."""

from __future__ import annotations

from bisect import bisect_left

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QWheelEvent

from lstm_studio.ui.explore.scrub import Mark, ScrubBar, label_numbers
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.theme import Theme


class SnapshotBar(ScrubBar):
    """A slider over the training steps 0 … N that stops where weights were kept."""

    turned = Signal(int)
    """The wheel wants to go so many snapshots on."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._snapshots: tuple[int, ...] = ()
        self._done = -1
        self.setAccessibleName("Snapshot")

    def show_training(self, planned: int, done: int, snapshots: tuple[int, ...], marks: tuple[Mark, ...]) -> None:
        """Show another training, or how far it has come."""
        now = (planned + 1, done, snapshots, marks)
        if now == (self.steps, self._done, self._snapshots, self.marks):
            return
        self._done, self._snapshots = done, snapshots
        self.show_steps(planned + 1, self.value(), marks)
        self.setEnabled(bool(snapshots))

    def step_at(self, x: float) -> int:
        """Return the snapshot nearest to a position."""
        return self._nearest(super().step_at(x))

    def _nearest(self, step: int) -> int:
        place = bisect_left(self._snapshots, step)
        around = self._snapshots[max(0, place - 1) : place + 1]
        return min(around, key=lambda one: abs(one - step), default=0)

    def labels(self, most: float) -> tuple[tuple[int, str], ...]:
        """Return the steps to name below the bar: the first, round ones, the last."""
        last = self.maximum()
        inner = (number for number in label_numbers(last, most)[1:-1] if number)
        return tuple((step, format_count(step)) for step in dict.fromkeys((0, *inner, last)))

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Go from snapshot to snapshot: up is back."""
        turned = event.angleDelta().y() or event.angleDelta().x()
        if turned:
            self.turned.emit(1 if turned < 0 else -1)
        event.accept()

    def _paint_reached(self, painter: QPainter, track: QRectF) -> None:
        if self._done > 0:
            right = self.x_of(min(self._done, self.maximum()))
            self._paint_track(painter, track.adjusted(0, 0, right - track.right(), 0), self._theme.frame)
