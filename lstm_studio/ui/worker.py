"""The one thread that computes, and the rule that the newest request of a kind is the only one worth answering."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QObject, QThread, Signal, SignalInstance

from lstm_studio.errors import StudioError
from lstm_studio.progress import Cancelled, Progress
from lstm_studio.session.compute import Answer, Compute, Export, Judge, OpenFile, Request, WarmUp
from lstm_studio.session.question import Question

URGENCY: tuple[type[Request], ...] = (WarmUp, OpenFile, Compute, Question, Export, Judge)
"""Kinds in the order in which waiting requests are served."""

MAKES_STALE: Mapping[type[Request], tuple[type[Request], ...]] = {WarmUp: (), Compute: (Compute, Judge)}
"""Kinds of older requests that a newer one makes pointless; of all others those of its own class."""

REPORT_EVERY = 1 / 30
"""Seconds between two reports of progress; more would only fill the event queue."""


class Answers(Protocol):
    """What computes: :class:`~lstm_studio.session.compute.Computer`, or a stand-in in tests."""

    def answer(self, request: Request, progress: Progress) -> Answer:
        """Return the answer to a request, telling ``progress`` now and then."""
        ...


@dataclass(eq=False, slots=True)
class _Job:
    request: Request
    wanted: bool = True
    reported: float = 0.0


class Worker(QObject):
    """Serves requests one at a time on a thread of its own; everything arrives by queued signal.

    Parameters
    ----------
    computer
        What computes.
    """

    answered = Signal(object, object)
    """Request and answer. An answer that a newer request has made stale is not sent."""
    refused = Signal(object, object)
    """Request and the StudioError that the user can put right."""
    failed = Signal(object, object)
    """Request and the exception that is a bug, with its traceback."""
    started = Signal(object)
    """Request that is being served from now on."""
    progressed = Signal(object, float, str)
    """Request, fraction in 0…1 or negative where unknown, and words."""
    emptied = Signal()
    """Nothing is served and nothing waits."""

    def __init__(self, computer: Answers, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._computer = computer
        self._changed = threading.Condition()
        self._waiting: dict[type[Request], _Job] = {}
        self._running: _Job | None = None
        self._stopping = False
        self._thread = _Thread(self)
        self._thread.setObjectName("worker")
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether nothing is served and nothing waits."""
        with self._changed:
            return self._running is None and not self._waiting

    def submit(self, request: Request) -> None:
        """Ask for an answer; older requests that this one makes pointless are dropped or told to stop."""
        with self._changed:
            kind = type(request)
            self._drop(MAKES_STALE.get(kind, (kind,)), stale=isinstance(request, Compute))
            self._waiting[type(request)] = _Job(request)
            self._changed.notify()

    def cancel(self, *kinds: type[Request]) -> None:
        """Drop what waits and stop what runs of these kinds."""
        with self._changed:
            self._drop(kinds)

    def _drop(self, kinds: tuple[type[Request], ...], *, stale: bool = False) -> None:
        """Drop what is of these kinds, and with ``stale`` all questions about a result that will be replaced."""

        def pointless(request: Request) -> bool:
            return isinstance(request, kinds) or (stale and isinstance(request, Question) and request.about_result)

        self._waiting = {kind: job for kind, job in self._waiting.items() if not pointless(job.request)}
        if self._running is not None and pointless(self._running.request):
            self._running.wanted = False

    def stop(self) -> None:
        """Drop everything and end the thread; returns when it has ended."""
        with self._changed:
            self._stopping = True
            self._drop(URGENCY)
            self._changed.notify()
        self._thread.wait()

    def serve(self) -> None:
        """Serve until stopped. Runs on the worker's thread."""
        while (job := self._next()) is not None:
            self.started.emit(job.request)
            try:
                answer = self._computer.answer(job.request, _Reporter(self, job))
            except Cancelled:
                pass
            except StudioError as error:
                self._send(self.refused, job, error)
            except Exception as error:  # noqa: BLE001 - a bug travels to the window's thread with its traceback
                self._send(self.failed, job, error)
            else:
                self._send(self.answered, job, answer)
            with self._changed:
                self._running = None
                empty = not self._waiting
            if empty:
                self.emptied.emit()

    def _next(self) -> _Job | None:
        with self._changed:
            while not self._waiting and not self._stopping:
                self._changed.wait()
            if self._stopping:
                return None
            kind = min(self._waiting, key=_urgency)
            self._running = self._waiting.pop(kind)
            return self._running

    def _send(self, signal: SignalInstance, job: _Job, content: object) -> None:
        with self._changed:
            wanted = job.wanted
        if wanted:
            signal.emit(job.request, content)


def _urgency(kind: type[Request]) -> int:
    return next(place for place, urgent in enumerate(URGENCY) if issubclass(kind, urgent))


class _Thread(QThread):
    def __init__(self, worker: Worker) -> None:
        super().__init__(worker)
        self._worker = worker

    def run(self) -> None:
        self._worker.serve()


@dataclass(frozen=True, slots=True)
class _Reporter:
    """The progress callback of one job."""

    worker: Worker
    job: _Job

    def __call__(self, fraction: float, words: str) -> None:
        if not self.job.wanted:
            raise Cancelled
        now = time.monotonic()
        if now - self.job.reported >= REPORT_EVERY:
            self.job.reported = now
            self.worker.progressed.emit(self.job.request, fraction, words)
