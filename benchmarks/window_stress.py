"""Ten thousand steps back and forth in the whole window, with views, units, labels and themes switching.

Resident memory must be flat after the first thousand, references to None must not fall, and the process must end with
status 0, without an exception in a slot.
"""

from __future__ import annotations

import os
import sys
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent

from benchmarks._flat import Readings
from lstm_studio.networks.signals import Labels
from lstm_studio.session.session import groups_of
from lstm_studio.ui.app import destroy, make_application, make_window
from lstm_studio.ui.bugs import BugCatcher
from lstm_studio.ui.plots.rows import UnitRow, View

STEPS = 10_000
EVERY = 1_000
"""Steps between two readings; from the second one on, memory must be flat."""


def main() -> int:
    """Print memory and references along the way, and return 1 if a limit is missed."""
    make_application()
    readings = Readings("steps", warm=1)
    rng = np.random.default_rng(0)
    with BugCatcher() as bugs:
        window = make_window()
        window.show()
        session = window.session
        groups = groups_of(session.result)
        keys = [row.key for row in window.workspace.stack.state.rows if isinstance(row, UnitRow)]
        began = time.perf_counter()
        for count in range(STEPS + 1):
            if count % EVERY == 0:
                readings.note(count)
            far = int(rng.integers(session.steps))
            session.move_cursor(far if count % 7 == 0 else session.view.cursor + (1 if count // 40 % 2 == 0 else -1))
            if count % 5 == 0:
                session.choose_plot_view(keys[count // 5 % len(keys)], str(list(View)[int(rng.integers(3))]))
            if count % 11 == 0:
                session.select_unit(groups[count % len(groups)], int(rng.integers(16)))
            if count % 50 == 0:
                session.look(labels=list(Labels)[count // 50 % 2], reveal_all=bool(count // 100 % 2))
            if count % 250 == 0:
                session.look(theme=("light", "dark")[count // 250 % 2])
            QCoreApplication.processEvents()
            # As a running event loop does and processEvents alone does not.
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        took = time.perf_counter() - began
        destroy(window)
    print(f"{STEPS / took:,.0f} steps/s; {bugs.count} exceptions")
    reached = readings.judge()
    return 0 if bugs.count == 0 and reached else 1


if __name__ == "__main__":
    sys.exit(main())
