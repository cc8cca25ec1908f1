"""Exporting a followed run from the window."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import lstm_studio as ls
from lstm_studio.runs.export.formats import RunFormat
from lstm_studio.runs.reader import Run
from lstm_studio.session.compute import Computer
from lstm_studio.ui import dialogs
from lstm_studio.ui.export.run_dialog import RunExportDialog
from lstm_studio.ui.notices import Level
from lstm_studio.ui.window import StudioWindow
from lstm_studio.ui.workspaces import EXPLORE
from tests.runs.made_runs import event, lags, scalars
from tests.runs.made_runs import made as made_run
from tests.ui.opened import opened_window, press

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")
ENDS = {RunFormat.PARQUET: "out.parquet", RunFormat.NPZ: "out.npz", RunFormat.TENSORBOARD: "out"}


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[StudioWindow]:
    rows = [scalars(step, loss=1 / (step + 1)) for step in range(30)]
    folder = made_run(tmp_path / "mine", *rows, lags(0, {"lstm.0": {"hidden_state": [1.0, 0.5]}}), event("end"))
    with opened_window(Computer()) as opened:
        opened.commands.monitor.add([str(folder)])
        qtbot.waitUntil(lambda: opened.monitoring.selected is not None, timeout=30_000)
        yield opened


def begin(window: StudioWindow) -> RunExportDialog:
    """Press the keys of the command, and return the dialog that opens."""
    press(window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier)
    dialog = next(one for one in window.findChildren(RunExportDialog) if one.isVisible())
    assert dialog.accessibleName()
    return dialog


def choose(dialog: RunExportDialog, kind: RunFormat) -> None:
    dialog.format.button(kind.value).click()
    assert dialog.kind is kind


def told(window: StudioWindow) -> list[str]:
    return [notice.found for notice in window.stage.notices.notices]


@pytest.mark.parametrize("kind", RunFormat)
def test_a_run_is_saved(
    kind: RunFormat, qtbot: QtBot, window: StudioWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def ask_save(parent: Any, title: str, suggestion: str, filters: tuple[str, ...]) -> str:
        asked.append((suggestion, filters))
        # As a dialog without a native ending.
        return str(tmp_path / "out")

    monkeypatch.setattr(dialogs, "ask_save", ask_save)
    dialog = begin(window)
    choose(dialog, kind)
    dialog.take.click()
    assert Path(asked[0][0]).name.startswith("mine")
    path = tmp_path / ENDS[kind]
    qtbot.waitUntil(lambda: any(str(path) in words for words in told(window)), timeout=30_000)
    run = ls.open_run(tmp_path / "mine")
    if kind is RunFormat.NPZ:
        with np.load(path) as archive:
            np.testing.assert_array_equal(archive["scalars/loss/values"], run.scalars["loss"][1])
    elif kind is RunFormat.TENSORBOARD:
        from lstm_studio.runs.opening import open_any

        np.testing.assert_array_equal(open_any(path).scalars["loss"][1], run.scalars["loss"][1].astype(np.float32))
        assert "gradients by lag" in window.stage.notices.notices[0].cure
    else:
        assert path.read_bytes()[:4] == b"PAR1"


def test_the_dialog_says_what_goes_along(window: StudioWindow) -> None:
    dialog = begin(window)
    choose(dialog, RunFormat.PARQUET)
    assert "1 curve, 1 gradient by lag." in dialog.words.text()
    choose(dialog, RunFormat.TENSORBOARD)
    assert "gradient" not in dialog.words.text()
    size = dialog.sizeHint()
    choose(dialog, RunFormat.NPZ)
    assert dialog.sizeHint() == size
    dialog.reject()


@pytest.mark.parametrize("kind", RunFormat)
@pytest.mark.parametrize("answer", [0, 1])
def test_what_is_there_is_replaced_only_where_that_is_wanted(  # noqa: PLR0917 - pytest's
    kind: RunFormat, answer: int, qtbot: QtBot, window: StudioWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ls.open_run(made_run(tmp_path / "older", scalars(0, old=1.0))).export(tmp_path / ENDS[kind], kind=kind)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    questions: list[str] = []

    def ask_choice(parent: Any, title: str, question: str, choices: Any) -> int:
        questions.append(question)
        return answer

    monkeypatch.setattr(dialogs, "ask_save", lambda *_: str(tmp_path / "out"))
    monkeypatch.setattr(dialogs, "ask_choice", ask_choice)
    dialog = begin(window)
    choose(dialog, kind)
    dialog.take.click()
    assert len(questions) == 1
    if answer == 0:
        qtbot.waitUntil(lambda: any("Saved" in words for words in told(window)), timeout=30_000)
    qtbot.waitUntil(lambda: window.runner.idle, timeout=30_000)
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert (after == before) == (answer == 1)


def test_the_log_of_another_tool_is_refused_in_one_message(
    qtbot: QtBot, window: StudioWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "events.out.tfevents.1").write_bytes(b"theirs")
    monkeypatch.setattr(dialogs, "ask_save", lambda *_: str(tmp_path / "out"))
    monkeypatch.setattr(dialogs, "ask_choice", lambda *_: 0)
    dialog = begin(window)
    choose(dialog, RunFormat.TENSORBOARD)
    dialog.take.click()
    qtbot.waitUntil(lambda: bool(told(window)), timeout=30_000)
    assert [notice.level for notice in window.stage.notices.notices] == [Level.ERROR]
    assert "another log" in told(window)[0]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["events.out.tfevents.1"]


def test_an_export_is_cancelled_where_all_work_is(
    qtbot: QtBot, window: StudioWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on = threading.Event(), threading.Event()
    events = Run.events

    def slow(run: Run) -> Any:
        # The worker's thread reads the run and comes by here; the window does not wait for it.
        if threading.current_thread() is not threading.main_thread() and (tmp_path / "out").is_dir():
            began.set()
            go_on.wait(10)
        return events.__get__(run)

    monkeypatch.setattr(Run, "events", property(slow))
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(dialogs, "ask_save", lambda *_: str(tmp_path / "out" / "out.npz"))
    dialog = begin(window)
    choose(dialog, RunFormat.NPZ)
    dialog.take.click()
    qtbot.waitUntil(began.is_set, timeout=30_000)
    # Meanwhile the window goes on, and says what it does where it always says it.
    qtbot.waitUntil(lambda: window.runner.busy, timeout=30_000)
    window.runner.cancel()
    go_on.set()
    qtbot.waitUntil(lambda: window.runner.idle, timeout=30_000)
    QApplication.processEvents()
    assert not told(window)
    assert list((tmp_path / "out").iterdir()) == []


def test_the_keys_belong_to_the_workspace(window: StudioWindow) -> None:
    actions = window.command_actions
    assert actions["file.export-run"].isEnabled()
    assert not actions["file.export-numbers"].isEnabled()
    window.show_workspace(EXPLORE)
    assert not actions["file.export-run"].isEnabled()
    assert actions["file.export-numbers"].isEnabled()


def test_without_a_run_there_is_nothing_to_export(qtbot: QtBot) -> None:
    with opened_window(Computer()) as window:
        window.show_workspace("monitor")
        assert window.monitoring.selected is None
        window.commands.monitor.export_run()
        assert not window.findChildren(RunExportDialog)
