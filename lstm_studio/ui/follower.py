"""The one thread that reads trainings while they grow, and hands pictures of them to the watch list."""

from __future__ import annotations

import threading
import time

from PySide6.QtCore import QObject, QThread, Signal

from lstm_studio.errors import StudioError
from lstm_studio.runs.like import POLL_SECONDS, RunLike, Status
from lstm_studio.session.pictures import Followed, Mark, mark_of, picture_of
from lstm_studio.session.watchlist import Watchlist

RETRY_SECONDS = 2.0
"""An address that could not be read is tried again after so long: a training may only just begin there."""
ENDED_SECONDS = 2.0
"""Of a training that has ended little is to be expected; it may be resumed."""
_SAME_SECONDS = 0.5
"""Two times nearer than this are of the same sign of life."""


class Follower(QObject):
    """Keeps the pictures of a watch list up to date; its thread starts with the first address.

    Parameters
    ----------
    watchlist
        What is followed; told of everything that is new, on the thread of this object.
    """

    _looked = Signal(object)
    """Tuple of Followed, from the thread."""

    def __init__(self, watchlist: Watchlist, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._watchlist = watchlist
        self._reader = _Reader(self)
        self._looked.connect(self._on_looked)
        watchlist.changed.connect(self._on_changed)
        self._on_changed(watchlist.addresses)

    def stop(self) -> None:
        """End the thread; returns when it has ended."""
        self._watchlist.changed.disconnect(self._on_changed)
        self._reader.end()

    def _on_changed(self, addresses: tuple[str, ...]) -> None:
        self._reader.follow(addresses)

    def _on_looked(self, followed: tuple[Followed, ...]) -> None:
        self._watchlist.accept(followed)

    def report(self, followed: tuple[Followed, ...]) -> None:
        """Send what was seen to the thread of this object. Called on the reader's thread."""
        self._looked.emit(followed)


class _Reader(QThread):
    """Opens and refreshes the trainings, one after the other."""

    def __init__(self, follower: Follower) -> None:
        super().__init__(follower)
        self.setObjectName("follower")
        self._follower = follower
        self._changed = threading.Condition()
        self._wanted: tuple[str, ...] = ()
        self._ending = threading.Event()
        self._runs: dict[str, _Watched] = {}

    def follow(self, addresses: tuple[str, ...]) -> None:
        """Read these from now on."""
        with self._changed:
            self._wanted = addresses
            self._changed.notify()
        if addresses and not self.isRunning():
            self.start()

    def end(self) -> None:
        self._ending.set()
        with self._changed:
            self._changed.notify()
        self.wait()

    def run(self) -> None:
        """Look until told to end."""
        while not self._ending.is_set():
            with self._changed:
                wanted = self._wanted
            self._runs = {address: self._runs.get(address) or _Watched(address) for address in wanted}
            seen = []
            for watched in self._runs.values():
                new = watched.look()
                if new is not None:
                    seen.append(new)
                if self._ending.is_set():
                    return
            if seen:
                self._follower.report(tuple(seen))
            with self._changed:
                if self._wanted == wanted and not self._ending.is_set():
                    self._changed.wait(POLL_SECONDS if self._runs else None)


class _Watched:
    """One address on the reader's thread."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._run: RunLike | None = None
        self._mark: Mark | None = None
        self._heard_at = 0.0
        self._error = ""
        self._wait = 0.0

    def look(self) -> Followed | None:
        """Return how the training is now, or None where that is as it was."""
        self._wait -= POLL_SECONDS
        if self._wait > 0.0:
            return None
        try:
            if self._run is None:
                from lstm_studio.runs.opening import open_any

                self._run = open_any(self._address)
            else:
                self._run.refresh()
            mark = mark_of(self._run)
        except (StudioError, OSError) as error:
            self._run, self._mark, self._wait = None, None, RETRY_SECONDS
            known = (
                error if isinstance(error, StudioError) else StudioError(f"{self._address}: {error.strerror or error}.")
            )
            if str(known) == self._error:
                return None
            self._error = str(known)
            return Followed(self._address, None, known)
        self._wait = 0.0 if mark.status is Status.RUNNING else ENDED_SECONDS
        self._error = ""
        heard_at = time.monotonic() - self._run.heard
        if mark == self._mark and abs(heard_at - self._heard_at) < _SAME_SECONDS:
            return None
        self._mark, self._heard_at = mark, heard_at
        return Followed(self._address, picture_of(self._run))
