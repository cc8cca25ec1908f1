"""Playing in the whole window: cell diagrams, eight plots of 256 units, inspector and scrub bar, 30 steps a second.

First every step by hand, painted before the next: 95 % of these frames must take less than 16 ms. Then twenty seconds
of real playing: the thread of the window must be busy for less than 60 % of one core. Both once with whole steps, once
with the four phases, which draw four frames a step.
"""

from __future__ import annotations

import os
import sys
import time

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.progress import ignore_progress
from lstm_studio.sequences.sequence import Sequence, SequenceSet
from lstm_studio.session.compute import Computer
from lstm_studio.session.session import Session
from lstm_studio.session.settings import Settings
from lstm_studio.session.state import Result, Setup
from lstm_studio.ui.app import destroy, make_application, make_window

UNITS, STEPS, SPEED = 256, 1_000, 30.0
LONGEST = 16.0
"""Milliseconds in which 95 % of the frames are drawn."""
BUSIEST = 0.6
"""Share of a core."""
SECONDS = 20


def make_result() -> Result:
    rng = np.random.default_rng(0)
    values = np.cumsum(rng.normal(0, 0.3, (STEPS, 3)), axis=0).astype(np.float32)
    names = ("a", "b", "c")
    data = SequenceSet((Sequence(values / np.abs(values).max(), names),), source="noise", title="Noise")
    setup = Setup(data, network=NetworkSpec(hidden_size=UNITS), companion=NetworkSpec("rnn"))
    return Computer().compute(setup, ignore_progress)


def measure(app: QApplication, result: Result, *, four_phases: bool, theme: str) -> bool:
    session = Session(result)
    session.look(cursor=0, four_phases=four_phases, speed=SPEED, theme=theme)
    window = make_window(session, settings=Settings(theme=theme, speed=SPEED, hints_read=True))
    window.resize(1920, 1080)
    window.show()
    for _ in range(5):
        app.processEvents()
    rows = len(window.workspace.stack.state.rows)
    frames, work = np.empty(STEPS - 2), np.empty(STEPS - 2)
    for place in range(len(frames)):
        began, busy = time.perf_counter(), time.thread_time()
        session.step(1)
        app.processEvents()
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        frames[place] = 1000 * (time.perf_counter() - began)
        work[place] = 1000 * (time.thread_time() - busy)
    late = float(np.quantile(frames, 0.95))
    session.look(cursor=0)
    loop = QEventLoop()
    QTimer.singleShot(1000 * SECONDS, loop.quit)
    window.transport.toggle_playing()
    before, began, busy = session.view.cursor, time.perf_counter(), time.thread_time()
    loop.exec()
    took = time.perf_counter() - began
    share, played = (time.thread_time() - busy) / took, session.view.cursor - before
    window.transport.pause()
    destroy(window)
    reached = late < LONGEST and share < BUSIEST
    print(
        f"{'four phases' if four_phases else 'whole steps'}, {theme}, {rows} rows of {UNITS} units:"
        f" median {np.median(frames):.1f} ms, 95 % {late:.1f} ms, longest {frames.max():.1f} ms,"
        f" under 16 ms {np.mean(frames < 16):.1%}; thread time median {np.median(work):.1f} ms,"
        f" 95 % {np.quantile(work, 0.95):.1f} ms; played {played / took:.1f} steps/s with {share:.0%} of a core:"
        f" {'reached' if reached else 'MISSED'}"
    )
    return reached


def main() -> int:
    """Measure, print, and return 1 if a target is missed."""
    app = make_application()
    result = make_result()
    reached = [measure(app, result, four_phases=phases, theme="light") for phases in (False, True)]
    reached.append(measure(app, result, four_phases=False, theme="dark"))
    print("all targets reached" if all(reached) else "a target was missed")
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
