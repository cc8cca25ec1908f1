"""Keeps the session's result up to date with its setup: asks the worker, hands over the answers, reports the rest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from lstm_studio.errors import StudioError
from lstm_studio.sequences.options import MemoryLimitError, Missing, MissingValuesError, ReadOptions, in_bytes
from lstm_studio.sequences.sequence import SequenceSet
from lstm_studio.session.compute import (
    Answer,
    Answered,
    Compute,
    Export,
    Exported,
    Judge,
    Opened,
    OpenFile,
    Request,
    Warm,
    WarmUp,
)
from lstm_studio.session.encoding import WritePlayback
from lstm_studio.session.question import Question
from lstm_studio.session.session import Session
from lstm_studio.session.start import open_together
from lstm_studio.session.state import Result, Setup, Verdicts
from lstm_studio.ui.notices import Level, Notice, Offer
from lstm_studio.ui.worker import Answers, Worker

QUIET = 200
"""Milliseconds of work that need no progress bar."""

STARTING = "Starting PyTorch…"


class Runner(QObject):
    """Between the session, which computes nothing, and the worker, which knows no session.

    Parameters
    ----------
    session
        What is open.
    computer
        What computes.
    """

    noticed = Signal(object)
    """A Notice for the user."""
    busy_changed = Signal(bool)
    """Work has gone on for longer than :data:`QUIET`, or has ended."""
    progressed = Signal(float, str)
    """Fraction in 0…1, negative where unknown, and words."""
    warmed = Signal(object)
    """The Warm answer: torch is ready."""
    opened = Signal(str)
    """Path of a sequence file that has been read."""

    def __init__(self, session: Session, computer: Answers, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._warm: Warm | None = None
        self._busy = False
        self._opened = OpenFile("", ReadOptions())
        self._data: SequenceSet | None = None
        self._networks: tuple[OpenFile, tuple[str, ...]] | None = None
        self._computer = computer
        self._worker = self._made_worker()
        self._writer: Worker | None = None
        """Writes playbacks, which takes long and computes nothing; made when first needed."""
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(QUIET)
        self._patience.timeout.connect(self._on_impatient)
        session.setup_changed.connect(self._on_setup_changed)
        session.result_replaced.connect(self._on_result_replaced)
        session.failed.connect(self._on_session_failed)
        session.noticed.connect(self._on_session_noticed)
        session.asked.connect(self._submit)

    def _made_worker(self) -> Worker:
        worker = Worker(self._computer, self)
        worker.answered.connect(self._on_answered)
        worker.refused.connect(self._on_refused)
        worker.failed.connect(self._on_failed)
        worker.started.connect(self._on_started)
        worker.progressed.connect(self._on_progressed)
        worker.emptied.connect(self._on_emptied)
        return worker

    def _worker_for(self, request: Request) -> Worker:
        if not isinstance(request, WritePlayback):
            return self._worker
        if self._writer is None:
            self._writer = self._made_worker()
        return self._writer

    def _workers(self) -> tuple[Worker, ...]:
        return (self._worker,) if self._writer is None else (self._worker, self._writer)

    @property
    def warm(self) -> Warm | None:
        """What was found when torch was loaded; None until then."""
        return self._warm

    @property
    def busy(self) -> bool:
        """Whether the window should say that work goes on."""
        return self._busy

    @property
    def idle(self) -> bool:
        """Whether nothing is being computed, and nothing waits to be."""
        return all(worker.idle for worker in self._workers())

    def source_of(self, data: SequenceSet) -> OpenFile | None:
        """Return from where sequences were read, and how; None where they are not those that were read last."""
        return self._opened if data is self._data else None

    def warm_up(self) -> None:
        """Load torch; requests that come meanwhile wait for it."""
        self._worker.submit(WarmUp())

    def open_sequence(self, path: str, options: ReadOptions | None = None, networks: Sequence[str] = ()) -> None:
        """Read a sequence file or folder and run it through the networks on the screen, or through these checkpoints.

        Parameters
        ----------
        path
            File or folder.
        options
            How to read it.
        networks
            At most two checkpoints: the network under the microscope and its companion.
        """
        if options is not None and not options.files and path == self._opened.path:
            # Some files of a folder are read again, not all of them.
            options = replace(options, files=self._opened.options.files)
        request = OpenFile(path, options or ReadOptions())
        self._networks = (request, tuple(networks[:2])) if networks else None
        self._submit(request)

    def submit(self, request: Request) -> None:
        """Serve a request that a notice offered."""
        self._submit(request)

    def cancel(self) -> None:
        """Stop what the user waits for, and return to what is on the screen."""
        for worker in self._workers():
            worker.cancel(OpenFile, Compute, Question, Export, Judge)
        self._session.withdraw()

    def stop(self) -> None:
        """End the worker's thread; the runner is of no use after that."""
        self._session.setup_changed.disconnect(self._on_setup_changed)
        self._session.result_replaced.disconnect(self._on_result_replaced)
        self._session.failed.disconnect(self._on_session_failed)
        self._session.noticed.disconnect(self._on_session_noticed)
        self._session.asked.disconnect(self._submit)
        self._patience.stop()
        for worker in self._workers():
            worker.stop()

    def judge(self) -> None:
        """Have all sequences classified, if they have classes and the networks a read-out for them."""
        result, verdicts = self._session.result, self._session.verdicts
        if verdicts is not None and verdicts.sequences is result.sequences:
            return
        classes, target = len(result.sequences.classes), result.sequence.target
        labelled = target is not None and target.ndim == 0
        if classes and labelled and any(info.outputs == classes for info in result.infos):
            self._submit(Judge(result))

    def _submit(self, request: Request) -> None:
        self._worker_for(request).submit(request)
        if not isinstance(request, Judge) and not self._busy and not self._patience.isActive():
            self._patience.start()

    def _on_setup_changed(self, setup: Setup) -> None:
        if self._session.waiting:
            self._submit(Compute(setup))
        else:
            self._worker.cancel(Compute)

    def _on_result_replaced(self, _: Result) -> None:
        self.judge()

    def _on_answered(self, request: Request, answer: Answer) -> None:
        match answer:
            case Answered() if isinstance(request, Question):
                self._session.answer(request, answer.content)
            case Warm():
                self._warm = answer
                self.warmed.emit(answer)
            case Opened():
                self._opened, self._data = answer.request, answer.data
                self.opened.emit(answer.request.path)
                self._show_opened(answer)
            case Result():
                self._session.accept(answer)
            case Verdicts():
                self._session.accept_verdicts(answer)
            case Exported():
                self.noticed.emit(Notice(Level.NOTE, f"Saved {' and '.join(answer.paths)}."))

    def _show_opened(self, opened: Opened) -> None:
        networks: tuple[str, ...] = ()
        if self._networks is not None and self._networks[0] is opened.request:
            networks, self._networks = self._networks[1], None
        open_together(self._session, opened, networks)

    def _on_refused(self, request: Request, error: StudioError) -> None:
        if isinstance(request, Compute):
            self._session.reject(request.setup, error)
        else:
            self.noticed.emit(Notice(Level.ERROR, error.found, _cure(error), offers=_offers(request, error)))

    def _on_failed(self, request: Request, error: BaseException) -> None:
        if isinstance(request, Compute) and request.setup is self._session.setup:
            self._session.withdraw()
        # From here it goes to the exception hook, as a bug in a slot does: nobody above can handle it.
        raise error

    def _on_session_failed(self, error: StudioError) -> None:
        self.noticed.emit(Notice(Level.ERROR, error.found, _cure(error)))

    def _on_session_noticed(self, text: str) -> None:
        self.noticed.emit(Notice(Level.NOTE, text))

    def _on_started(self, request: Request) -> None:
        if isinstance(request, OpenFile):
            self.progressed.emit(-1.0, f"Reading {Path(request.path).name}")
        elif isinstance(request, Question):
            self.progressed.emit(-1.0, request.title)

    def _on_progressed(self, request: Request, fraction: float, words: str) -> None:
        if not isinstance(request, Judge):
            self.progressed.emit(fraction, words)

    def _on_impatient(self) -> None:
        self._busy = True
        self.busy_changed.emit(True)
        if self._warm is None:
            self.progressed.emit(-1.0, STARTING)

    def _on_emptied(self) -> None:
        if not self.idle:
            return
        self._patience.stop()
        if self._busy:
            self._busy = False
            self.busy_changed.emit(False)


_OPTION = re.compile(r" \((ReadOptions\.|input_size=)[^)]*\)")


def _cure(error: StudioError) -> str:
    """Return what helps, without what a program would write for it."""
    return _OPTION.sub("", error.cure)


def _offers(request: Request, error: StudioError) -> tuple[Offer, ...]:
    """Return the ways to read a file that was refused for want of a choice."""
    match request, error:
        case OpenFile(path=path, options=options), MemoryLimitError(needed=needed):
            return (Offer(f"Use {in_bytes(needed)}", OpenFile(path, replace(options, memory_limit=needed))),)
        case OpenFile(path=path, options=options), MissingValuesError():
            return tuple(Offer(text, OpenFile(path, replace(options, missing=how))) for how, text in _FILLING.items())
    return ()


_FILLING = {
    Missing.FORWARD: "Fill forward",
    Missing.INTERPOLATE: "Interpolate",
    Missing.DROP: "Drop those steps",
}
