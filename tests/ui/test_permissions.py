"""A window whose user may not write, or whose disk is full: it says so once, goes on, and loses nothing unasked."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from lstm_studio.errors import StudioError
from lstm_studio.progress import ignore_progress
from lstm_studio.session.autosave import Desk, desks_folder, find_left
from lstm_studio.session.compute import Answer, Answered, Computer, OpenFile, Request
from lstm_studio.session.question import Question
from lstm_studio.session.session import Session
from lstm_studio.session.session_file import SUFFIX, read_session
from lstm_studio.session.settings import Settings
from lstm_studio.session.state import Note
from lstm_studio.training.plan import Plan
from lstm_studio.ui import dialogs, keeper
from lstm_studio.ui.app import destroy, make_application
from lstm_studio.ui.notices import Level
from lstm_studio.ui.window import StudioWindow
from tests.ui.explore.fakes import answer, small_setup
from tests.ui.opened import opened_window
from tests.ui.slow_computer import FakeComputer

NOTE = Note(0, 3, "here it forgets")


def answering(request: Request) -> Answer | None:
    """Let the questions of this module answer themselves, and read files."""
    if isinstance(request, OpenFile):
        return Computer().answer(request, ignore_progress)
    return Answered(request.answer(Computer(), ignore_progress)) if isinstance(request, Question) else None


@contextmanager
def kept_window() -> Iterator[StudioWindow]:
    """Show a window that keeps what is unsaved."""
    make_application()
    window = StudioWindow(Session(answer(small_setup())), FakeComputer(rule=answering), desk=Desk())
    window.show()
    QApplication.processEvents()
    try:
        yield window
    finally:
        window.leave()
        destroy(window)


class Asked:
    """Answers the questions of a window, and remembers them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.questions: list[str] = []
        self.next = keeper.STAY
        monkeypatch.setattr(dialogs, "ask_choice", self._answer)

    def _answer(self, _parent: object, _title: str, question: str, choices: Sequence[str]) -> int:
        self.questions.append(question)
        return list(choices).index(self.next)


def add_note(window: StudioWindow) -> None:
    window.session.remark("Add a note", notes=(NOTE,))


@pytest.fixture
def full_desk() -> Iterator[Path]:
    """Where a program's folder can be made, but nothing be written into it: as on a disk that is full."""
    yield (folder := desks_folder())
    for path in folder.iterdir():
        path.chmod(0o700)


def fill(folder: Path) -> None:
    for path in folder.iterdir():
        path.chmod(0o500)


@pytest.mark.usefixtures("bound_by_permissions")
def test_what_cannot_be_kept_is_not_lost_unasked(
    full_desk: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot, tmp_path: Path
) -> None:
    asked = Asked(monkeypatch)
    with kept_window() as window:
        fill(full_desk)
        add_note(window)
        window.close()
        assert not window.isHidden()
        qtbot.waitUntil(lambda: len(asked.questions) == 1)
        assert asked.questions[0].startswith("The session is not saved, and cannot be kept for the next start. ")
        assert "could not be written: Permission denied" in asked.questions[0]
        assert not window.isHidden()
        path = tmp_path / f"saved{SUFFIX}"
        monkeypatch.setattr(dialogs, "ask_save", lambda *_: str(path))
        asked.next = keeper.SAVE
        window.close()
        qtbot.waitUntil(lambda: len(asked.questions) == 2)
        qtbot.waitUntil(lambda: not window.keeper.edited)
        assert read_session(path, tmp_path).remarks.notes == (NOTE,)
        assert not window.isHidden()
        window.close()
        assert window.isHidden(), "it is saved: there is nothing to ask"
    assert len(asked.questions) == 2


@pytest.mark.usefixtures("bound_by_permissions")
def test_what_cannot_be_kept_may_be_lost(full_desk: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    asked = Asked(monkeypatch)
    asked.next = keeper.LOSE
    with kept_window() as window:
        fill(full_desk)
        add_note(window)
        window.close()
        qtbot.waitUntil(window.isHidden)
    assert len(asked.questions) == 1


@pytest.mark.qt_log_ignore("plugin does not support")
@pytest.mark.usefixtures("bound_by_permissions")
def test_whoever_ends_the_program_from_outside_is_asked_nothing(full_desk: Path, qtbot: QtBot) -> None:
    with kept_window() as window:
        fill(full_desk)
        add_note(window)
        window.close()
        asked: list[QMessageBox] = []

        def leave() -> None:
            box = QApplication.activeModalWidget()
            if isinstance(box, QMessageBox):
                asked.append(box)
                window.leave()

        timer = QTimer(window)
        timer.timeout.connect(leave)
        timer.start(10)
        qtbot.waitUntil(window.isHidden)
        timer.stop()
    assert len(asked) == 1


def test_where_it_can_be_kept_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch)
    with kept_window() as window:
        add_note(window)
        window.close()
        assert window.isHidden()
    assert asked.questions == []
    (left,) = find_left()
    assert left.headline is not None
    assert left.headline.notes == 1


