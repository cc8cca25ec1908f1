"""Runs that do not say when their steps were, beside others on an axis of time."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from lstm_studio.session.monitoring import Overlay
from lstm_studio.ui.monitor.bar import MonitorBar
from lstm_studio.ui.monitor.centre import MonitorCentre
from tests.session.made_pictures import curve, followed, made
from tests.ui.monitor.test_monitor import show
from tests.ui.opened import opened_window

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


def cursor(centre: MonitorCentre) -> float | None:
    return centre.runs.cursor_position


def test_a_run_without_times_has_no_cursor_on_an_axis_of_time(qtbot: QtBot) -> None:
    steps = np.arange(2000)
    with opened_window() as window:
        timed = made("timed", times=curve(1e9 + steps / 10, steps))
        untimed = made("untimed", times=curve(np.empty(0), np.empty(0, np.int64)))
        centre = show(window, timed, untimed)
        monitoring = window.monitoring
        monitoring.look(shown=frozenset({"timed", "untimed"}), overlay=Overlay.TIME)
        monitoring.select("timed")
        assert cursor(centre) is not None
        monitoring.select("untimed")
        assert not centre.runs.isHidden()
        assert cursor(centre) is None
        assert [line.badge for line in centre.runs.picture.lines] == ["A"]
        assert "does not say when" in centre.lags.picture.words
        assert all(tile.isHidden() for tile in centre.tiles)
        # Also when there is news of it.
        window.watchlist.accept([followed(untimed)])
        # Nothing is drawn at a place that is none, of which Qt would warn.
        centre.grab()
        bar = window.findChild(MonitorBar)
        assert bar is not None
        bar.grab()
        monitoring.move(-1)
        assert monitoring.step != monitoring.steps[-1]
        assert cursor(centre) is None
        monitoring.look(overlay=Overlay.STEP)
        assert cursor(centre) is not None
