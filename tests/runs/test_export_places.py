"""Where exported runs go: nothing is replaced unasked or half left behind, and one message says what was wrong."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

import lstm_studio as ls
from lstm_studio.cli import run as run_command
from lstm_studio.engine.storage import pack_trace
from lstm_studio.engine.trace import Trace
from lstm_studio.errors import RunError
from lstm_studio.progress import Cancelled
from lstm_studio.runs.export.parquet import SHARE
from lstm_studio.runs.writer import json_bytes
from tests.runs.exported import (
    TARGETS,
    Told,
    asked,
    check_npz,
    check_parquet,
    check_tensorboard,
    logged,
)
from tests.runs.made_runs import made, scalars

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


ROOT = Path(__file__).parents[2]


# Where to.


@pytest.mark.parametrize("kind", TARGETS)
def test_what_is_there_is_not_replaced_unasked(kind: str, told: Told, tmp_path: Path) -> None:
    run = ls.open_run(told.folder)
    path = tmp_path / TARGETS[kind]
    run.export(path, kind=kind)
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in tmp_path.rglob("*") if file.is_file()}
    with pytest.raises(RunError, match=r"exists|something in it"):
        run.export(path, kind=kind)
    after = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in tmp_path.rglob("*") if file.is_file()}
    assert after == before
    other = ls.open_run(made(tmp_path / "run", scalars(3, other=1.5)))
    other.export(path, kind=kind, force=True)
    check = {"npz": check_npz, "parquet": check_parquet, "tensorboard": check_tensorboard}[kind]
    check(other, path)


def test_the_log_of_another_tool_is_never_replaced(told: Told, tmp_path: Path) -> None:
    folder = logged(tmp_path / "theirs")
    before = sorted(folder.iterdir())
    for force in (False, True):
        with pytest.raises(RunError, match="another log"):
            ls.open_run(told.folder).export(folder, force=force)
    assert sorted(folder.iterdir()) == before


def test_a_folder_that_is_empty_is_filled(told: Told, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    run = ls.open_run(told.folder)
    run.export(tmp_path / "out")
    check_tensorboard(run, tmp_path / "out")


def test_a_file_in_a_folder_is_called_after_the_run(told: Told, tmp_path: Path) -> None:
    run = ls.open_run(told.folder)
    assert run.export(tmp_path, kind="parquet").path == tmp_path / "mine.parquet"
    check_parquet(run, tmp_path / "mine.parquet")


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("out.csv", None, "cannot be exported as .csv"),
        ("out.npz", "hdf5", "cannot be exported as 'hdf5'"),
        ("nowhere/out.npz", None, "no folder"),
        ("nowhere/out", None, "no folder"),
        ("folder.npz", None, "is a folder"),
        ("x" * 300 + ".npz", None, "cannot be written"),
        ("x" * 300, None, "cannot be written"),
        ("file", None, "is a file"),
    ],
)
def test_where_nothing_can_be_written(name: str, kind: str | None, words: str, told: Told, tmp_path: Path) -> None:
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "file").write_text("mine")
    for force in (False, True):
        with pytest.raises(RunError, match=words):
            ls.open_run(told.folder).export(tmp_path / name, kind=kind, force=force)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.npz"]
    assert (tmp_path / "file").read_text() == "mine"


# What goes wrong meanwhile.


def large_trace(folder: Path, steps: int) -> Path:
    """Make a run with four arrays of so many steps and 1,300 units."""
    wide = np.zeros((steps, 1_300), np.float16)
    wide[:, 0] = np.arange(steps) % 2048
    arrays = {"input": wide, **{f"other.{place}": wide for place in range(3)}}
    block = pack_trace(Trace(arrays, ()), {"step": "0", "item": "0", "path": "lstm"})
    return made(folder, ("layer/lstm", "trace", block))


@pytest.mark.parametrize("kind", TARGETS)
def test_what_is_no_longer_wanted_leaves_nothing(kind: str, told: Told, tmp_path: Path) -> None:
    run = ls.open_run(told.folder)
    seen: list[float] = []

    def counts(fraction: float, words: str) -> None:
        seen.append(fraction)

    run.export(tmp_path / TARGETS[kind], kind=kind, progress=counts)
    assert seen == sorted(seen)
    assert 0 <= seen[0] < seen[-1] <= 1
    # How often it is told while a table is put together depends on the machine; before, and of others, it does not.
    count = sum(fraction < SHARE for fraction in seen) if kind == "parquet" else len(seen)
    for stop in range(0, count, max(1, count // 6)):
        place = tmp_path / f"stopped{stop}"
        place.mkdir()
        left = [stop]

        def stops(fraction: float, words: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Cancelled

        with pytest.raises(Cancelled):
            run.export(place / TARGETS[kind], kind=kind, progress=stops)
        assert list(place.iterdir()) == []


def test_a_table_is_no_longer_wanted_while_it_is_put_together(tmp_path: Path) -> None:
    run = ls.open_run(large_trace(tmp_path / "run", 800))
    (tmp_path / "here").mkdir()

    def stops(fraction: float, words: str) -> None:
        if fraction >= SHARE:
            assert words == "Writing the Parquet file"
            raise Cancelled

    with pytest.raises(Cancelled):
        run.export(tmp_path / "here" / "out.parquet", progress=stops)
    assert list((tmp_path / "here").iterdir()) == []


def test_what_was_there_stays_whole_where_its_successor_fails(told: Told, tmp_path: Path) -> None:
    run = ls.open_run(told.folder)
    before = run.export(tmp_path / "out.npz").path.read_bytes()

    def stops(fraction: float, words: str) -> None:
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        run.export(tmp_path / "out.npz", force=True, progress=stops)
    assert (tmp_path / "out.npz").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


LIMITED = """
import resource, sys
from lstm_studio.cli import run
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.exit(run(["runs", sys.argv[1], "--export", sys.argv[2], "--format", sys.argv[3]]))
"""


def command(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False, cwd=ROOT, timeout=100
    )


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
@pytest.mark.parametrize("kind", TARGETS)
def test_a_disk_that_is_full_is_one_message(kind: str, told: Told, tmp_path: Path) -> None:
    """The system takes no more than the beginning of the file."""
    rows = [[step, 1.7e9, {"loss": math.sin(step)}] for step in range(5000)]
    big = made(tmp_path / "run", ("scalars", "scalars", json_bytes({"rows": rows})))
    (tmp_path / "here").mkdir()
    done = command(LIMITED, str(big), str(tmp_path / "here" / TARGETS[kind]), kind)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "cannot be written" in done.stderr
    assert done.stdout == ""
    assert list((tmp_path / "here").iterdir()) == []


UNWRITABLE = """
import contextlib, io, os, sys
from lstm_studio.cli import run
# Nobody may not even import: all that is needed is loaded before.
with contextlib.redirect_stdout(io.StringIO()):
    assert run(["runs", sys.argv[1], "--export", sys.argv[1] + ".before", "--format", sys.argv[3]]) == 0
