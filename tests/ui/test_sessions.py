"""Sessions in the window: saved, opened, and kept for the next start when nobody saved them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from lstm_studio.networks.signals import Labels
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.progress import ignore_progress
from lstm_studio.sequences.columns import ColumnRole
from lstm_studio.sequences.options import ReadOptions
from lstm_studio.session.autosave import Desk, desks_folder, find_left
from lstm_studio.session.compute import Answer, Answered, Computer, OpenFile, Request
from lstm_studio.session.question import Question
from lstm_studio.session.session import Session
from lstm_studio.session.session_file import SUFFIX, contents_of, read_session, write_session
from lstm_studio.session.state import Note
from lstm_studio.ui import dialogs, keeper
from lstm_studio.ui.app import destroy, make_application
from lstm_studio.ui.window import StudioWindow
from tests.ui.explore.fakes import answer, small_setup, symbol_set
from tests.ui.slow_computer import FakeComputer

NOTE = Note(0, 3, "here it forgets")


def answering(request: Request) -> Answer | None:
    """Let the questions of this module answer themselves."""
    return Answered(request.answer(Computer(), ignore_progress)) if isinstance(request, Question) else None


@contextmanager
def opened(*, desk: bool = False) -> Iterator[StudioWindow]:
    """Show a window; with a desk it keeps what is unsaved."""
    make_application()
    session = Session(answer(small_setup()))
    window = StudioWindow(session, FakeComputer(rule=answering), desk=Desk() if desk else None)
    window.resize(1600, 1000)
    window.show()
    QApplication.processEvents()
    try:
        yield window
    finally:
        destroy(window)


@pytest.fixture
def window() -> Iterator[StudioWindow]:
    with opened() as made:
        yield made


def trigger(window: StudioWindow, key: str) -> None:
    window.command_actions[key].trigger()


def save_as(window: StudioWindow, path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    monkeypatch.setattr(dialogs, "ask_save", lambda *_: str(path))
    trigger(window, "session.save-as")
    qtbot.waitUntil(lambda: window.session.document is not None and not window.keeper.edited)


def add_note(window: StudioWindow, text: str = NOTE.text) -> None:
    window.session.remark("Add a note", notes=(*window.session.remarks.notes, Note(0, 3, text)))


def words(window: StudioWindow) -> tuple[str, str, bool]:
    """Return what the header and the title bar say of the session."""
    header = window.header
    return header._name.text(), header._state.text(), window.isWindowModified()


def offers(window: StudioWindow) -> dict[str, QPushButton]:
    return {
        button.text(): button
        for button in window.stage.notices.findChildren(QPushButton)
        if button.text() in {"Open it", "Discard"}
    }


def test_the_header_says_whether_it_is_saved(
    window: StudioWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    assert words(window) == ("Temporal order", "", False)
    add_note(window)
    assert words(window) == ("Temporal order", "edited", True)
    window.session.undo()
    assert words(window) == ("Temporal order", "", False)
    window.session.redo()
    save_as(window, tmp_path / "lesson", monkeypatch, qtbot)
    assert words(window) == (f"lesson{SUFFIX}", "saved", False)
    assert window.windowTitle() == f"lesson{SUFFIX}[*] – LSTM Studio"
    window.session.change("Change the seed", network=NetworkSpec(seed=5, hidden_size=5))
    qtbot.waitUntil(lambda: not window.session.waiting)
    assert words(window) == (f"lesson{SUFFIX}", "edited", True)
    trigger(window, "session.save")
    qtbot.waitUntil(lambda: not window.keeper.edited)
    assert read_session(tmp_path / f"lesson{SUFFIX}", tmp_path).setup.network.seed == 5
    window.session.undo()
    qtbot.waitUntil(lambda: not window.session.waiting)
    assert words(window)[1] == "edited"
    window.session.look(cursor=0)
    assert window.settings.recent_sessions == (str(tmp_path / f"lesson{SUFFIX}"),)


def test_a_saved_session_opens_with_its_view_notes_and_panels(
    window: StudioWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    path = tmp_path / f"a{SUFFIX}"
    add_note(window)
    window.session.look(cursor=4, labels=Labels.CLASSROOM, plot_views={"forget": "lines"})
    window.show_panel("units", False)
    saved, result = window.session.view, window.session.result
    save_as(window, path, monkeypatch, qtbot)
    with opened() as other:
        other.session.look(theme="dark")
        monkeypatch.setattr(dialogs, "ask_open", lambda *_: str(path))
        trigger(other, "session.open")
        qtbot.waitUntil(lambda: other.session.document == path)
        assert other.session.remarks.notes == (NOTE,)
        assert other.session.view == replace(saved, theme="dark")
        assert not other.session.waiting, "nothing was computed"
        for one, same in zip(other.session.result.traces, result.traces, strict=True):
            assert all(one[name].tobytes() == same[name].tobytes() for name in same.names)
        assert "units" not in other.arrangement.wanted
        assert {"sequence", "networks", "step"} <= other.arrangement.wanted
        assert words(other) == (path.name, "saved", False)
        other.session.undo()
        qtbot.waitUntil(lambda: not other.session.waiting)
        assert other.session.document is None
        assert words(other)[:2] == ("Temporal order", "")


def drop(window: StudioWindow, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(event)


def test_a_session_can_be_dropped_on_the_window(window: StudioWindow, tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / f"a{SUFFIX}"
    session = Session(answer(small_setup(symbol_set(steps=7))))
    session.remark("Add a note", notes=(NOTE,))
    write_session(contents_of(session), path)
    drop(window, path, tmp_path / "walk.csv")
    qtbot.waitUntil(lambda: window.session.document == path)
    assert window.session.steps == 7
    assert "Not opened: walk.csv" in window.stage.notices.notices[0].found


def test_several_files_of_a_folder_are_dropped_as_one_set(window: StudioWindow, tmp_path: Path, qtbot: QtBot) -> None:
    computer = window.runner._worker._computer
    assert isinstance(computer, FakeComputer)
    paths = [tmp_path / name for name in ("a.csv", "b.csv")]
    for path in paths:
        path.write_text("x\n1\n")
    elsewhere = tmp_path / "folder" / "c.csv"
    elsewhere.parent.mkdir()
    elsewhere.write_text("x\n1\n")
    drop(window, *paths)
    qtbot.waitUntil(lambda: len(asked(computer)) == 1)
    assert asked(computer)[0] == OpenFile(str(tmp_path), ReadOptions(files=("a.csv", "b.csv")))
    qtbot.waitUntil(lambda: window.runner._opened.path == str(tmp_path))
    columns = {"x": ColumnRole.IGNORE}
    window.runner.open_sequence(str(tmp_path), ReadOptions(columns=columns))
    qtbot.waitUntil(lambda: len(asked(computer)) == 2)
    assert asked(computer)[1].options.files == ("a.csv", "b.csv"), "read again, it is the same files"
    drop(window, paths[0], elsewhere)
    qtbot.waitUntil(lambda: len(asked(computer)) == 3)
    assert asked(computer)[2] == OpenFile(str(paths[0]), ReadOptions())
    assert "Not opened: c.csv" in window.stage.notices.notices[-1].found


def asked(computer: FakeComputer) -> list[OpenFile]:
    return [request for request in computer.finished if isinstance(request, OpenFile)]


def test_a_session_that_cannot_be_opened_changes_nothing(window: StudioWindow, tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / f"bad{SUFFIX}"
    path.write_text("no session")
    before = window.session.setup
    drop(window, path)
    qtbot.waitUntil(lambda: bool(window.stage.notices.notices))
    assert f"bad{SUFFIX} is no session" in window.stage.notices.notices[0].found
    assert window.session.setup is before
    assert words(window) == ("Temporal order", "", False)


def test_a_damaged_session_is_not_saved_over_unasked(window: StudioWindow, tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / f"a{SUFFIX}"
    write_session(contents_of(Session(answer(small_setup(symbol_set(steps=7))))), path)
    data = bytearray(path.read_bytes())
    data[data.index(b"traces/0") + 2_000] ^= 0xFF
    path.write_bytes(data)
    drop(window, path)
    qtbot.waitUntil(lambda: window.session.steps == 7)
    assert "computed again" in window.stage.notices.notices[0].found
    assert words(window)[1] == "edited"


def test_what_cannot_be_saved_is_said_and_still_unsaved(
    window: StudioWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    add_note(window)
    monkeypatch.setattr(dialogs, "ask_save", lambda *_: str(tmp_path / "no" / "folder"))
    trigger(window, "session.save")
    qtbot.waitUntil(lambda: bool(window.stage.notices.notices))
    assert "could not be written" in window.stage.notices.notices[0].found
    assert words(window) == ("Temporal order", "edited", True)


# What nobody saved.


def test_nothing_is_left_where_nothing_was_changed() -> None:
    with opened(desk=True) as window:
        window.session.look(cursor=2)
    assert list(desks_folder().iterdir()) == []


def test_what_was_not_saved_is_offered_at_the_next_start(qtbot: QtBot) -> None:
    with opened(desk=True) as window:
        add_note(window)
    (left,) = find_left()
    with opened(desk=True) as window:
        stack = window.focusWidget()
        window.keeper.look_back()
        (notice,) = window.stage.notices.notices
        assert notice.found.startswith("The session of ")
        assert notice.found.endswith("today was not saved: Temporal order, with a note.")
        assert window.focusWidget() is stack, "it takes no focus"
        offers(window)["Open it"].click()
        qtbot.waitUntil(lambda: window.session.remarks.notes == (NOTE,))
        assert words(window) == ("Temporal order", "edited", True)
        assert not left.folder.exists()
    (again,) = find_left()
    assert again.headline is not None
    assert again.headline.notes == 1


def test_what_was_not_saved_can_be_discarded(qtbot: QtBot) -> None:
    with opened(desk=True) as window:
        add_note(window)
    with opened(desk=True) as window:
        window.keeper.look_back()
        offers(window)["Discard"].click()
        qtbot.waitUntil(lambda: find_left() == ())
        assert window.session.remarks.notes == ()
    assert list(desks_folder().iterdir()) == []


def test_what_is_ignored_is_offered_again() -> None:
    with opened(desk=True) as window:
        add_note(window)
    with opened(desk=True) as window:
        window.keeper.look_back()
    assert len(find_left()) == 1


def test_the_last_changes_to_a_file_are_named_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    path = tmp_path / f"lesson{SUFFIX}"
    with opened(desk=True) as window:
        save_as(window, path, monkeypatch, qtbot)
        add_note(window)
    assert read_session(path, tmp_path).remarks.notes == ()
    with opened(desk=True) as window:
        window.keeper.look_back()
        assert window.stage.notices.notices[0].found.startswith(f"The last changes to {path.name}, of ")
        offers(window)["Open it"].click()
        qtbot.waitUntil(lambda: window.session.document == path)
        assert words(window)[1] == "edited"
        trigger(window, "session.save")
        qtbot.waitUntil(lambda: words(window)[1] == "saved")
    assert read_session(path, tmp_path).remarks.notes == (NOTE,)
    assert find_left() == ()


def test_what_makes_place_for_something_else_is_offered_too(tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / f"other{SUFFIX}"
    write_session(contents_of(Session(answer(small_setup(symbol_set(steps=7))))), path)
    with opened(desk=True) as window:
        add_note(window, "first")
        drop(window, path)
        qtbot.waitUntil(lambda: window.session.document == path)
        assert find_left()[0].headline is not None
        add_note(window, "second")
        window.commands.files.open_sample("waves")
    left = find_left()
    assert [one.document for one in left] == [path, None]
    kept = [read_session(one.path, tmp_path).remarks.notes[0].text for one in left]
    assert kept == ["second", "first"]
    with opened(desk=True) as window:
        window.keeper.look_back()
        assert len(window.stage.notices.notices) == 1, "one at a time"


def test_a_damaged_one_is_told_of_and_stops_nothing() -> None:
    with opened(desk=True) as window:
        add_note(window)
    (left,) = find_left()
    left.path.write_bytes(b"garbage")
    with opened(desk=True) as window:
        window.keeper.look_back()
        assert "is damaged, and could not be recovered" in window.stage.notices.notices[0].found
        assert offers(window) == {}


def test_a_copy_is_made_while_one_works(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    monkeypatch.setattr(keeper, "KEEP_EVERY", 30)
    with opened(desk=True) as window:
        (folder,) = desks_folder().iterdir()
        kept = folder / f"unsaved{SUFFIX}"
        add_note(window)
        qtbot.waitUntil(kept.is_file)
        qtbot.waitUntil(lambda: read_session(kept, folder).remarks.notes == (NOTE,))
        add_note(window, "two")
        qtbot.waitUntil(lambda: len(read_session(kept, folder).remarks.notes) == 2)
        window.session.undo()
        window.session.undo()
        qtbot.waitUntil(lambda: not kept.exists(), timeout=3_000)


def test_a_full_disk_is_told_of_once(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    monkeypatch.setattr(keeper, "KEEP_EVERY", 10)
    tries = []

    def full(_: int) -> None:
        tries.append(1)
        raise OSError(28, "No space left on device")

    with opened(desk=True) as window:
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            add_note(window)
            qtbot.waitUntil(lambda: len(tries) > 2)
        assert [notice.found for notice in window.stage.notices.notices] == [
            notice.found for notice in window.stage.notices.notices if "No space left on device" in notice.found
        ]
        assert len(window.stage.notices.notices) == 1


_KILLED = """
import sys
from PySide6.QtCore import QTimer
from lstm_studio.session.state import Note
from lstm_studio.ui import app, keeper

