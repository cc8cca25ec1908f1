"""Tells those who do not see the window what has changed in it: what has come, the step, what is compared."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QWidget

from lstm_studio.session.phases import shown_phase
from lstm_studio.session.session import Session
from lstm_studio.session.state import Result, View
from lstm_studio.ui.explore.sentences import shown_sentence
from lstm_studio.ui.explore.transport import Transport
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.widgets.debounce import Debounce
from lstm_studio.ui.widgets.said import say
from lstm_studio.ui.widgets.text import plain

_TELLING = ("cursor", "phase", "four_phases", "units", "layer", "backward")


class Announcer(QObject):
    """Says a step when the user has come to rest on it; where nobody listens it does nothing.

    Parameters
    ----------
    session
        What is shown.
    transport
        While it plays nothing is said: steps come faster than words.
    plots
        In whose name it is said; while they cannot be seen it is quiet.
    compared
        Its description says what a comparison shows.
    """

    said = Signal(str)

    def __init__(self, session: Session, transport: Transport, plots: QWidget, compared: QWidget) -> None:
        super().__init__(plots)
        self._session, self._transport, self._plots, self._compared = session, transport, plots, compared
        self._comparison_told, self._told = "", ""
        self._known = session.result
        self._work, self._busy = "", False
        self._rests = Debounce(self)
        self._rests.settled.connect(self._say)
        session.result_replaced.connect(self._on_result)
        session.view_changed.connect(self._on_view)
        transport.playing_changed.connect(self._on_playing)

    def _on_view(self, after: View, before: View) -> None:
        changed = after.comparison != before.comparison or any(
            getattr(after, name) != getattr(before, name) for name in _TELLING
        )
        if changed and QAccessible.isActive() and not self._transport.playing:
            self._rests.trigger()

    def _on_result(self, _: Result) -> None:
        if QAccessible.isActive() and not self._transport.playing:
            self._rests.trigger()

    def show_work(self, _: float, words: str) -> None:
        """Hear what is being done; call :meth:`show_busy` when it takes long."""
        self._work = words
        self._say_work()

    def show_busy(self, busy: bool) -> None:
        """Say what takes long, once; what comes of it is said anyhow."""
        self._busy = busy
        self._say_work()
        if not busy:
            self._work = ""

    def _say_work(self) -> None:
        if self._busy and self._work:
            say(self._plots.window(), f"{self._work.rstrip('…')}…")
            self._busy = False

    def _on_playing(self, playing: bool) -> None:
        if playing:
            self._rests.cancel()
        elif QAccessible.isActive():
            self._rests.trigger()

    def _say(self) -> None:
        if not self._plots.isVisible():
            return
        words = " ".join(part for part in (self._arrived(), self._comparison(), self._step()) if part)
        if words != self._told:
            self._told = words
            say(self._plots, words)
            self.said.emit(words)

    def _arrived(self) -> str:
        """Return which sequence and which networks have come since the last words."""
        before, now = self._known, self._session.result
        self._known = now
        words = []
        if now.setup.data is not before.setup.data:
            words.append(now.sequences.title)
        if len(now.sequences) > 1 and (words or now.setup.item != before.setup.item):
            words.append(f"Sequence {format_count(now.setup.item + 1)} of {format_count(len(now.sequences))}")
        if [info.fingerprint for info in now.infos] != [info.fingerprint for info in before.infos]:
            words.append(" and ".join(info.title for info in now.infos))
        return "".join(f"{word}. " for word in words if word).rstrip()

    def _step(self) -> str:
        result, view = self._session.result, self._session.view
        sequence, step = result.sequence, min(view.cursor, result.sequence.steps - 1)
        where = f"Step {format_count(step + 1)} of {format_count(sequence.steps)}"
        symbol = "" if sequence.symbols is None else f", {sequence.symbols[step]}"
        phase = shown_phase(result, view)
        named = "" if phase is None else f", {phase:d} {phase.label(view.labels)}"
        return f"{where}{symbol}{named}. {plain(shown_sentence(result, view))}".rstrip()

    def _comparison(self) -> str:
        """Return what is compared, once."""
        compared = self._session.view.comparison is not None and not self._compared.isHidden()
        words = self._compared.accessibleDescription() if compared else ""
        before, self._comparison_told = self._comparison_told, words
        return words if words != before else ""
