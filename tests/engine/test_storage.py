"""Traces on disk: what is written is read, and what is damaged is named."""

from __future__ import annotations

import csv
import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from lstm_studio import Trace, TraceError, load_trace, new_network, trace
from lstm_studio.networks.checkpoints import save_network
from tests.engine.test_tracing import values


@pytest.fixture(scope="module")
def traced() -> Trace:
    x = values(12, 3)
    x[5, 0] = np.inf
    return trace(new_network("lstm", 3, 4, 2, bidirectional=True, outputs=2), x)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".NPZ"])
def test_a_loaded_trace_is_the_saved_one(traced: Trace, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    traced.save(path)
    loaded = load_trace(path)
    assert set(loaded.names) == set(traced.names)
    for name in traced.names:
        assert loaded[name].dtype == traced[name].dtype
        np.testing.assert_array_equal(loaded[name], traced[name])
    assert loaded.layers == traced.layers
    assert loaded.provenance == traced.provenance
    assert loaded.provenance.non_finite
    assert loaded.steps == 12


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_float64_gradients_survive(tmp_path: Path, suffix: str) -> None:
    vanishing = trace(new_network("rnn", 2, 4), values(300, 2))
    assert vanishing.provenance.gradient_dtype == "float64"
    vanishing.save(tmp_path / f"t{suffix}")
    loaded = load_trace(tmp_path / f"t{suffix}")["norm.grad.rnn.0.hidden_state"]
    np.testing.assert_array_equal(loaded, vanishing["norm.grad.rnn.0.hidden_state"])
    assert 0 < loaded[0] < 1e-45


def test_a_table_has_a_row_for_each_step_and_a_column_for_each_unit(traced: Trace, tmp_path: Path) -> None:
    traced.save(tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(12))
    column = [np.float32(row["lstm.1.reverse.forget_gate[3]"]) for row in rows]
    np.testing.assert_array_equal(column, traced["lstm.1.reverse.forget_gate"][:, 3])
    assert float(rows[2]["norm.grad.input"]) == traced["norm.grad.input"][2]
    assert rows[5]["input[0]"] == "inf"
    assert len(rows[0]) == 1 + sum(1 if array.ndim == 1 else array.shape[1] for array in traced.arrays.values())


@pytest.mark.parametrize("name", ["t.pt", "t", "t.npy"])
def test_another_suffix_is_refused(traced: Trace, tmp_path: Path, name: str) -> None:
    with pytest.raises(TraceError, match=r"does not end in \.npz, \.safetensors, \.csv"):
        traced.save(tmp_path / name)
    with pytest.raises(TraceError, match=r"does not end in \.npz, \.safetensors"):
        load_trace(tmp_path / name)


def test_a_missing_file_and_a_missing_folder_are_named(traced: Trace, tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"none\.npz does not exist"):
        load_trace(tmp_path / "none.npz")
    for suffix in (".npz", ".safetensors", ".csv"):
        with pytest.raises(TraceError, match="could not be written"):
            traced.save(tmp_path / "no" / f"t{suffix}")


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".csv"])
def test_a_full_disk_leaves_what_was_there(
    traced: Trace, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"t{suffix}"
    path.write_bytes(b"before")

    def full(_self: Path, *_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for name in ("open", "write_bytes"):
        monkeypatch.setattr(Path, name, full)
    with pytest.raises(TraceError, match=r"could not be written \(No space left on device\)") as caught:
        traced.save(path)
    monkeypatch.undo()
    assert "with room" in caught.value.cure
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
    traced.save(path)
    assert path.stat().st_size > 100


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize("kept", [0, 1, 7, 100, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_damaged(traced: Trace, tmp_path: Path, suffix: str, kept: float) -> None:
    path = tmp_path / f"t{suffix}"
    traced.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept if kept >= 1 or kept == 0 else kept * len(content))])
    with pytest.raises(TraceError, match=r"t\..* is damaged"):
        load_trace(path)


def test_a_damaged_array_is_named(traced: Trace, tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    traced.save(path)
    content = bytearray(path.read_bytes())
    where = content.index(b"lstm.0.cell_state.npy") + 200
    content[where : where + 40] = b"\xff" * 40
    path.write_bytes(content)
    with pytest.raises(TraceError, match=r"array 'lstm\.0\.cell_state', is damaged"):
        load_trace(path)


def test_objects_are_not_unpickled(tmp_path: Path) -> None:
    ran = tmp_path / "ran"

    class Runs:
        def __reduce__(self) -> tuple[Any, ...]:
            return (ran.touch, ())

    np.savez(tmp_path / "t.npz", input=np.array([Runs()], dtype=object))
    with pytest.raises(TraceError, match="array 'input', is damaged"):
        load_trace(tmp_path / "t.npz")
    assert not ran.exists()


def rewritten(traced: Trace, path: Path, change: Any) -> Path:
    """Save a trace with its arrays and its description passed through ``change``."""
    traced.save(path)
    arrays = load_file(path)
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        about = json.loads(file.metadata()["lstm_studio"])
    change(arrays, about)
    save_file(arrays, path, {"lstm_studio": json.dumps(about)})
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays, about: arrays.pop("lstm.0.forget_gate"), r"lacks the array 'lstm\.0\.forget_gate'"),
        (lambda arrays, about: arrays.pop("input"), "lacks the array 'input'"),
        (lambda arrays, about: arrays.update(output=np.zeros(3, np.float32)), r"'output', is float32 of shape \(3,\)"),
        (lambda arrays, about: arrays.update(output=np.zeros((3, 1), np.int32)), "'output', is int32"),
        (
            lambda arrays, about: arrays.update({"lstm.0.forget_gate": np.zeros((3, 4), np.float32)}),
            r"signals of lstm\.0 differ in length",
        ),
        (lambda arrays, about: about.pop("layers"), "description of the trace is damaged"),
        (lambda arrays, about: about["layers"][0].pop("signals"), "description of the trace is damaged"),
        (lambda arrays, about: about["layers"][0]["signals"][0].update(role="none"), "description of the trace"),
        (lambda arrays, about: about["provenance"].update(colour="red"), "description of the trace is damaged"),
        (lambda arrays, about: about.update(format=2), "layout 2, this version of LSTM Studio reads 1"),
    ],
)
def test_what_does_not_fit_together_is_named(traced: Trace, tmp_path: Path, change: Any, message: str) -> None:
    with pytest.raises(TraceError, match=message):
        load_trace(rewritten(traced, tmp_path / "t.safetensors", change))


def test_arrays_of_other_programs_are_no_trace(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", input=np.zeros((3, 2)))
    save_file({"input": np.zeros((3, 2))}, tmp_path / "t.safetensors")
    for name in ("t.npz", "t.safetensors"):
        with pytest.raises(TraceError, match="it is not a trace"):
            load_trace(tmp_path / name)


def test_a_network_is_no_trace(tmp_path: Path) -> None:
    save_network(new_network("rnn", 2, 3), tmp_path / "n.safetensors")
    with pytest.raises(TraceError, match=r"n\.safetensors is not a trace"):
        load_trace(tmp_path / "n.safetensors")