keeper.KEEP_EVERY = 50
make_window = app.make_window

def watched(*args, **kwargs):
    window = make_window(*args, **kwargs)
    window.header.painted.connect(lambda: edit(window))
    return window

def edit(window):
    window.session.move_cursor(7)
    window.session.remark("Add a note", notes=(Note(0, 3, "before the crash"),))
    print("edited", flush=True)

app.make_window = watched
app.open_window([])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_a_killed_window_loses_nothing(qtbot: QtBot) -> None:
    with subprocess.Popen([sys.executable, "-c", _KILLED], stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "edited\n"
            deadline = time.monotonic() + 30
            while not list(desks_folder().glob(f"*/unsaved{SUFFIX}")) and time.monotonic() < deadline:
                time.sleep(0.02)
            assert find_left() == (), "it is still running"
        finally:
            child.send_signal(signal.SIGKILL)
    with opened(desk=True) as window:
        window.keeper.look_back()
        offers(window)["Open it"].click()
        qtbot.waitUntil(lambda: bool(window.session.remarks.notes))
        assert window.session.remarks.notes == (Note(0, 3, "before the crash"),)
        assert window.session.view.cursor == 7
        assert not window.session.waiting, "the traces were kept too"


_NAMED_ON_THE_COMMAND_LINE = """
import sys
from lstm_studio.ui import app

make_window = app.make_window

def watched(*args, **kwargs):
    window = make_window(*args, **kwargs)
    window.header.painted.connect(lambda: report(window))
    return window

def report(window):
    session = window.session
    print(sys.modules.keys() & {"torch", "duckdb"}, session.waiting, session.steps, session.view.cursor)
    print(str(session.view.labels), [note.text for note in session.remarks.notes], session.document)
    print(window.header._state.text() or "-", window.header._labels.button(str(session.view.labels)).isChecked())
    print([notice.found for notice in window.stage.notices.notices])
    window.close()

app.make_window = watched
print("status", app.open_window(sys.argv[1:]))
"""


def on_the_command_line(*files: Path) -> list[str]:
    line = [sys.executable, "-c", _NAMED_ON_THE_COMMAND_LINE, *map(str, files)]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=120)
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_session_named_on_the_command_line_is_there_with_the_first_paint(tmp_path: Path) -> None:
    path = tmp_path / f"a{SUFFIX}"
    session = Session(answer(small_setup(symbol_set(steps=7))))
    session.remark("Add a note", notes=(NOTE,))
    session.look(cursor=3, labels=Labels.CLASSROOM)
    write_session(contents_of(session), path)
    found = on_the_command_line(path)
    assert found == [
        "set() False 7 3",
        f"classroom ['{NOTE.text}'] {path}",
        "saved True",
        "[]",
        "status 0",
    ]
    assert list(desks_folder().iterdir()) == []


