"""The Monitor workspace with trainings that grow before its eyes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QWidget
from pytestqt.qtbot import QtBot

import lstm_studio as ls
from lstm_studio.networks.signals import Labels
from lstm_studio.runs.like import Status
from lstm_studio.session.compute import Computer
from lstm_studio.session.monitoring import Overlay
from lstm_studio.session.settings import Settings
from lstm_studio.ui import dialogs
from lstm_studio.ui.monitor.alarms_panel import AlarmsPanel
from lstm_studio.ui.monitor.bar import MonitorBar
from lstm_studio.ui.monitor.centre import MonitorCentre
from lstm_studio.ui.monitor.code_lines import LINES
from lstm_studio.ui.monitor.recorder_panel import RecorderPanel
from lstm_studio.ui.monitor.runs_panel import RunsPanel
from lstm_studio.ui.monitor.thresholds_dialog import ThresholdsDialog
from lstm_studio.ui.window import StudioWindow
from lstm_studio.ui.workspaces import EXPLORE
from tests.session.made_pictures import SAMPLED, curve, followed, healthy_lags, made
from tests.ui.opened import opened_window, press

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")

SCRIPT = """
import torch
from torch import nn
torch.set_num_threads(1)
torch.manual_seed(0)
model = nn.LSTM(3, 6)
optimiser = torch.optim.SGD(model.parameters(), 0.1)
{before}
for step in range({steps}):
    loss = model(torch.randn(9, 4, 3))[0].pow(2).mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    {inside}
