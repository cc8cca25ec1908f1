"""What a program that died leaves for the next start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lstm_studio.progress import ignore_progress
from lstm_studio.session.autosave import (
    KEEP_DAYS,
    MOST_KEPT,
    AutosaveError,
    Desk,
    DiscardSession,
    OpenSession,
    SaveSession,
    desks_folder,
    find_left,
)
from lstm_studio.session.compute import Answered, Computer
from lstm_studio.session.samples import load_sample
from lstm_studio.session.session import Session
from lstm_studio.session.session_file import SUFFIX, Contents, contents_of
from lstm_studio.session.start import stored_result
from lstm_studio.session.state import Note
from tests.session.stored_sessions import digests

ROOT = Path(__file__).parents[2]
_CHILD = """
import sys, time
from pathlib import Path
from tests.session.test_autosave import session_with_note
from lstm_studio.session.autosave import Desk
from lstm_studio.session.session_file import contents_of
desk = Desk()
session = session_with_note()
if "keep" in sys.argv:
    desk.keep(contents_of(session), Path("/lessons/one.lstmstudio"))
print("ready", flush=True)
if "writing" in sys.argv:
    while True:
        desk.keep(contents_of(session))
time.sleep(60)
"""


def session_with_note(text: str = "here") -> Session:
    session = Session(stored_result(load_sample("dinner-menu")))
    session.remark("Add a note", notes=(Note(0, 1, text),))
    return session


def killed(*words: str, after: float = 0.0) -> None:
    """Run a program that keeps a session, and kill it without a warning."""
    before = find_left()
    line = [sys.executable, "-c", _CHILD, *words]
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            assert find_left() == before, "its owner is alive"
            time.sleep(after)
        finally:
            child.send_signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)


def test_a_killed_program_leaves_its_session_to_the_next() -> None:
    started = datetime.now(UTC).replace(microsecond=0)
    killed("keep")
    (left,) = find_left()
    assert left.headline is not None
    assert left.headline.title == load_sample("dinner-menu").title
    assert left.headline.notes == 1
    assert started <= left.headline.saved <= datetime.now(UTC)
    assert left.document == Path("/lessons/one.lstmstudio")
    desk = Desk()
    answered = Computer().answer(OpenSession(left.path, desk.networks, left), ignore_progress)
    assert isinstance(answered, Answered)
    contents = answered.content
    assert isinstance(contents, Contents)
    assert contents.remarks.notes == (Note(0, 1, "here"),)
    assert contents.result is not None
    assert digests(contents.result) == digests(stored_result(load_sample("dinner-menu")))
    desk.take_over(left)
    assert desk.keeps
    assert not left.folder.exists()
    assert find_left() == ()
    desk.close()
    (again,) = find_left()
    assert again.headline == left.headline


def test_a_program_killed_while_it_writes_leaves_a_whole_session() -> None:
    for after in (0.05, 0.11, 0.23):
        killed("keep", "writing", after=after)
    left = find_left()
    assert len(left) == 3
    assert all(one.headline is not None for one in left)


def test_a_program_that_kept_nothing_leaves_nothing_for_long() -> None:
    killed()
    assert find_left() == ()
    (folder,) = desks_folder().iterdir()
    past = time.time() - 120
    os.utime(folder, (past, past))
    assert find_left() == ()
    assert list(desks_folder().iterdir()) == []


def test_a_session_that_was_saved_leaves_nothing() -> None:
    desk = Desk()
    desk.keep(contents_of(session_with_note()))
    assert desk.keeps
    desk.networks.mkdir()
    desk.forget()
    desk.close()
    desk.close()
    assert list(desks_folder().iterdir()) == []


def test_the_newest_comes_first_and_old_ones_go() -> None:
    for index in range(MOST_KEPT + 3):
        desk = Desk()
        desk.keep(contents_of(session_with_note(f"note {index}")))
        past = time.time() - index * 3_600
        for path in desk.folder.iterdir():
            os.utime(path, (past, past))
        desk.close()
    old = Desk()
    old.keep(contents_of(session_with_note()))
    old.close()
    past = time.time() - (KEEP_DAYS + 1) * 86_400
    os.utime(old.folder / f"unsaved{SUFFIX}", (past, past))
    left = find_left()
    assert len(left) == MOST_KEPT
    assert not old.folder.exists()
    written = [one.path.stat().st_mtime for one in left]
    assert written == sorted(written, reverse=True)
    assert len(list(desks_folder().iterdir())) == MOST_KEPT


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04" * 100])
def test_a_damaged_one_is_told_of_once_and_put_aside(content: bytes) -> None:
    desk = Desk()
    desk.keep(contents_of(session_with_note()))
    desk.close()
    (desk.folder / f"unsaved{SUFFIX}").write_bytes(content)
    (left,) = find_left()
    assert left.headline is None
    assert left.path.read_bytes() == content
    assert find_left() == ()
    assert left.path.exists()


def test_one_that_lost_its_table_of_contents_is_offered() -> None:
    desk = Desk()
    desk.keep(contents_of(session_with_note()))
    desk.close()
    path = desk.folder / f"unsaved{SUFFIX}"
    path.write_bytes(path.read_bytes()[:-2_000])
    (left,) = find_left()
    assert left.headline is not None
    assert left.headline.notes == 1


def test_what_else_is_in_the_folder_stops_nothing() -> None:
    desks_folder().mkdir(parents=True)
    (desks_folder() / "a file").write_text("x")
    desk = Desk()
    desk.keep(contents_of(session_with_note()))
    desk.close()
    (desk.folder / "owner.json").write_text("[" * 10_000)
    (left,) = find_left()
    assert left.document is None
    assert Computer().answer(DiscardSession(left), ignore_progress) is not None
    assert find_left() == ()


def test_saving_is_a_question_too(tmp_path: Path) -> None:
    path = tmp_path / f"a{SUFFIX}"
    answered = Computer().answer(SaveSession(contents_of(session_with_note()), path), ignore_progress)
    assert isinstance(answered, Answered)
    assert answered.content == path
    assert path.is_file()


def test_without_a_folder_there_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(AutosaveError, match="cannot be kept in"):
        Desk(tmp_path / "file" / "inside")
    assert find_left(tmp_path / "nothing") == ()
