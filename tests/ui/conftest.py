"""What every test of the window gets: a check that it leaves no timer, thread or widget behind."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
import shiboken6
from PySide6.QtCore import QEvent, QObject, QThread, QTimer
from PySide6.QtWidgets import QApplication


@pytest.fixture(autouse=True)
def nothing_of_qt_left_behind(qapp: QApplication) -> Iterator[None]:
    """Fail a test that leaves a timer ticking, a thread running or a top-level widget alive."""
    widgets = {id(widget) for widget in QApplication.topLevelWidgets()}
    # What was there before is out of the collector's sight until the end: the search below is short.
    gc.freeze()
    yield
    # What was closed with deleteLater dies only now: processEvents alone leaves deferred deletions undone.
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qapp.processEvents()
    left = [f"widget {_named(widget)}" for widget in QApplication.topLevelWidgets() if id(widget) not in widgets]
    left += [f"{type(thing).__name__} {_named(thing)}" for thing in gc.get_objects() if _runs(thing)]
    gc.unfreeze()
    if left:
        pytest.fail("left behind: " + ", ".join(left))


def _runs(thing: object) -> bool:
    # By type first: isinstance would wake the lazy proxies among all objects.
    if not issubclass(type(thing), QTimer | QThread) or not shiboken6.isValid(thing):
        return False
    return thing.isActive() if isinstance(thing, QTimer) else isinstance(thing, QThread) and thing.isRunning()


def _named(thing: object) -> str:
    return (thing.objectName() if isinstance(thing, QObject) else "") or "without a name"