"""


def pasted(folder: Path, steps: int) -> None:
    """Run a training script into which the three lines were pasted, each where its comment says."""
    first, second, third = LINES.splitlines()
    assert "before the loop" in second
    assert "in the loop" in third
    script = SCRIPT.format(before=f"{first}\n{second}", inside=third, steps=steps)
    subprocess.run([sys.executable, "-c", script], cwd=folder, check=True, timeout=120)


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[StudioWindow]:
    with opened_window(Computer()) as opened:
        yield opened


def show(window: StudioWindow, *pictures: Any) -> MonitorCentre:
    """Show made pictures in the workspace, as if they had been read."""
    window.show_workspace("monitor")
    watchlist, follower = window.watchlist, window._follower
    # The thread that reads would say that nothing lies there.
    watchlist.changed.disconnect(follower._on_changed)
    watchlist.add([picture.address for picture in pictures])
    watchlist.accept([followed(picture) for picture in pictures])
    watchlist.changed.connect(follower._on_changed)
    centre = window.stage.shown
    assert isinstance(centre, MonitorCentre)
    return centre


def test_the_three_lines_work_when_they_are_pasted(qtbot: QtBot, window: StudioWindow, tmp_path: Path) -> None:
    pasted(tmp_path, 60)
    run = ls.open_run(tmp_path / "runs" / "mine")
    assert (run.status, run.steps, len(run.scalars["loss"][0])) == (Status.FINISHED, [0, 50], 60)
    window.show_workspace("monitor")
    window.command_actions["monitor.copy-lines"].trigger()
    assert QGuiApplication.clipboard().text() == f"{LINES}\n"
    assert not window.monitoring.addresses
    window.commands.files.open_files([str(tmp_path / "runs")])
    qtbot.waitUntil(lambda: window.monitoring.selected is not None, timeout=30_000)
    assert window.current_workspace == "monitor"
    picture = window.monitoring.selected
    assert picture is not None
    assert (picture.title, picture.last_step) == ("mine", 59)
    assert np.array_equal(picture.scalars["loss"][1], run.scalars["loss"][1])


def test_a_recorded_step_opens_in_explore(qtbot: QtBot, window: StudioWindow, tmp_path: Path) -> None:
    pasted(tmp_path, 60)
    folder = tmp_path / "runs" / "mine"
    window.commands.monitor.add([str(folder)])
    qtbot.waitUntil(lambda: window.monitoring.selected is not None, timeout=30_000)
    assert window.monitoring.step == 50
    press(window, Qt.Key.Key_Left)
    assert window.monitoring.step == 0
    window.command_actions["monitor.open"].trigger()
    qtbot.waitUntil(lambda: window.current_workspace == EXPLORE, timeout=30_000)
    result = window.session.result
    known = ls.open_run(folder).trace(0)
    assert np.array_equal(result.traces[0]["lstm.0.forget_gate"], known["lstm.0.forget_gate"])
    assert not window.command_actions["network.next-seed"].isEnabled()
    assert not window.command_actions["what-if.clamp"].isEnabled()
    window.session.change("Change the precision", dtype="float64")
    assert any("its network is not" in notice.found for notice in window.stage.notices.notices)
    window.session.undo()
    assert window.session.setup.recorded is None


def test_a_run_folder_is_dropped_on_the_window(qtbot: QtBot, window: StudioWindow, tmp_path: Path) -> None:
    pasted(tmp_path, 3)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "runs"))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, buttons, keys))
    qtbot.waitUntil(lambda: window.monitoring.selected is not None, timeout=30_000)


def test_a_folder_without_a_run_is_told_of(
    qtbot: QtBot, window: StudioWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogs, "ask_folder", lambda *_: str(tmp_path))
    window.command_actions["monitor.add-folder"].trigger()
    qtbot.waitUntil(lambda: bool(window.stage.notices.notices), timeout=30_000)
    assert "holds no training" in window.stage.notices.notices[0].found
    assert not window.monitoring.addresses


def test_the_centre_draws_what_the_pictures_hold(window: StudioWindow) -> None:
    other = made("other", scalars={"loss": (np.arange(300), np.full(300, 2.0))})
    centre = show(window, made("mine"), other)
    lines = centre.runs.picture.lines
    assert [line.name for line in lines] == ["B, other", "A, mine"]
    assert lines[0].dash != lines[1].dash
    assert float(lines[1].y[-1]) == made("mine").scalars["loss"][1][-1]
    titles = [tile._title.text() for tile in centre.tiles if not tile.isHidden()]
    assert titles == [
        "Forget gate",
        "Forget gate saturated",
        "Input gate saturated",
        "Output gate saturated",
        "Forget bias",
        "Weight norm",
        "Gradient norm",
        "Update norm",
    ]
    band = centre.tiles[0].plot.picture.bands[0]
    assert [float(band.low[0]), float(band.high[0])] == pytest.approx([0.4, 0.8])
    assert centre.lags.picture.norms.shape == (40, 50)
    assert centre.runs.span.last > 1999
    window.session.look(labels=Labels.CLASSROOM)
    assert centre.tiles[0]._title.text() == "Forget factor"


@pytest.mark.parametrize("status", [Status.RUNNING, Status.FINISHED, Status.DIED])
def test_of_a_run_that_has_ended_no_records_are_expected(window: StudioWindow, status: Status) -> None:
    centre = show(window, made("mine", status=status))
    words = {tile.plot.picture.words for tile in centre.tiles if not tile.isHidden()} | {centre.lags.picture.words}
    assert words == {"no records yet" if status is Status.RUNNING else "no records"}
    centre = show(window, made("mine", status=status, lags={}))
    assert centre.lags.picture.words == words.pop()


def test_gradients_by_lag_are_chosen_in_the_words_of_the_labels(window: StudioWindow) -> None:
    lags = {
        f"{layer}.{state}": (SAMPLED, healthy_lags())
        for layer in ("lstm.0", "lstm.lstm.0")
        for state in ("hidden_state", "cell_state")
    }
    centre = show(window, made("mine", lags=lags, info={"training": {"task": {"name": "adding"}}}))
    (chooser,) = (box for box in centre.findChildren(QComboBox) if box.accessibleName() == "Signal")
    offered = {chooser.itemText(at): chooser.itemData(at) for at in range(chooser.count())}
    assert offered == {
        "Hidden state · lstm.0, held-out": "lstm.0.hidden_state",
        "Cell state · lstm.0, held-out": "lstm.0.cell_state",
        "Hidden state · lstm.lstm.0": "lstm.lstm.0.hidden_state",
        "Cell state · lstm.lstm.0": "lstm.lstm.0.cell_state",
    }
    window.session.look(labels=Labels.CLASSROOM)
    assert {chooser.itemText(at).partition(" · ")[0] for at in range(4)} == {"Short-term memory", "Long-term memory"}


def test_every_plot_is_told_in_words(window: StudioWindow) -> None:
    centre = show(window, made("mine"))
    for plot in (centre.runs, centre.lags, *(tile.plot for tile in centre.tiles if not tile.isHidden())):
        assert plot.accessibleName()
        assert any(letter.isdigit() for letter in plot.accessibleDescription()), plot.accessibleName()
    bare = [
        part
        for part in centre.findChildren(QWidget)
        if part.isVisible() and part.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    assert all(part.accessibleName() or getattr(part, "text", str)() for part in bare)


def test_keys_and_buttons_move_one_cursor(window: StudioWindow) -> None:
    centre = show(window, made("mine"))
    monitoring = window.monitoring
    for key, step in ((Qt.Key.Key_Home, 0), (Qt.Key.Key_Right, 50), (Qt.Key.Key_End, 1950), (Qt.Key.Key_Left, 1900)):
        press(window, key)
        assert monitoring.step == step
        assert centre.runs.cursor_position == centre.lags.cursor_position == step
        assert centre.tiles[3].plot.cursor_position == step
    plot = centre.lags.plot_rect()
    at = QPoint(round(centre.lags.x_of(620)), round(plot.center().y()))
    QTest.mouseClick(centre.lags, Qt.MouseButton.LeftButton, pos=at)
    assert monitoring.step == 600
    window.command_actions["monitor.follow"].trigger()
    assert monitoring.step == 1950
    assert monitoring.following


def test_runs_are_laid_upon_each_other_by_time(window: StudioWindow) -> None:
    centre = show(window, made("mine"))
    window.command_actions["monitor.by-time"].trigger()
    assert window.monitoring.view.overlay is Overlay.TIME
    assert float(centre.runs.picture.lines[0].x[-1]) == pytest.approx(199.9)
    window.monitoring.go_to(1000)
    assert centre.runs.cursor_position == pytest.approx(100.0)


def test_the_list_says_how_runs_are(window: StudioWindow) -> None:
    show(window, made("mine"), made("other", status=Status.DIED))
    panel = window.panel("runs")
    assert isinstance(panel, RunsPanel)
    spoken = [row.spoken for row in panel.list.run_model.rows]
    assert spoken[0].startswith("Run A, mine, live, LSTM 16 · heartbeat")
    assert "died" in spoken[1]
    panel.filter.setText("died")
    assert [row.title for row in panel.list.run_model.rows] == ["other"]
    panel.filter.clear()
    panel.list.setFocus()
    panel.list.setCurrentIndex(panel.list.run_model.index(1))
    assert window.monitoring.view.selected == "other"
    panel.list.setCurrentIndex(panel.list.run_model.index(0))
    QTest.keyClick(panel.list, Qt.Key.Key_Down)
    panel.list.setCurrentIndex(panel.list.run_model.index(0))
    window.monitoring.show("other", False)
    assert not panel.list.run_model.rows[1].drawn
    window.watchlist.changed.disconnect(window._follower._on_changed)
    panel.removed.emit("mine")
    assert window.monitoring.addresses == ("other",)
    window.watchlist.changed.connect(window._follower._on_changed)


def test_alarms_lead_to_their_step_and_can_be_muted(window: StudioWindow) -> None:
    norms = np.full(40, 0.02)
    norms[30] = 5.0
    show(window, made("mine"), made("other", parameters={"all.update_norm": curve(norms)}))
    panel = window.panel("alarms")
    assert isinstance(panel, AlarmsPanel)
    (card,) = panel.cards
    assert card.alarm.title == "Update exploded at step 1,500"
    card._open.click()
    assert (window.monitoring.view.selected, window.monitoring.step) == ("other", 1500)
    card.muted.emit(card.alarm)
    assert len(window.monitoring.alarms) == window.monitoring.muted - 1
    window.command_actions["monitor.unmute"].trigger()
    assert len(panel.cards) == 1
    recorder = window.panel("recorder")
    assert isinstance(recorder, RecorderPanel)
    assert recorder._state is not None
    assert ("Sampled", "every 50 steps") in recorder._state.facts


def test_gates_are_drawn_as_median_and_quantiles_where_they_were_recorded(window: StudioWindow) -> None:
    levels = {5: 0.1, 25: 0.3, 50: 0.65, 75: 0.8, 95: 0.9}
    quantiles = {f"lstm.0.forget_gate.quantile_{percent}": curve(value) for percent, value in levels.items()}
    tile = show(window, made("mine", statistics=quantiles)).tiles[0]
    (line,) = tile.plot.picture.lines
    assert (line.name, line.label, line.y[-1]) == ("median", "0.65", 0.65)
    assert [(band.low[-1], band.high[-1]) for band in tile.plot.picture.bands] == [(0.1, 0.9), (0.3, 0.8)]
    assert tile._caption.text() == "median, 50 and 90 %"
    # A run that an earlier version has begun: its first half would be missing.
    late = {name: curve(values[20:], steps[20:]) for name, (steps, values) in quantiles.items()}
    tile = show(window, made("older", statistics=late)).tiles[0]
    window.monitoring.select("older")
    (line,) = tile.plot.picture.lines
    assert (line.name, line.label, len(line.x)) == ("mean", "0.60", 40)
    assert tile._caption.text() == "mean ± deviation"


@pytest.mark.parametrize(("percent", "share"), [(100, 0.5), (150, 0.45), (200, 0.45)])
def test_small_plots_take_about_half_of_their_tiles_whatever_the_size_of_text(
    window: StudioWindow, percent: int, share: float
) -> None:
    window.resize(1366, 748)
    window.scale_text(percent)
    quantiles = {f"lstm.0.forget_gate.quantile_{percent}": curve(0.26) for percent in (5, 25, 50, 75, 95)}
    centre = show(window, made("mine", statistics=quantiles))
    QApplication.processEvents()
    tiles = [tile for tile in centre.tiles if not tile.isHidden()]
    assert {line.name for tile in tiles for line in tile.plot.picture.lines} >= {"median", "> 0.9"}
    for tile in tiles:
        assert tile.plot.plot_rect().width() > tile.width() * share, tile.plot.title


def test_thresholds_are_chosen_and_remembered(window: StudioWindow) -> None:
    show(window, made("mine", statistics={"lstm.0.forget_gate.below_0.1": curve(0.6)}))
    assert len(window.monitoring.alarms) == 1
    window.command_actions["monitor.thresholds"].trigger()
    dialog = window.findChild(ThresholdsDialog)
    assert dialog is not None
    _, field = dialog._rows["closed"]
    field.setText("0.7")
    dialog.accept()
    assert not window.monitoring._found["mine"]
    assert window.settings.thresholds["closed"] == 0.7


def test_what_was_followed_is_followed_again(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    folder = str(tmp_path / "none")
    with opened_window(Computer(), settings=Settings(followed=(folder,)), settings_path=path) as window:
        window.show_workspace("monitor")
        assert window.monitoring.addresses == (folder,)
        qtbot.waitUntil(lambda: bool(window.monitoring.alarms))
        assert window.monitoring.alarms[0].title == "Cannot be read"
        window.watchlist.add(["more"])
    from lstm_studio.session.settings import load_settings

    assert load_settings(path).settings.followed == (folder, "more")


def test_steps_that_came_while_another_workspace_was_shown_are_there_on_return(
    qtbot: QtBot, window: StudioWindow
) -> None:
    window.show_workspace("monitor")
    window.show_workspace(EXPLORE)
    watchlist, follower = window.watchlist, window._follower
    watchlist.changed.disconnect(follower._on_changed)
    picture = made(scalars={"loss": curve(np.linspace(2, 1, SAMPLED.size))})
    watchlist.add([picture.address])
    watchlist.accept([followed(picture)])
    watchlist.changed.connect(follower._on_changed)
    window.show_workspace("monitor")
    bar = window.findChild(MonitorBar)
    assert bar is not None
    qtbot.waitUntil(bar.isVisible)
    assert window.monitoring.step is not None
    assert bar._counter.text().startswith(f"{window.monitoring.step:,} of ")
    assert (bar.bar.minimum(), bar.bar.maximum()) == (1, len(window.monitoring.steps))


def test_the_recorder_gets_its_room_when_the_first_run_has_come(qtbot: QtBot) -> None:
    with opened_window(size=(1920, 1080)) as window:
        window.show_workspace("monitor")
        qtbot.wait(20)
        dock = window.arrangement.docks["recorder"]
        empty = dock.sizeHint().height()
        show(window, made(scalars={"loss": curve(np.linspace(2, 1, SAMPLED.size))}))
        qtbot.waitUntil(lambda: dock.sizeHint().height() > empty)
        qtbot.waitUntil(lambda: dock.height() >= dock.sizeHint().height() - 4)
