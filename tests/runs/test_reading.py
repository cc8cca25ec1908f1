"""What a run hands out: curves that grow, gradients by lag, snapshots, and when it was last heard of."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lstm_studio as ls
from lstm_studio.runs.curves import Curves, Rows
from lstm_studio.runs.like import RunLike, Status
from lstm_studio.runs.opening import open_any
from tests.runs.made_runs import event, lags, made, scalars, segment, segment_bytes

POINTS = st.lists(st.tuples(st.integers(0, 30), st.floats(allow_nan=False)), max_size=60)


@given(POINTS, st.integers(1, 7))
def test_a_curve_is_the_last_value_at_every_step_in_order(points: list[tuple[int, float]], often: int) -> None:
    curves = Curves()
    known: dict[int, float] = {}
    handed_out = []
    for number, (step, value) in enumerate(points):
        curves.add("loss", step, value)
        known[step] = value
        if number % often == 0:
            steps, values = curves["loss"]
            assert dict(zip(steps.tolist(), values.tolist(), strict=True)) == known
            assert steps.tolist() == sorted(known)
            handed_out.append((steps, values, steps.copy(), values.copy()))
    for steps, values, steps_then, values_then in handed_out:
        np.testing.assert_array_equal(steps, steps_then)
        np.testing.assert_array_equal(values, values_then)


@given(st.lists(st.tuples(st.integers(0, 9), st.lists(st.floats(0, 1), max_size=6)), max_size=25))
def test_rows_are_filled_up_with_nan(rows: list[tuple[int, list[float]]]) -> None:
    kept = Rows()
    for step, row in rows:
        kept.add("signal", step, row, 1)
    known = dict(rows)
    if not rows:
        assert kept.curves() == {}
        return
    steps, values = kept.curves()["signal"]
    assert steps.tolist() == sorted(known)
    assert values.shape[1] == max(len(row) for _, row in rows)
    for step, row in zip(steps.tolist(), values, strict=True):
        np.testing.assert_array_equal(row[: len(known[step])], known[step])
        assert np.isnan(row[len(known[step]) :]).all()


def test_curves_are_handed_out_as_they_are_and_cannot_be_written_to() -> None:
    curves = Curves()
    curves.extend("loss", np.arange(1000), np.ones(1000))
    first, second = curves["loss"], curves["loss"]
    assert np.shares_memory(first[1], second[1])
    with pytest.raises(ValueError, match="read-only"):
        first[1][0] = 2.0


def test_gradients_by_lag(tmp_path: Path) -> None:
    about = {"format": 1, "layers": [{"path": "lstm"}]}
    folder = made(
        tmp_path / "run",
        lags(0, {"lstm.0": {"hidden_state": [1.0, 0.5, 0.0], "cell_state": [2.0, 1.0]}}),
        lags(50, {"lstm.0": {"hidden_state": [1.0, "nan", 1e-300, 4.0]}}, values={"lstm.0.forget_gate.mean": 0.5}),
        lags(0, {"lstm.0": {"hidden_state": [9.0]}}, item=1),
        about=about,
    )
    run = ls.open_run(folder)
    assert set(run.lags) == {"lstm.0.hidden_state", "lstm.0.cell_state"}
    steps, norms = run.lags["lstm.0.hidden_state"]
    assert steps.dtype == np.int64
    assert norms.dtype == np.float64
    np.testing.assert_array_equal(steps, [0, 50])
    np.testing.assert_array_equal(norms, [[1.0, 0.5, 0.0, np.nan], [1.0, np.nan, 1e-300, 4.0]])
    np.testing.assert_array_equal(run.lags["lstm.0.cell_state"][1], [[2.0, 1.0]])
    assert run.lag_spacing == {"lstm.0.hidden_state": 1, "lstm.0.cell_state": 1}
    assert list(run.statistics["lstm.0.forget_gate.mean"][0]) == [50]
    assert not run.problems


@pytest.mark.parametrize("inside", [False, True], ids=["of the record", "of the layer"])
def test_lags_that_are_thinned_are_brought_together(inside: bool, tmp_path: Path) -> None:
    def row(step: int, count: int, every: int) -> tuple[str, str, bytes]:
        norms = {"hidden_state": [float(lag) for lag in range(0, count * every, every)]}
        if inside:
            return lags(step, {"lstm.0": {**norms, "every": every}})
        return lags(step, {"lstm.0": norms}, every=every)

    folder = made(tmp_path / "run", row(0, 5, 1), row(1, 4, 4), row(2, 9, 2), row(3, 3, 3))
    run = ls.open_run(folder)
    assert run.lag_spacing["lstm.0.hidden_state"] == 4
    steps, norms = run.lags["lstm.0.hidden_state"]
    assert list(steps) == [0, 1, 2]
    nan = np.nan
    np.testing.assert_array_equal(norms, [[0, 4, nan, nan, nan], [0, 4, 8, 12, nan], [0, 4, 8, 12, 16]])
    assert ["3 apart after columns 4 apart" in str(problem) for problem in run.problems] == [True]


def test_snapshots(tmp_path: Path) -> None:
    folder = made(tmp_path / "run", scalars(1, loss=0.5))
    for name in ("00000000", "00000010", "123456789", "10", "00000020.part", "notes"):
        (folder / "snapshots" / name).mkdir(parents=True)
    weights = folder / "snapshots" / "00000010" / "lstm.safetensors"
    weights.write_bytes(b"weights")
    run = ls.open_run(folder)
    assert run.snapshots == [0, 10, 123456789]
    assert run.snapshot(10, "lstm") == weights
    with pytest.raises(ls.RunError, match="no weights at step 20"):
        run.snapshot(20, "lstm")
    with pytest.raises(ls.RunError, match=r"no weights of .rnn.\. It has lstm"):
        run.snapshot(10, "rnn")
    (folder / "snapshots" / "00000030").mkdir()
    assert run.snapshots == [0, 10, 30, 123456789]


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_snapshots_lead_nowhere_else(tmp_path: Path) -> None:
    outside = tmp_path / "00000010"
    outside.mkdir()
    (outside / "lstm.safetensors").write_bytes(b"secret")
    folder = made(tmp_path / "run", scalars(1, loss=0.5))
    (folder / "snapshots" / "00000020").mkdir(parents=True)
    (folder / "snapshots" / "00000010").symlink_to(outside)
    (folder / "snapshots" / "00000020" / "lstm.safetensors").symlink_to(outside / "lstm.safetensors")
    os.mkfifo(folder / "snapshots" / "00000020" / "rnn.safetensors")
    run = ls.open_run(folder)
    assert run.snapshots == [20]
    for key in ("lstm", "rnn", "../../../00000010/lstm", str(outside / "lstm"), "lstm\0", "x" * 10_000):
        with pytest.raises(ls.RunError) as told:
            run.snapshot(20, key)
        assert len(str(told.value)) < 1000
    (folder / "snapshots" / "00000020" / "lstm.safetensors").unlink()
    (folder / "snapshots").rename(tmp_path / "elsewhere")
    (folder / "snapshots").symlink_to(tmp_path / "elsewhere")
    assert run.snapshots == []


def test_when_it_was_heard_of(tmp_path: Path) -> None:
    folder = made(tmp_path / "run", event("start", host="elsewhere", process=1), scalars(1, loss=0.5))
    os.utime(segment(folder), (time.time() - 7, time.time() - 7))
    run = ls.open_run(folder)
    assert run.heard == pytest.approx(7, abs=2)
    assert run.status is Status.RUNNING
    os.utime(segment(folder), (time.time() - 500, time.time() - 500))
    assert ls.open_run(folder).status is Status.DIED
    # What comes while one looks is heard now, whatever the clock of the file system says.
    said = [event("start", host="elsewhere", process=1), scalars(1, loss=0.5), scalars(2, loss=0.4)]
    segment(folder).write_bytes(segment_bytes(said))
    os.utime(segment(folder), (time.time() - 500, time.time() - 500))
    assert run.refresh().scalars == ("loss",)
    assert run.heard < 2
    assert run.status is Status.RUNNING


def test_a_recorded_run_lacks_nothing_and_is_called_after_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(tmp_path / "mine", scalars(1, loss=0.5), event("end"))
    run: RunLike = open_any(folder)
    assert (run.title, run.lacks, run.folder, run.address) == ("mine", (), folder, str(folder))
    assert run.status is Status.FINISHED
    assert open_any(folder / "run.json").folder == folder
    monkeypatch.chdir(folder)
    assert open_any(".").title == "mine"
    with pytest.raises(ls.RunError, match="does not exist"):
        open_any(tmp_path / "nowhere")
