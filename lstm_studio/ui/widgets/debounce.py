"""Waits until the user has stopped typing."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

DELAY = 250
"""Milliseconds without a change after which it counts."""


class Debounce(QObject):
    """Emits ``settled`` once, a while after the last of several triggers."""

    settled = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY)
        self._timer.timeout.connect(self.settled)

    @property
    def waiting(self) -> bool:
        """Whether a trigger has not settled yet."""
        return self._timer.isActive()

    def trigger(self) -> None:
        """Something changed: wait again."""
        self._timer.start()

    def flush(self) -> None:
        """Settle at once if anything is waiting."""
        if self._timer.isActive():
            self._timer.stop()
            self.settled.emit()

    def cancel(self) -> None:
        """Forget what is waiting."""
        self._timer.stop()
