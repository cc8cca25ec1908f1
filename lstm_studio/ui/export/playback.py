"""Draws the frames of a playback one by one while the window goes on, and hands them to whoever writes the file."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from lstm_studio.session.encoding import WritePlayback
from lstm_studio.session.phases import phases_of
from lstm_studio.session.session import Session
from lstm_studio.ui.export.dialogs import PlaybackWish
from lstm_studio.ui.export.stand_in import StandIn

_PAUSE = 5
"""Milliseconds between two frames in which the window serves its user."""


class Playback(QObject):
    """One playback that is being drawn; it deletes itself when that is done or nobody wants it any longer.

    Parameters
    ----------
    session
        What is played, as it is now; the file is asked of it.
    wish
        Which steps, how large, how fast.
    path
        Of the file.
    """

    ended = Signal()

    def __init__(self, session: Session, wish: PlaybackWish, path: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._stand_in = StandIn(session, wish.size, wish.theme)
        # The last step shows everything, and so all colours.
        self._stand_in.show_step(wish.last)
        phases = phases_of(session.result) if wish.in_phases else ()
        steps = range(wish.first, wish.last + 1)
        self._left = deque((step, phase) for step in steps for phase in phases or (None,))
        # A step takes as long in phases as it takes whole.
        rate = wish.rate * max(1, len(phases))
        self.question = WritePlayback(str(path), self._stand_in.frame(), len(self._left), rate)
        self._timer = QTimer(self)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(self._draw)
        self._timer.start()
        session.ask(self.question)

    def _draw(self) -> None:
        frames = self.question.frames
        if frames.closed:
            self.stop()
            return
        if frames.full:
            return
        if not self._left:
            frames.put(None)
            self.stop()
            return
        self._stand_in.show_step(*self._left.popleft())
        frames.put(self._stand_in.frame())

    def stop(self) -> None:
        """Draw no more: all is drawn, or nobody waits for it any longer."""
        if self._timer.isActive():
            self._timer.stop()
            self._stand_in.close()
            self.ended.emit()
            self.deleteLater()
