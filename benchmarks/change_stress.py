"""Two thousand sequences, seeds, sizes and kinds of network, each traced and shown in the whole window with all panels.

Resident memory must be flat once each sequence has been shown, references to None must not fall, and the process must
end with status 0, without an exception in a slot and without a setup that could not be computed.
"""

from __future__ import annotations

import os
import sys
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QDeadlineTimer, QEvent, QEventLoop

from benchmarks._flat import Readings
from lstm_studio.errors import StudioError
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.session.session import Session
from lstm_studio.ui.app import destroy, make_application, make_window
from lstm_studio.ui.bugs import BugCatcher
from lstm_studio.ui.panels import PANELS

CHANGES = 2_000
EVERY = 250
"""Changes between two readings; from the third one on, memory must be flat: the sample has 200 sequences."""
KINDS = ("lstm", "gru", "rnn")
SIZES = (8, 12, 16)
LONGEST = 60_000
"""Milliseconds after which an answer is given up; the first one loads PyTorch."""


class Failures:
    """Counts and prints what could not be computed."""

    def __init__(self, session: Session) -> None:
        self.count = 0
        session.failed.connect(self._on_failed)

    def _on_failed(self, error: StudioError) -> None:
        self.count += 1
        print(error, flush=True)


def change(session: Session, count: int) -> None:
    """Ask for another sequence, and every now and then for another network too."""
    changes: dict[str, object] = {"item": (session.setup.item + 1) % len(session.result.sequences)}
    if count % 10 == 5:
        place = count // 10
        changes["network"] = NetworkSpec(KINDS[place % 3], SIZES[place // 3 % 3], 1 + place % 2, place % 4 == 0, place)
    session.change("Change the setup", **changes)


def settle(session: Session) -> None:
    """Wait until the answer is on the screen."""
    deadline = QDeadlineTimer(LONGEST)
    while session.waiting and not deadline.hasExpired():
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 50)
    QCoreApplication.processEvents()
    # As a running event loop does and processEvents alone does not.
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def main() -> int:
    """Print memory and references along the way, and return 1 if a limit is missed."""
    make_application()
    readings = Readings("changes", warm=2)
    with BugCatcher() as bugs:
        window = make_window()
        window.show()
        for panel in PANELS:
            window.show_panel(panel.key, True)
        window.start()
        session = window.session
        failures = Failures(session)
        began = time.perf_counter()
        for count in range(CHANGES + 1):
            if count % EVERY == 0:
                readings.note(count)
            change(session, count)
            settle(session)
        took = time.perf_counter() - began
        waiting = session.waiting
        destroy(window)
    print(f"{CHANGES / took:,.0f} changes/s; {bugs.count} exceptions; {failures.count} not computed")
    reached = readings.judge()
    return 0 if reached and not waiting and bugs.count == failures.count == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
