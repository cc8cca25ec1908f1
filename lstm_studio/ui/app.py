"""The program with its window, from the first import to the exit status."""

from __future__ import annotations

import gc
import os

# Before Qt is imported by anything: packages that choose a binding must choose ours.
os.environ["QT_API"] = "pyside6"
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"
# PyTorch's oneDNN makes a kernel for each length of a sequence, in 2 ms, and keeps 1024 of them: 0.3 MB each.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")

import signal
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QSocketNotifier, Signal
from PySide6.QtWidgets import QApplication

from lstm_studio.errors import StudioError
from lstm_studio.session.autosave import Desk, desks_folder
from lstm_studio.session.compute import Computer
from lstm_studio.session.files import sort_files
from lstm_studio.session.samples import FIRST_SAMPLE, load_sample
from lstm_studio.session.session import Session
from lstm_studio.session.session_file import Contents, read_session
from lstm_studio.session.settings import Settings, load_settings, settings_file
from lstm_studio.session.start import stored_result, stored_verdicts
from lstm_studio.ui.bugs import BugCatcher
from lstm_studio.ui.docks import describe_docks
from lstm_studio.ui.heap import share_heap
from lstm_studio.ui.notices import Level, Notice
from lstm_studio.ui.window import StudioWindow
from lstm_studio.ui.worker import Answers


def open_window(files: Sequence[str]) -> int:
    """Open the window, with files in it, and return the exit status when it has been closed.

    Parameters
    ----------
    files
        A session; or sequences, folders of sequences and checkpoints.

    Raises
    ------
    StudioError
        If the sample that the window starts with is missing or damaged.
    """
    application = make_application()
    loaded = load_settings(settings_file())
    desk, problems = _make_desk()
    unkept = problems[0] if problems else None
    with BugCatcher() as bugs:
        first = sort_files(files).sessions[:1]
        contents = None
        if first:
            # Here and not on the worker's thread, which is busy loading torch at first.
            try:
                # Without a folder nothing can be written there either, which is what it then says.
                networks = desks_folder() / "networks" if desk is None else desk.networks
                contents = read_session(Path(first[0]), networks)
            except StudioError as error:
                problems.append(error)
        window = make_window(_stored_session(contents), None, loaded.settings, settings_file(), desk)
        if unkept is not None:
            window.keeper.cannot_keep(unkept)
        bugs.caught.connect(window.show_bug)
        bugs.interrupted.connect(window.leave)
        interrupt = _Interrupt()
        interrupt.arrived.connect(window.leave)
        window.closed.connect(application.quit)
        for problem in loaded.problems:
            window.show_notice(Notice(Level.WARNING, problem, "The file is written anew when the window closes."))
        for trouble in problems:
            window.note(Level.ERROR, trouble.found, trouble.cure)
        # Off since the start of the program.
        window.header.painted.connect(gc.enable)
        window.header.painted.connect(window.start)
        window.header.painted.connect(window.greet)
        window.header.painted.connect(window.keeper.look_back)
        window.show_first()
        if contents is not None:
            # Only a window that is shown has room to give to the panels.
            window.keeper.adopt(contents, Path(first[0]))
        others = [file for file in files if file not in first]
        if others and contents is not None:
            window.commands.files.open_beside(others)
        elif others:
            window.commands.files.open_files(others)
        status = application.exec()
        interrupt.release()
        destroy(window)
    return status


def _make_desk() -> tuple[Desk | None, list[StudioError]]:
    """Return the folder of this program; where there can be none that the next start finds, one for now if at all."""
    try:
        return Desk(), []
    except StudioError as error:
        problems = [error]
    try:
        return Desk(Path(tempfile.mkdtemp(prefix="lstm-studio-"))), problems
    except (OSError, StudioError):
        # A disk may be so full that there is no room for a folder either.
        return None, problems


def _stored_session(contents: Contents | None) -> Session | None:
    """Return a session on what a file shows, or None where that has to be computed first."""
    if contents is None or contents.result is None:
        return None
    session = Session(contents.result, contents.view, contents.remarks)
    if contents.verdicts is not None:
        session.accept_verdicts(contents.verdicts)
    return session


def make_application() -> QApplication:
    """Return the one application of this process, with the style that our palette and style sheet expect."""
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        share_heap()
        QCoreApplication.setApplicationName("LSTM Studio")
        QCoreApplication.setOrganizationName("lstm-studio")
        application = QApplication(["lstm-studio"])
        application.setStyle("Fusion")
        # The window decides, as it has to end its worker first.
        application.setQuitOnLastWindowClosed(False)
    describe_docks()
    return application


def first_session() -> Session:
    """Return a session that shows the first sample as it is stored; neither torch nor a reader is loaded for it."""
    sample = load_sample(FIRST_SAMPLE)
    session = Session(stored_result(sample))
    verdicts = stored_verdicts(sample)
    if verdicts is not None:
        session.accept_verdicts(verdicts)
    return session


def make_window(
    session: Session | None = None,
    computer: Answers | None = None,
    settings: Settings | None = None,
    settings_path: Path | None = None,
    desk: Desk | None = None,
) -> StudioWindow:
    """Return a window that is not shown yet: on the first sample, unless a session is given."""
    return StudioWindow(
        session or first_session(),
        computer or Computer(),
        settings,
        settings_path,
        desk,
    )


def destroy(window: StudioWindow) -> None:
    """Close a window and free it now: what Qt frees after the interpreter has ended can crash the exit."""
    window.close()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()


class _Interrupt(QObject):
    """Ctrl-C and SIGTERM as a signal of the event loop, which runs no Python while nothing happens."""

    arrived = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._read, self._write = socket.socketpair()
        for end in (self._read, self._write):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._read.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_activated)
        self._before_fd = signal.set_wakeup_fd(self._write.fileno())
        self._before = {number: signal.signal(number, _noted) for number in (signal.SIGINT, signal.SIGTERM)}

    def release(self) -> None:
        """Give the signals back to whoever had them."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._before_fd)
        self._notifier.setEnabled(False)
        self._read.close()
        self._write.close()

    def _on_activated(self) -> None:
        self._read.recv(64)
        self.arrived.emit()


def _noted(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: that a signal arrived is read from the socket."""
