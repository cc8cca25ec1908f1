"""Where unexpected exceptions end up: standard error, a log file, and whoever shows them to the user."""

from __future__ import annotations

import contextlib
import sys
import threading
import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, Signal


def log_file() -> Path:
    """Return the path of the file that keeps tracebacks, which need not exist."""
    from platformdirs import user_log_path

    return user_log_path("lstm-studio", appauthor=False) / "errors.log"


class BugCatcher(QObject):
    """Takes the place of the exception hooks while the window is open.

    Without it an exception in a slot is printed where nobody looks, and the program goes on and exits with 0.
    """

    caught = Signal(str, str)
    """One line, and the traceback; emitted on whatever thread it happened."""
    interrupted = Signal()
    """Ctrl-C arrived while a slot was running."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.count = 0
        self._announcing: set[int] = set()
        """Threads on which a bug is being announced: one in the announcement would be announced for ever."""
        self._before = (sys.excepthook, threading.excepthook)

    def __enter__(self) -> BugCatcher:
        self._before = (sys.excepthook, threading.excepthook)
        sys.excepthook = self.catch
        threading.excepthook = self._catch_in_thread
        return self

    def __exit__(self, *_: object) -> None:
        sys.excepthook, threading.excepthook = self._before

    def catch(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Print, log and announce one exception."""
        if issubclass(kind, KeyboardInterrupt):
            self.interrupted.emit()
            return
        self.count += 1
        text = "".join(traceback.format_exception(kind, error, trace))
        with contextlib.suppress(OSError, ValueError, AttributeError):  # a program without a console has no stderr
            sys.stderr.write(text)
        with contextlib.suppress(OSError):
            path = log_file()
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')}\n{text}\n")
        thread = threading.get_ident()
        if thread in self._announcing:
            return
        self._announcing.add(thread)
        try:
            self.caught.emit(f"{kind.__name__}: {error}", text)
        finally:
            self._announcing.discard(thread)

    def _catch_in_thread(self, found: threading.ExceptHookArgs) -> None:
        if found.exc_value is not None:
            self.catch(found.exc_type, found.exc_value, found.exc_traceback)
