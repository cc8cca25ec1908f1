"""Logs of other tools on an axis of time."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from lstm_studio.session.compute import Computer
from lstm_studio.session.monitoring import Overlay
from lstm_studio.ui.monitor.centre import MonitorCentre
from lstm_studio.ui.window import StudioWindow
from tests.ui.opened import opened_window

pytestmark = [
    pytest.mark.qt_log_ignore("plugin does not support"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[StudioWindow]:
    with opened_window(Computer()) as opened:
        yield opened


def follow(qtbot: QtBot, window: StudioWindow, folder: Path) -> MonitorCentre:
    window.commands.monitor.add([str(folder)])
    qtbot.waitUntil(lambda: window.monitoring.selected is not None, timeout=30_000)
    centre = window.stage.shown
    assert isinstance(centre, MonitorCentre)
    return centre


def test_a_log_of_tensorboard_is_drawn_by_time(qtbot: QtBot, window: StudioWindow, tmp_path: Path) -> None:
    writer = import_module("torch.utils.tensorboard").SummaryWriter(tmp_path / "logs")
    for step in range(50):
        writer.add_scalar("loss", 1 / (step + 1), step, walltime=1.7e9 + 3 * step)
    writer.close()
    centre = follow(qtbot, window, tmp_path / "logs")
    assert window.command_actions["monitor.by-time"].isEnabled()
    window.command_actions["monitor.by-time"].trigger()
    assert window.monitoring.view.overlay is Overlay.TIME
    picture = window.monitoring.selected
    assert picture is not None
    assert centre.runs.span.seconds
    assert centre.runs.span.last >= 147
    drawn = centre.drawing.runs(window.appearance.theme)
    assert drawn.lines[0].x.tolist()[:2] == [0.0, 3.0]
    assert drawn.lines[0].x.tolist()[-1] == 147.0


def test_a_table_without_times_says_so(qtbot: QtBot, window: StudioWindow, tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("step,loss\n0,1\n1,0.5\n")
    follow(qtbot, window, tmp_path)
    assert not window.command_actions["monitor.by-time"].isEnabled()
    picture = window.monitoring.selected
    assert picture is not None
    assert any("by time there is nothing to draw" in words for words in picture.lacks)
    assert any("by time" in alarm.told for alarm in window.monitoring.alarms)
