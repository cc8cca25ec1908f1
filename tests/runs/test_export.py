"""Runs as files for other programs: every number beside what the reader gives, and what the training recorded."""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

import lstm_studio as ls
from lstm_studio.cli import run as run_command
from lstm_studio.errors import RunError
from lstm_studio.progress import Cancelled
from lstm_studio.runs.export.exporting import export_run
from lstm_studio.runs.like import RunLike
from lstm_studio.runs.opening import open_any
from lstm_studio.runs.writer import json_bytes
from tests.runs.made_runs import Said, event, lags, made, scalars, segment

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
ROOT = Path(__file__).parents[2]
STEPS, EVERY, ITEMS, T, FEATURES, UNITS = 7, 3, 2, 11, 3, 4
COLUMNS = ["kind", "name", "step", "wall", "item", "time", "lag", "unit", "value"]
TARGETS = {"tensorboard": "out", "parquet": "out.parquet", "npz": "out.npz"}


@dataclass(frozen=True)
class Told:
    """A recorded training, and what it was itself."""

    folder: Path
    loss: list[float]
    hidden: dict[int, NDArray[np.float32]]
    """Step → (ITEMS, T, UNITS) the states that the module itself returned."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("recorded") / "mine"
    torch.manual_seed(3)
    model = nn.LSTM(FEATURES, UNITS, batch_first=True)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    loss, hidden = [], {}
    with ls.watch(model, folder, every=EVERY, sequences=ITEMS, dtype="float64") as run:
        for step in range(STEPS):
            out, _ = model(torch.randn(5, T, FEATURES))
            value = out.pow(2).mean()
            optimiser.zero_grad()
            torch.autograd.backward(value)
            optimiser.step()
            run.step(**{"loss/train": value, "small": 1e-60 / (step + 1), "odd": math.nan if step == 2 else -step})
            loss.append(value.item())
            if step % EVERY == 0:
                hidden[step] = out.detach().numpy()[:ITEMS]
    return Told(folder, loss, hidden)


def numbers_of(run: RunLike) -> dict[str, dict[str, Any]]:
    """Return kind → name → (steps, values), of everything but the traces."""
    return {"scalar": dict(run.scalars), "statistic": dict(run.statistics), "parameter": dict(run.parameters)}


def asked(path: Path, sql: str) -> list[Any]:
    """Return what duckdb answers about a table, which is called ``it``."""
    with duckdb.connect() as database:
        return database.execute(f"WITH it AS (FROM read_parquet('{path}')) {sql}").fetchall()


# What is in the files.


def check_npz(run: RunLike, path: Path) -> set[str]:
    """Compare an archive with a run, and return the names of its arrays."""
    expected: dict[str, Any] = {"times/steps": run.times[0], "times/values": run.times[1]}
    for kind, curves in numbers_of(run).items():
        for name, (steps, values) in curves.items():
            expected |= {f"{kind}s/{name}/steps": steps, f"{kind}s/{name}/values": values}
    for name, (steps, values) in run.lags.items():
        spread = np.arange(values.shape[1]) * run.lag_spacing[name]
        expected |= {f"lags/{name}/steps": steps, f"lags/{name}/values": values, f"lags/{name}/lags": spread}
    for step in run.steps:
        for item in run.items(step):
            trace = run.trace(step, item)
            expected |= {f"traces/{step}/{item}/{name}": trace[name] for name in trace.names}
    with np.load(path, allow_pickle=False) as archive:
        found = {name: archive[name] for name in archive.files}
    about = json.loads(found.pop("lstm_studio").tobytes())
    assert about["layers"] == run.layers
    assert about["info"] == run.info
    assert set(found) == set(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    return set(found)


def check_parquet(run: RunLike, path: Path) -> None:  # noqa: C901 - a loop for each kind of rows
    with duckdb.connect() as database:
        table = database.execute("FROM read_parquet(?)", [str(path)]).fetchnumpy()
    assert list(table) == COLUMNS
    kinds, names = np.asarray(table["kind"]), np.asarray(table["name"])
    walls = dict(zip(*map(np.ndarray.tolist, run.times), strict=True))
    counted = 0

    def rows(kind: str, name: str, **others: int) -> dict[str, Any]:
        chosen = (kinds == kind) & (names == name)
        for column, value in others.items():
            chosen &= table[column] == value
        nonlocal counted
        counted += int(np.count_nonzero(chosen))
        assert not np.ma.getmaskarray(table["value"][chosen]).any()
        return {column: table[column][chosen] for column in COLUMNS}

    def nothing_in(found: dict[str, Any], *missing: str) -> None:
        for column in missing:
            assert np.ma.getmaskarray(found[column]).all(), column

    for kind, curves in numbers_of(run).items():
        for name, (steps, values) in curves.items():
            found = rows(kind, name)
            np.testing.assert_array_equal(found["step"], steps)
            np.testing.assert_array_equal(found["value"], values)
            nothing_in(found, "item", "time", "lag", "unit")
            assert np.ma.asarray(found["wall"]).tolist() == [walls.get(step) for step in steps.tolist()]
    for name, (steps, values) in run.lags.items():
        found = rows("lag", name)
        spread = np.arange(values.shape[1]) * run.lag_spacing[name]
        np.testing.assert_array_equal(found["step"], np.repeat(steps, len(spread)))
        np.testing.assert_array_equal(found["lag"], np.tile(spread, len(steps)))
        np.testing.assert_array_equal(found["value"], values.ravel())
        nothing_in(found, "item", "time", "unit")
    for step in run.steps:
        for item in run.items(step):
            trace = run.trace(step, item)
            for name in trace.names:
                array = np.asarray(trace[name], np.float64)
                found = rows("trace", name, step=step, item=item)
                places = np.indices(array.shape)
                np.testing.assert_array_equal(found["value"], array.ravel())
                np.testing.assert_array_equal(found["time"], places[0].ravel())
                if array.ndim == 2:
                    np.testing.assert_array_equal(found["unit"], places[1].ravel())
                nothing_in(found, "lag", *(() if array.ndim == 2 else ("unit",)))
    # And nothing else.
    assert counted == len(kinds)


def tags_of(run: RunLike) -> dict[str, Any]:
    below = {"scalar": "", "statistic": "statistics/", "parameter": "parameters/"}
    return {f"{below[kind]}{name}": curve for kind, curves in numbers_of(run).items() for name, curve in curves.items()}


def check_tensorboard(run: RunLike, folder: Path) -> None:
    accumulator = import_module("tensorboard.backend.event_processing.event_accumulator")
    theirs = accumulator.EventAccumulator(str(folder), size_guidance={"scalars": 0})
    theirs.Reload()
    expected = tags_of(run)
    assert set(theirs.Tags()["scalars"]) == set(expected)
    ours = open_any(folder)
    assert not ours.problems
    assert set(ours.scalars) == set(expected)
    walls = dict(zip(*map(np.ndarray.tolist, run.times), strict=True))
    for tag, (steps, values) in expected.items():
        events = theirs.Scalars(tag)
        with np.errstate(over="ignore"):
            rounded = values.astype(np.float32)
        assert [one.step for one in events] == steps.tolist()
        np.testing.assert_array_equal(np.array([one.value for one in events], np.float32), rounded)
        for one in events:
            assert one.wall_time == walls.get(one.step, one.wall_time)
        np.testing.assert_array_equal(ours.scalars[tag][0], steps)
        np.testing.assert_array_equal(ours.scalars[tag][1], rounded.astype(np.float64))


def test_an_archive_holds_what_the_training_was(told: Told, tmp_path: Path) -> None:
    """Against the training itself, and against the reader."""
    run = ls.open_run(told.folder)
    exported = run.export(tmp_path / "out.npz")
    assert exported.path == tmp_path / "out.npz"
    assert exported.left_out == ()
    assert "6 traces" in exported.about
    check_npz(run, exported.path)
    with np.load(exported.path, allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["scalars/loss/train/values"], told.loss)
        np.testing.assert_array_equal(archive["scalars/small/values"], [1e-60 / (step + 1) for step in range(STEPS)])
        for step, states in told.hidden.items():
            for item in range(ITEMS):
                found = archive[f"traces/{step}/{item}/lstm.0.hidden_state"]
                np.testing.assert_allclose(found, states[item], rtol=0, atol=1e-6)


def test_a_table_holds_what_the_training_was(told: Told, tmp_path: Path) -> None:
    run = ls.open_run(told.folder)
    path = run.export(tmp_path / "out.parquet").path
    check_parquet(run, path)
    found = asked(path, "SELECT value FROM it WHERE name = 'loss/train' ORDER BY step")
    assert [value for (value,) in found] == told.loss


def test_another_library_reads_the_table(told: Told, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    run = ls.open_run(told.folder)
    table = parquet.read_table(run.export(tmp_path / "out.parquet").path)
    about = json.loads(table.schema.metadata[b"lstm_studio"])
    assert about["info"]["every"] == EVERY
    rows = [row for row in table.to_pylist() if row["name"] == "odd"]
    assert [row["step"] for row in rows] == list(range(STEPS))
    assert [row["value"] for row in rows if row["step"] != 2] == [-step for step in range(STEPS) if step != 2]
    assert math.isnan(rows[2]["value"])


def test_an_event_file_holds_the_curves(told: Told, tmp_path: Path) -> None:
    run = ls.open_run(told.folder)
    exported = run.export(tmp_path / "out")
    check_tensorboard(run, exported.path)
    loss = open_any(tmp_path / "out").scalars["loss/train"][1]
    np.testing.assert_array_equal(loss, np.array(told.loss, np.float32))
    # Four bytes hold no smaller number.
    assert open_any(tmp_path / "out").scalars["small"][1].tolist() == [0.0] * STEPS
    assert len(exported.left_out) == 1
    assert "3 steps with traces and the gradients by lag" in exported.left_out[0]
    np.testing.assert_array_equal(open_any(tmp_path / "out").times, run.times)


def test_a_long_curve_is_written_in_parts(tmp_path: Path) -> None:
    rows = [[7 * step, 1.7e9 + step, {"loss": step / 7}] for step in range(25_000)]
    said = [
        ("scalars", "scalars", json_bytes({"rows": rows[first : first + 5000]})) for first in range(0, 25_000, 5000)
    ]
    run = ls.open_run(made(tmp_path / "run", *said, event("end"), closed=True))
    assert len(run.scalars["loss"][0]) == 25_000
    for kind, name in TARGETS.items():
        run.export(tmp_path / name, kind=kind)
    check_npz(run, tmp_path / "out.npz")
    check_parquet(run, tmp_path / "out.parquet")
    check_tensorboard(run, tmp_path / "out")


def logged(folder: Path) -> Path:
    writer = import_module("torch.utils.tensorboard").SummaryWriter(folder)
    for step in range(20):
        writer.add_scalar("loss", 1 / (step + 1), step, walltime=1.7e9 + step)
        writer.add_histogram("weight", np.arange(5) + step, step, walltime=1.7e9 + step)
    writer.close()
    return folder


def table_of(folder: Path) -> Path:
    folder.mkdir()
    with (folder / "metrics.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["step", "loss", "note"])
        writer.writerows([step, 0.5**step, "x"] for step in range(9))
    return folder


def far_lags(folder: Path) -> Path:
    rows = {"lstm.0": {"hidden_state": [3.0, 2.0, 1.0], "every": 4}}
    more = {"lstm.0": {"hidden_state": [9.0, "inf", 0.0, "nan"], "every": 4}}
    return made(folder, scalars(0, loss=1.0), lags(0, rows), lags(5, more), event("end"))


@pytest.mark.parametrize("make", [logged, table_of, far_lags], ids=["TensorBoard", "metrics.csv", "lags far apart"])
def test_runs_of_every_kind(make: Callable[[Path], Path], tmp_path: Path) -> None:
    run = open_any(make(tmp_path / "run"))
    for kind, name in TARGETS.items():
        export_run(run, tmp_path / name, kind=kind)
    check_npz(run, tmp_path / "out.npz")
    check_parquet(run, tmp_path / "out.parquet")
    check_tensorboard(run, tmp_path / "out")


def test_a_run_with_nothing_in_it(tmp_path: Path) -> None:
    run = ls.open_run(made(tmp_path / "run"))
    for kind, name in TARGETS.items():
        assert run.export(tmp_path / name, kind=kind).about == "nothing"
    check_npz(run, tmp_path / "out.npz")
    check_parquet(run, tmp_path / "out.parquet")
    check_tensorboard(run, tmp_path / "out")


def test_a_run_that_grows_is_exported_as_it_is_now(told: Told, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(told.folder, tmp_path / "run"))
    raw = segment(copy).read_bytes()
    segment(copy).write_bytes(raw[: len(raw) // 2])
    run = ls.open_run(copy)
    before = len(run.scalars["loss/train"][0])
    segment(copy).write_bytes(raw)
    run.export(tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz") as archive:
        assert len(archive["scalars/loss/train/steps"]) == before < STEPS
    run.refresh()
    run.export(tmp_path / "out.npz", force=True)
    check_npz(run, tmp_path / "out.npz")


def test_a_trace_that_cannot_be_read_is_told_and_left_out(told: Told, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(told.folder, tmp_path / "run"))
    run = ls.open_run(copy)
    raw = bytearray(segment(copy).read_bytes())
    place = run._traces[3][1]["lstm"]
    raw[place.offset + place.length // 2] ^= 1
    segment(copy).write_bytes(raw)
    for kind in ("npz", "parquet"):
        exported = run.export(tmp_path / TARGETS[kind], kind=kind)
        assert len(exported.left_out) == 1
        assert "damaged" in exported.left_out[0]
        assert "5 traces" in exported.about
    with np.load(tmp_path / "out.npz") as archive:
        parts = {name.rpartition("/")[0] for name in archive.files if name.startswith("traces/")}
    assert parts == {"traces/0/0", "traces/0/1", "traces/3/0", "traces/6/0", "traces/6/1"}


# Names that were made to do harm.

NAMES = [
    "../../up",
    "/abs",
    "C:\\x",
    "a\0b",
    "a\ufffdb",
    "\ud800",
    "?",
    "",
    " ",
    "x/steps",
    "x",
    "..",
    "'; DROP",
    "é" * 900,
]
NAMES += ["n" * 1500, "n" * 1600, "statistics/lstm.mean"]


def named(*, lone: bool) -> list[Said]:
    names = [name for name in NAMES if lone or "\ud800" not in name]
    rows = [{"rows": [[0, 1.7e9, {name: float(place)}]]} for place, name in enumerate(names)]
    said = [("scalars", "scalars", json.dumps(row).encode()) for row in rows]
    return [*said, ("layer/lstm", "statistics", json_bytes({"step": 0, "values": {"lstm.mean": 99.0}}))]


def test_no_name_leads_out_of_the_file_or_hides_another(tmp_path: Path) -> None:
    run = ls.open_run(made(tmp_path / "run", *named(lone=True)))
    assert list(run.scalars) == NAMES
    expected = sorted([*map(float, range(len(NAMES))), 99.0])
    (tmp_path / "here").mkdir()
    for kind, name in TARGETS.items():
        run.export(tmp_path / "here" / name, kind=kind)
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == sorted(TARGETS.values())
    with np.load(tmp_path / "here" / "out.npz", allow_pickle=False) as archive:
        values = [archive[name].tolist() for name in archive.files if name.endswith("/values") and "times/" not in name]
    assert sorted(value for row in values for value in row) == expected
    found = asked(tmp_path / "here" / "out.parquet", "SELECT value, name FROM it")
    assert sorted(value for value, _ in found) == expected
    assert len({name for _, name in found}) == len(expected)
    ours = open_any(tmp_path / "here" / "out")
    assert sorted(float(values[0]) for _, values in ours.scalars.values()) == expected


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


@pytest.mark.parametrize("kind", TARGETS)
def test_what_is_no_longer_wanted_leaves_nothing(kind: str, told: Told, tmp_path: Path) -> None:
    run = ls.open_run(told.folder)
    seen: list[float] = []

    def counts(fraction: float, words: str) -> None:
        seen.append(fraction)

    run.export(tmp_path / TARGETS[kind], kind=kind, progress=counts)
    assert seen == sorted(seen)
    assert 0 <= seen[0] < seen[-1] <= 1
    for stop in range(0, len(seen), max(1, len(seen) // 6)):
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
def test_a_folder_in_which_nothing_may_be_written_is_one_message(kind: str, told: Told) -> None:
    with tempfile.TemporaryDirectory() as place:
        # Root may write anywhere: there the program is nobody's.
        Path(place).chmod(0o755)
        run = made(Path(place) / "run", scalars(0, loss=1.0))
        here = Path(place) / "here"
        here.mkdir()
        here.chmod(0o555)
        done = command(UNWRITABLE, str(run), str(here / TARGETS[kind]), kind)
        assert done.returncode == 2, done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert "cannot be written" in done.stderr
        assert list(here.iterdir()) == []


INTERRUPTED = """
import sys, time
from lstm_studio import __main__
from lstm_studio.runs.reader import Run
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
    from lstm_studio.engine.storage import pack_trace
    from lstm_studio.engine.trace import Trace

    steps, units = 2_500, 1_300
    wide = np.zeros((steps, units), np.float16)
    wide[:, 0] = np.arange(steps) % 2048
    arrays = {"input": wide, **{f"other.{place}": wide for place in range(3)}}
    block = pack_trace(Trace(arrays, ()), {"step": "0", "item": "0", "path": "lstm"})
    folder = made(tmp_path / "run", ("layer/lstm", "trace", block))
    done = command(LARGE, str(folder), str(tmp_path / TARGETS[kind]))
    assert done.returncode == 0, done.stderr
    # The record itself is 26 MB.
    assert int(done.stdout) < most
    if kind == "parquet":
        counted = asked(tmp_path / TARGETS[kind], "SELECT count(*), sum(value) FROM it")
        assert counted == [(4 * steps * units, 4 * float(wide[:, 0].astype(np.float64).sum()))]
