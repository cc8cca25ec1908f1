"""What every test of the window gets: a check that it leaves no timer, thread or widget behind."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import TypeVar

import pytest
import shiboken6
from PySide6.QtCore import QEvent, QObject, QThread, QTimer
from PySide6.QtWidgets import QApplication

Found = TypeVar("Found", bound=QObject)


@pytest.fixture(autouse=True)
def nothing_of_qt_left_behind(qapp: QApplication) -> Iterator[None]:
    """Fail a test that leaves a timer ticking, a thread running or a top-level widget alive."""
    widgets = {id(widget) for widget in QApplication.topLevelWidgets()}
    timers = {id(timer) for timer in _ticking()}
    yield
    # What was closed with deleteLater dies only now: processEvents alone leaves deferred deletions undone.
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qapp.processEvents()
    left = [
        *(f"widget {_named(widget)}" for widget in QApplication.topLevelWidgets() if id(widget) not in widgets),
        *(f"timer {_named(timer)}" for timer in _ticking() if id(timer) not in timers),
        *(f"thread {_named(thread)}" for thread in _alive(QThread) if thread.isRunning()),
    ]
    if left:
        pytest.fail("left behind: " + ", ".join(left))


def _alive(kind: type[Found]) -> list[Found]:
    # By type: isinstance would wake the lazy proxies among all objects.
    return [thing for thing in gc.get_objects() if issubclass(type(thing), kind) and shiboken6.isValid(thing)]


def _ticking() -> list[QTimer]:
    return [timer for timer in _alive(QTimer) if timer.isActive()]


def _named(thing: QObject) -> str:
    return f"{type(thing).__name__} {thing.objectName() or 'without a name'}"