def test_what_makes_place_where_nothing_can_be_kept_is_told_of() -> None:
    with kept_window() as window:
        window.keeper.cannot_keep(StudioError("Unsaved sessions cannot be kept in /there: Permission denied."))
        add_note(window)
        folders = [*desks_folder().iterdir()]
        window.commands.files.open_sample("waves")
        (notice,) = window.stage.notices.notices
        assert notice.found == "Unsaved sessions cannot be kept in /there: Permission denied."
        assert notice.cure == "Undo brings back what was open; save it then."
        assert [*desks_folder().iterdir()] == folders
        window.session.undo()
        assert window.session.remarks.notes == (NOTE,)


@pytest.mark.usefixtures("bound_by_permissions")
def test_settings_that_cannot_be_written_are_told_of_once(tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    folder.mkdir(mode=0o500)
    with opened_window(settings_path=folder / "settings.json") as window:
        for scale in (125, 150, 100):
            window.remember(replace(window.settings, font_scale=scale))
        (notice,) = window.stage.notices.notices
        assert notice.level is Level.WARNING
        assert notice.found == (f"The settings cannot be written to {folder / 'settings.json'}: Permission denied.")
    folder.chmod(0o700)
    assert list(folder.iterdir()) == []


NO_ROOM = """
import sys, tempfile
from lstm_studio.session.state import Note
from lstm_studio.ui import app, dialogs

def full(*_args, **_kwargs):
    raise OSError(28, "No space left on device")

tempfile.mkdtemp = full
make_window = app.make_window

def watched(*args, **kwargs):
    window = make_window(*args, **kwargs)
    window.header.painted.connect(lambda: report(window))
    return window

def lose(parent, title, question, choices):
    print(question)
    return 1

dialogs.ask_choice = lose

def report(window):
    print(window.session.steps)
    for notice in window.stage.notices.notices:
        print(notice.found)
    window.session.remark("Add a note", notes=(Note(0, 3, "unsaved"),))
    window.close()

app.make_window = watched
print("status", app.open_window(sys.argv[1:]))
"""


def on_a_full_disk(*files: Path) -> list[str]:
    line = [sys.executable, "-c", NO_ROOM, *map(str, files)]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=120, env=os.environ)
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_disk_without_room_for_a_folder_stops_no_start() -> None:
    unkept = f"Unsaved sessions cannot be kept in {desks_folder()}: No space left on device."
    assert on_a_full_disk() == [
        "50",
        unkept,
        f"The session is not saved, and cannot be kept for the next start. {unkept}",
        "status 0",
    ]


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """A folder with files in it that nobody may look into."""
    folder = tmp_path / "locked"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text("x\n1\n", "utf-8")
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


@pytest.mark.usefixtures("bound_by_permissions")
def test_what_may_not_be_looked_at_is_told_of_however_it_is_opened(locked: Path, qtbot: QtBot) -> None:
    with opened_window(FakeComputer(rule=answering)) as window:
        notices = window.stage.notices
        for paths in (["a.csv"], ["a.csv", "b.csv"], [f"a{SUFFIX}"], [""]):
            window.commands.files.open_files([str(locked / path) for path in paths])
            qtbot.waitUntil(lambda: any("Permission denied" in notice.found for notice in notices.notices))
            notices.clear()
        path = str(locked / "a.csv")
        window.remember(window.settings.with_recent_sequence(path))
        window._submenus._open_recent(path)
        assert notices.notices[0].found == f"{path} cannot be opened (Permission denied)."
        assert window.settings.recent_sequences == (path,), "it may be seen again later"


@pytest.mark.usefixtures("bound_by_permissions")
def test_runs_that_may_not_be_looked_at_are_told_of(locked: Path, qtbot: QtBot) -> None:
    with opened_window(FakeComputer(rule=answering)) as window:
        for path in (locked, locked / "run"):
            window.commands.monitor.add([str(path)])
            qtbot.waitUntil(lambda: bool(window.stage.notices.notices))
            assert "Permission denied" in window.stage.notices.notices[0].found
            assert window.watchlist.addresses == ()
            window.stage.notices.clear()


@pytest.mark.usefixtures("bound_by_permissions")
def test_a_training_that_can_be_recorded_nowhere_is_told_of(locked: Path) -> None:
    settings = Settings(theme="light", trainings=str(locked / "trainings"))
    with opened_window(settings=settings) as window:
        assert not window.trainings.begin(Plan(task="temporal-order"))
        (notice,) = window.stage.notices.notices
        assert notice.found.startswith(f"The training in {locked / 'trainings'}")
        assert notice.found.endswith("could not be started (Permission denied).")
