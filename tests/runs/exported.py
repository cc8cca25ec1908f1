"""What is in exported runs, beside what the reader gives; and a training to export, whose numbers are known."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import lstm_studio as ls
from lstm_studio.runs.like import RunLike
from lstm_studio.runs.opening import open_any

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


def record(folder: Path) -> Told:
    """Record a training into a folder."""
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


def logged(folder: Path) -> Path:
    writer = import_module("torch.utils.tensorboard").SummaryWriter(folder)
    for step in range(20):
        writer.add_scalar("loss", 1 / (step + 1), step, walltime=1.7e9 + step)
        writer.add_histogram("weight", np.arange(5) + step, step, walltime=1.7e9 + step)
    writer.close()
    return folder
