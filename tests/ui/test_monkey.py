"""A short run of the monkey: nothing breaks, and nothing is left behind."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtWidgets import QApplication

from lstm_studio.session.compute import Computer
from lstm_studio.ui.app import destroy, first_session, make_application, make_window
from lstm_studio.ui.bugs import BugCatcher
from tests.ui.monkey import Monkey

pytestmark = [pytest.mark.qt_log_ignore("plugin does not support|QSvgPaintEngine"), pytest.mark.timeout(240)]

DEEDS = 250


@pytest.mark.parametrize("seed", [1, 2])
def test_a_monkey_breaks_nothing(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    make_application()
    caught: list[str] = []
    threads = threading.active_count()
    others = len(QApplication.allWidgets())
    with BugCatcher() as bugs:
        window = make_window(first_session(), Computer())
        window.show()

        def note(line: str, details: str) -> None:
            caught.append(f"{line}\n{details}\nafter {monkey.last}")

        bugs.caught.connect(note)
        files = tmp_path / "files"
        files.mkdir()
        try:
            with Monkey(window, files, seed) as monkey:
                for _ in range(DEEDS):
                    monkey.act()
                    assert not caught, caught[0]
                monkey.settle()
            assert not caught, caught[0]
            # It did a bit of everything.
            assert {"command", "key", "click", "drag", "open", "resize", "setup"} <= set(monkey.done)
            timers = len(window.findChildren(QTimer))
            assert timers < 60, f"{timers} timers"
        finally:
            destroy(window)
    assert threading.active_count() <= threads + 1
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    left = [f"{type(widget).__name__} {widget.objectName()}" for widget in QApplication.allWidgets()]
    assert len(left) <= others, left
