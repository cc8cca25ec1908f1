"""Files and folders that this user may not read or write: one message that says which and why, and exit status 2."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lstm_studio import open_network, open_run, open_sequence
from lstm_studio.cli import run
from lstm_studio.desktop import start
from lstm_studio.engine.storage import load_trace
from lstm_studio.errors import NetworkError, RunError, SequenceError, StudioError, TraceError
from lstm_studio.networks.spec import CHECKPOINT_SUFFIXES
from lstm_studio.sequences.storage import load_set, save_set

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX"),
    pytest.mark.usefixtures("bound_by_permissions"),
]

TABLE = "value\n" + "".join(f"{number}\n" for number in range(20))


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """A folder with something in it that nobody may look into."""
    folder = tmp_path / "locked"
    folder.mkdir()
    (folder / "table.csv").write_text(TABLE, "utf-8")
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder in which nobody may write."""
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o500)
    yield folder
    folder.chmod(0o700)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A file of one sequence."""
    path = tmp_path / "table.csv"
    path.write_text(TABLE, "utf-8")
    return path


def told(capsys: pytest.CaptureFixture[str], words: list[str]) -> str:
    """Return the one line that a command ends with, where that is its fault and not ours."""
    assert run(words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize("name", ["table.csv", "network.pt", "session.lstmstudio", "run"])
def test_a_file_that_may_not_be_looked_at_opens_no_window(
    locked: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start([str(locked / name)]) == 2
    assert capsys.readouterr().err == (
        f"lstm-studio: {locked / name} cannot be opened (Permission denied). "
        "Check the name, and that you may read it.\n"
    )


def test_a_network_that_may_not_be_looked_at_is_told(
    locked: Path, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for option in ("--network", "--companion"):
        line = told(capsys, ["trace", str(table), option, str(locked / "network.pt")])
        assert f"{locked / 'network.pt'} cannot be opened (Permission denied)." in line


@pytest.mark.parametrize("suffix", CHECKPOINT_SUFFIXES)
def test_a_checkpoint_that_may_not_be_read_is_not_called_damaged(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"network{suffix}"
    path.write_bytes(b"weights")
    path.chmod(0)
    with pytest.raises(NetworkError) as caught:
        open_network(path)
    assert str(caught.value) == f"{path} cannot be opened (Permission denied). Check that you may read it."


def test_a_part_of_a_checkpoint_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    parts = [tmp_path / f"model-0000{part}-of-00002.safetensors" for part in (1, 2)]
    for part in parts:
        part.write_bytes((b"\x02" + bytes(7)) + b"{}")
    parts[1].chmod(0)
    with pytest.raises(NetworkError, match=r"model-00002-of-00002\.safetensors cannot be opened \(Permission denied\)"):
        open_network(parts[0])
    parts[1].chmod(0o600)
    tmp_path.chmod(0o300)
    try:
        with pytest.raises(NetworkError, match=rf"^{tmp_path} cannot be opened \(Permission denied\)"):
            open_network(parts[0])
    finally:
        tmp_path.chmod(0o700)


def test_one_file_of_a_folder_that_may_not_be_read_is_left_out(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        (tmp_path / name).write_text(TABLE, "utf-8")
    (tmp_path / "b.csv").chmod(0)
    found = open_sequence(tmp_path)
    assert len(found) == 2
    assert "b.csv (cannot be read)" in dict(found.facts)["left out"]
    for name in ("a.csv", "c.csv"):
        (tmp_path / name).chmod(0)
    with pytest.raises(SequenceError, match=r"none of which can be read; the first: a\.csv cannot be read: Permission"):
        open_sequence(tmp_path)


def test_stored_sequences_and_traces_that_may_not_be_read_are_not_called_damaged(
    tmp_path: Path, locked: Path, table: Path
) -> None:
    stored = tmp_path / "stored.safetensors"
    save_set(open_sequence(table), stored)
    stored.chmod(0)
    with pytest.raises(SequenceError, match=r"stored\.safetensors cannot be opened"):
        load_set(stored)
    for name in ("trace.npz", "trace.safetensors"):
        path = tmp_path / name
        path.write_bytes(b"trace")
        path.chmod(0)
        with pytest.raises(TraceError, match=rf"{name} cannot be read \(Permission denied\)"):
            load_trace(path)
        with pytest.raises(TraceError, match=rf"{name} cannot be opened \(Permission denied\)"):
            load_trace(locked / name)


def test_sequences_are_not_stored_where_nobody_may_write(locked: Path, read_only: Path, table: Path) -> None:
    sequences = open_sequence(table)
    for folder in (locked, read_only):
        with pytest.raises(SequenceError, match=r"stored\.safetensors cannot be written: Permission denied\."):
            save_set(sequences, folder / "stored.safetensors")


def test_runs_that_may_not_be_looked_at_are_told(locked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Permission denied" in told(capsys, ["runs", str(locked)])
    assert f"{locked / 'run'} cannot be opened (Permission denied)." in told(capsys, ["runs", str(locked / "run")])
    with pytest.raises(RunError, match="Permission denied"):
        open_run(locked / "run")


def test_a_training_is_not_begun_where_nobody_may_write(
    locked: Path, read_only: Path, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begin = ["train", "temporal-order", "--steps", "1", "--run"]
    assert told(capsys, [*begin, str(read_only / "run")]) == (
        f"lstm-studio: {read_only / 'run'} cannot be written (Permission denied). "
        "Choose another folder, on a disk with room."
    )
    assert told(capsys, [*begin, str(read_only)]).startswith(f"lstm-studio: {read_only}")
    for more in ([], ["--seeds", "2"], ["--resume"]):
        words = ["train", *([] if "--resume" in more else ["temporal-order"]), "--run", str(locked / "run"), *more]
        assert "cannot be opened (Permission denied)" in told(capsys, words)
    again = told(capsys, ["train", "--run", str(locked.parent / "new"), "--again", str(locked / "run")])
    assert "cannot be read (Permission denied)" in again
    unread = told(capsys, ["train", str(locked / "table.csv"), "--run", str(locked.parent / "new")])
    assert f"{locked / 'table.csv'} cannot be opened (Permission denied)" in unread
    assert not (locked.parent / "new").exists()


@pytest.mark.parametrize("name", ["trace.npz", "trace.csv", "trace.safetensors"])
def test_a_trace_is_not_saved_where_nobody_may_write(
    locked: Path, read_only: Path, table: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (locked, read_only):
        line = told(capsys, ["trace", str(table), "--hidden", "4", "--out", str(folder / name)])
        assert line.startswith(f"lstm-studio: {folder / name} could not be written (Permission denied).")
    assert not list(read_only.iterdir())


def test_a_name_that_no_system_has_is_told(table: Path) -> None:
    for opener in (open_network, open_run):
        with pytest.raises(StudioError, match="File name too long"):
            opener(table.parent / f"{'x' * 300}.pt")


def full(*_: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def cut(path: Path, *_: object) -> int:
    path.touch()
    return full()


def test_a_training_on_a_full_disk_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begin = ["train", "temporal-order", "--steps", "1", "--run"]
    monkeypatch.setattr(os, "writev", full)
    assert told(capsys, [*begin, str(tmp_path / "run")]) == (
        f"lstm-studio: {tmp_path / 'run'} cannot be written (No space left on device). "
        "Choose another folder, on a disk with room."
    )
    # A file that was left open is told of when it goes.
    gc.collect()
    monkeypatch.setattr(Path, "write_text", cut)
    line = told(capsys, [*begin, str(tmp_path / "runs"), "--seeds", "2"])
    assert "cannot be written (No space left on device)" in line
    assert list((tmp_path / "runs").iterdir()) == []
