"""Half an hour's worth of a seeded monkey at the window, which must neither break it nor make it grow.

It presses every command and key, clicks, drags, resizes, opens good and bad files. At each reading everything is closed
and the first sample shown again: the same window as at the beginning, whose memory, widgets, timers and threads must
be what they were.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QObject, QTimer
from PySide6.QtWidgets import QWidget

from benchmarks._flat import Readings
from lstm_studio.session.samples import FIRST_SAMPLE
from lstm_studio.ui.app import destroy, make_application, make_window
from lstm_studio.ui.bugs import BugCatcher
from lstm_studio.ui.window import StudioWindow
from lstm_studio.ui.workspaces import EXPLORE
from tests.ui.monkey import Monkey

DEEDS = 18_000
"""Ten a second for thirty minutes."""
READINGS = 24


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
        window = make_window()
        window.show()
        files = Path(folder) / "files"
        files.mkdir()
        began = time.perf_counter()
        with Monkey(window, files, wanted.seed) as monkey:

            def note(line: str, _details: str) -> None:
                caught.append(f"{line}, after {', '.join(monkey.last[-3:])}")

            bugs.caught.connect(note)
            for count in range(wanted.deeds + 1):
                if count % max(1, wanted.deeds // READINGS) == 0:
                    _return_to_the_beginning(monkey, window)
                    readings.note(count, settle=True)
                    counts.append(_counted(window))
                    kinds = Counter(_kind(found) for found in window.findChildren(QObject))
                    if len(counts) == READINGS // 4 + 1:
                        early = kinds
                monkey.act()
            monkey.settle()
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
    print(f"threads at the end: {threading.active_count()}")
    print(f"exceptions: {bugs.count}")
    flat = readings.judge_halves()
    return 0 if flat and same and bugs.count == 0 else 1


def _return_to_the_beginning(monkey: Monkey, window: StudioWindow) -> None:
    monkey.settle()
    window.show_workspace(EXPLORE)
    window.resize(1600, 1000)
    window.commands.files.open_sample(FIRST_SAMPLE)
    window.session.look(
        theme="light", comparison=None, stretch=None, four_phases=False, cursor=0, plot_views={}, reveal_all=False
    )
    window.use_maps("cividis", "blue-orange")
    window.scale_text(100)
    window.arrangement.reset()
    monkey.settle()
    for _ in range(20):
        QCoreApplication.processEvents()


def _kind(found: QObject) -> str:
    """Return its class and those of the two objects that it belongs to."""
    parent = found.parent()
    above = None if parent is None else parent.parent()
    return " in ".join(type(one).__name__ for one in (found, parent, above) if one is not None)


def _counted(window: StudioWindow) -> tuple[int, int, int]:
    return len(window.findChildren(QWidget)), len(window.findChildren(QObject)), len(window.findChildren(QTimer))


if __name__ == "__main__":
    sys.exit(main())