def test_what_is_named_with_a_session_does_not_take_its_place(tmp_path: Path) -> None:
    path, other, table = tmp_path / f"a{SUFFIX}", tmp_path / f"b{SUFFIX}", tmp_path / "walk.csv"
    for file, steps in ((path, 7), (other, 9)):
        write_session(contents_of(Session(answer(small_setup(symbol_set(steps=steps))))), file)
    table.write_text("x\n" + "1\n" * 12)
    found = on_the_command_line(path, other, table)
    assert found[0] == "set() False 7 6"
    assert found[1].endswith(str(path))
    assert found[3] == f"['Not opened: {other.name}, walk.csv.']"
    # Where there is no session to be kept, the rest opens as without it.
    path.write_text("no session")
    found = on_the_command_line(path, table)
    assert "is no session" in found[3]
    assert "Not opened" not in found[3]


def test_one_that_is_damaged_opens_on_the_sample_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / f"bad{SUFFIX}"
    path.write_text("no session")
    found = on_the_command_line(path)
    assert found[0].startswith("set() False 50")
    assert f"bad{SUFFIX} is no session" in found[3]
    assert found[4] == "status 0"


def test_without_a_place_for_what_is_unsaved_it_starts_and_says_so(own_settings: Path) -> None:
    state = desks_folder().parent
    state.parent.mkdir(parents=True, exist_ok=True)
    state.write_text("a file where the folder should be")
    found = on_the_command_line()
    assert "cannot be kept in" in found[3]
    assert found[4] == "status 0"
