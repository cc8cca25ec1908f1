"""Half an hour's worth of a seeded monkey at the window, which must neither break it nor make it grow.

It presses every command and key, clicks, drags, resizes, trains, follows runs, opens good and bad files. At each
reading everything is closed, forgotten and put where it was at first, and the first sample shown again: the same window
as at the beginning, whose memory, widgets, timers and threads must be what they were.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import fields
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QEvent, QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QPixmapCache
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox

from benchmarks._flat import Readings
from lstm_studio.runs.export.exporting import export_run
from lstm_studio.runs.export.formats import RunFormat
from lstm_studio.runs.opening import open_any
from lstm_studio.session.compute import Computer
from lstm_studio.session.report import WriteReport
from lstm_studio.session.samples import FIRST_SAMPLE
from lstm_studio.session.state import Branch, View
from lstm_studio.ui.app import destroy, make_application, make_window
from lstm_studio.ui.bugs import BugCatcher
from lstm_studio.ui.docks import Dock
from lstm_studio.ui.explore.operation_card import OperationCard
from lstm_studio.ui.export.dialogs import PlaybackWish
from lstm_studio.ui.export.playback import Playback
from lstm_studio.ui.panels import PANELS
from lstm_studio.ui.theme import LIGHT
from lstm_studio.ui.window import StudioWindow
from lstm_studio.ui.workspaces import EXPLORE, WORKSPACES
from tests.ui.monkey import Monkey

DEEDS = 18_000
"""Ten a second for thirty minutes."""
READINGS = 24
_INDENT = 4
"""By which Qt indents what belongs to an object."""


class ForgetfulComputer(Computer):
    """Computes as any other, and can be brought back to its beginning."""

    def forget(self) -> None:
        """Drop what is kept for the next request, which is bounded, and more at one reading than at another."""
        Computer.__init__(self)


def main() -> int:
    """Print what it did and what is left of it, and return 1 if anything broke or grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deeds", type=int, default=DEEDS)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    make_application()
    caught: list[str] = []
    readings = Readings("deeds", warm=READINGS // 4)
    counts: list[tuple[int, int, int]] = []
    kinds: Counter[str] = Counter()
    early: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, BugCatcher() as bugs:
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
            os.environ[name] = folder
        computer = ForgetfulComputer()
        window = make_window(computer=computer)
        window.show()
        # As the program does after its first paint: PyTorch then uses one thread.
        window.start()
        files = Path(folder) / "files"
        files.mkdir()
        began = time.perf_counter()
        with Monkey(window, files, wanted.seed, alone=False) as monkey:

            def note(line: str, _details: str) -> None:
                caught.append(f"{line}, after {', '.join(monkey.last[-3:])}")

            bugs.caught.connect(note)
            _make_everything(window)
            _use_everything(window, monkey, Path(folder))
            for count in range(wanted.deeds + 1):
                if count % max(1, wanted.deeds // READINGS) == 0:
                    _return_to_the_beginning(monkey, window, computer)
                    readings.note(count, settle=True)
                    kinds = _kinds(window)
                    # Also of widgets that belong to nobody, and would be left behind.
                    counts.append((len(QApplication.allWidgets()), kinds.total(), _timers(kinds)))
                    if len(counts) == READINGS // 4 + 1:
                        early = kinds
                monkey.act()
            monkey.settle()
            begun = monkey.nursery.begun
        took = time.perf_counter() - began
        destroy(window)
    print(f"{wanted.deeds:,} deeds in {took:.0f} s: " + ", ".join(f"{n:,} {what}" for what, n in monkey.done.items()))
    for line in caught[:10]:
        print(f"exception: {line}")
    print("widgets, objects, timers at each reading: " + "  ".join("/".join(map(str, three)) for three in counts))
    for name, more in (kinds - early).most_common(12):
        print(f"  {more:+d} {name} since the reading after {READINGS // 4} of {READINGS}")
    kept = counts[READINGS // 4]
    same = all(
        abs(now - then) <= 0.02 * then
        for three in counts[READINGS // 4 :]
        for now, then in zip(three, kept, strict=True)
    )
    print(f"widgets, objects and timers: {'the same' if same else 'MISSED: they grow'}")
    print(f"{begun} trainings begun; threads at the end: {', '.join(thread.name for thread in threading.enumerate())}")
    print(f"exceptions: {bugs.count}")
    flat = readings.judge_halves()
    return 0 if flat and same and bugs.count == 0 else 1


def _make_everything(window: StudioWindow) -> None:
    """Make what is made when it is first needed: else whatever the monkey finds late would look like a leak."""
    for panel in PANELS:
        window.show_panel(panel.key, True)
        QCoreApplication.processEvents()
    for box in window.findChildren(QComboBox):
        box.view()
    for dock in window.findChildren(Dock):
        for floating in (True, False):
            dock.setFloating(floating)
            QCoreApplication.processEvents()
    window.show_hints()


def _use_everything(window: StudioWindow, monkey: Monkey, folder: Path) -> None:
    """Open each kind of file, write each kind of export, and ask what is asked seldom.

    What a library does for the first time reads its code: of DuckDB's 41 MB, 3 come with the first table that it cannot
    read and 2 with the first run written as Parquet, which the monkey may not find for thousands of deeds.
    """
    for path in (*monkey._good, *monkey._bad):
        window.commands.files.open_files([path])
        _wait_for_answers(window)
        monkey.settle()
    for kind in RunFormat:
        export_run(open_any(monkey._good_runs[0]), folder / f"first-{kind}", kind=kind)
    window.watchlist.add((*monkey._good_runs, *monkey._bad_runs))
    session = window.session
    window.commands.files.open_sample(FIRST_SAMPLE)
    _wait_for_answers(window)
    session.change("What if", branches=(Branch("held", 1, clamp=(("lstm.0.forget_gate", ((0, 0.5),)),)),))
    _wait_for_answers(window)
    session.ask(WriteReport(str(folder / "first.html"), session.result, session.view, session.remarks, b"", ""))
    _wait_for_answers(window)
    playback = Playback(session, PlaybackWish(0, 1, 10.0, (640, 360), LIGHT, ".gif"), folder / "first.gif", window)
    ended: list[bool] = []
    playback.ended.connect(lambda: ended.append(True))
    while not ended:
        QTest.qWait(5)
    _wait_for_answers(window)
    assert (folder / "first.gif").exists()
    assert (folder / "first.html").exists()
    monkey.forget_trainings()


def _wait_for_answers(window: StudioWindow) -> None:
    """Wait until all that was asked is answered: the monkey cancels it when it settles."""
    while window.session.waiting or not window.runner.idle:
        QTest.qWait(5)


def _return_to_the_beginning(monkey: Monkey, window: StudioWindow, computer: ForgetfulComputer) -> None:
    """Bring the window back to one state, whatever happened: only like can be compared with like."""
    monkey.settle()
    monkey.forget_trainings()
    if window.hints is not None:
        window.hints.end()
    window.use_maps("cividis", "blue-orange")
    window.scale_text(100)
    window.resize(1600, 1000)
    # Each workspace looks as it did at first, with its first panels only: hidden ones keep what they showed last.
    for info in (*WORKSPACES[1:], WORKSPACES[0]):
        window.show_workspace(info.key)
        for panel in PANELS:
            if panel.workspace == info.key:
                window.show_panel(panel.key, True)
                QCoreApplication.processEvents()
        window.arrangement.reset()
        QCoreApplication.processEvents()
    assert window.current_workspace == EXPLORE
    session = window.session
    window.commands.files.open_sample(FIRST_SAMPLE)
    first = View(cursor=0, theme="light")
    session.look(**{field.name: getattr(first, field.name) for field in fields(View)})
    for card in window.findChildren(OperationCard):
        card.unfolded = frozenset()
        card.unfolded_changed.emit()
    # Undo keeps so many steps and so many bytes, which it has not yet filled at the first readings.
    session._past.clear()
    session._future.clear()
    monkey.settle()
    # The worker rests.
    computer.forget()
    # Whatever was copied last.
    QApplication.clipboard().clear()
    QPixmapCache.clear()
    for _ in range(20):
        QCoreApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def _kinds(window: StudioWindow) -> Counter[str]:
    """Count what belongs to the window by its class and those of the two objects above it.

    Qt lists the tree. Asked for its children, the window would keep an object of Python for each, also when Qt's is
    gone: what counts would grow by counting.
    """
    lines: list[str] = []

    def note(_kind: QtMsgType, _place: QMessageLogContext, text: str) -> None:
        lines.append(text)

    before = qInstallMessageHandler(note)
    try:
        window.dumpObjectTree()
    finally:
        qInstallMessageHandler(before)
    path: list[str] = []
    found: Counter[str] = Counter()
    for line in lines:
        name = line.lstrip()
        path[(len(line) - len(name)) // _INDENT :] = [name.partition("::")[0]]
        found[" in ".join(path[:-4:-1])] += 1
    return found


def _timers(kinds: Counter[str]) -> int:
    return sum(count for kind, count in kinds.items() if kind.split()[0] == "QTimer")


if __name__ == "__main__":
    sys.exit(main())
