"""Runs as files for other programs: every number beside what the reader gives, and what the training recorded."""

from __future__ import annotations

import csv
import importlib
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import lstm_studio as ls
from lstm_studio.runs.export.exporting import export_run
from lstm_studio.runs.opening import open_any
from lstm_studio.runs.writer import json_bytes
from tests.runs.exported import (
    EVERY,
    ITEMS,
    STEPS,
    TARGETS,
    Told,
    asked,
    check_npz,
    check_parquet,
    check_tensorboard,
    logged,
)
from tests.runs.made_runs import Said, event, lags, made, scalars, segment

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


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
    parquet = importlib.import_module("pyarrow.parquet")
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