if os.geteuid() == 0:
    os.seteuid(65534)
sys.exit(run(["runs", sys.argv[1], "--export", sys.argv[2], "--format", sys.argv[3]]))
"""


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("mode", [0o555, 0o000], ids=["read-only", "closed"])
def test_a_folder_in_which_nothing_may_be_written_is_one_message(kind: str, mode: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        # Root may write anywhere: there the program is nobody's.
        Path(place).chmod(0o755)
        run = made(Path(place) / "run", scalars(0, loss=1.0))
        here = Path(place) / "here"
        here.mkdir()
        here.chmod(mode)
        done = command(UNWRITABLE, str(run), str(here / TARGETS[kind]), kind)
        assert done.returncode == 2, done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert "cannot be written" in done.stderr
        here.chmod(0o755)
        assert list(here.iterdir()) == []


INTERRUPTED = """
import signal, sys, time
from lstm_studio import __main__
from lstm_studio.runs.reader import Run
# What runs in the background of a script is begun with Ctrl-C switched off.
signal.signal(signal.SIGINT, signal.default_int_handler)
read = Run.trace
def slow(*arguments):
    print("reading", flush=True)
    time.sleep(0.5)
    return read(*arguments)
Run.trace = slow
sys.argv = ["lstm-studio", "runs", sys.argv[1], "--export", sys.argv[2]]
sys.exit(__main__.main())
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("kind", ["parquet", "npz"])
def test_ctrl_c_leaves_no_half_a_file(kind: str, told: Told, tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(told.folder), str(tmp_path / TARGETS[kind])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "reading\n"
    assert any(tmp_path.iterdir())
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=30)
    # Told by its exit status alone.
    assert child.returncode == 130, errors
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


# The command.


def test_the_command_says_what_it_has_written(told: Told, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = ls.open_run(told.folder)
    assert run_command(["runs", str(told.folder), "--export", str(tmp_path / "out.npz")]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"saved {tmp_path / 'out.npz'}: ")
    check_npz(run, tmp_path / "out.npz")
    assert run_command(["runs", str(told.folder), "--export", str(tmp_path / "out.npz")]) == 2
    assert "--force" in capsys.readouterr().err
    assert run_command(["runs", str(told.folder), "--export", str(tmp_path / "out.npz"), "--force"]) == 0
    assert run_command(["runs", str(told.folder), "--export", str(tmp_path / "out")]) == 0
    assert "Left out: 3 steps with traces" in capsys.readouterr().out
    check_tensorboard(run, tmp_path / "out")


@pytest.mark.parametrize(
    ("words", "told_words"),
    [
        (["--force"], "about an export"),
        (["--format", "npz"], "about an export"),
        (["--follow", "--export", "out.npz"], "not both"),
    ],
)
def test_options_that_make_no_sense_together(
    words: list[str], told_words: str, told: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["runs", str(told.folder), *words]) == 2
    assert told_words in capsys.readouterr().err


def test_of_several_runs_one_has_to_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        made(tmp_path / "runs" / name, scalars(0, loss=1.0))
    assert run_command(["runs", str(tmp_path / "runs"), "--export", str(tmp_path / "out.npz")]) == 2
    assert "holds 2 runs" in capsys.readouterr().err


LARGE = """
import sys
from pathlib import Path
import lstm_studio as ls
import lstm_studio.runs.export.exporting, duckdb

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

run = ls.open_run(sys.argv[1])
before = peak()
run.export(sys.argv[2])
print((peak() - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is asked for as on Linux")
@pytest.mark.parametrize(("kind", "most"), [("parquet", 700), ("npz", 150)])
def test_a_large_trace_needs_no_more_memory_than_a_small_one(kind: str, most: int, tmp_path: Path) -> None:
    """Of 13 million numbers, which are 680 MB as rows of a table."""
    folder = large_trace(tmp_path / "run", steps := 2_500)
    done = command(LARGE, str(folder), str(tmp_path / TARGETS[kind]))
    assert done.returncode == 0, done.stderr
    # The record itself is 26 MB.
    assert int(done.stdout) < most
    if kind == "parquet":
        counted = asked(tmp_path / TARGETS[kind], "SELECT count(*), sum(value) FROM it")
        assert counted == [(4 * steps * 1_300, 4 * float((np.arange(steps) % 2048).sum()))]
