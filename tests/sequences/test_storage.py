"""Sequence sets on disk."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load_file, save_file

from lstm_studio.errors import SequenceError
from lstm_studio.sequences.columns import ColumnInfo, ColumnKind, ColumnRole
from lstm_studio.sequences.opening import open_sequence
from lstm_studio.sequences.scaling import scale
from lstm_studio.sequences.sequence import Encoding, Scaling, Sequence, SequenceSet
from lstm_studio.sequences.storage import METADATA_KEY, load_set, save_set


def assert_equal(left: SequenceSet, right: SequenceSet) -> None:
    fields = ("source", "title", "classes", "facts", "scaling", "columns", "indicators")
    assert [getattr(left, field) for field in fields] == [getattr(right, field) for field in fields]
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        assert (one.name, one.names, one.encoding) == (other.name, other.names, other.encoding)
        assert one.time_unit == other.time_unit
        for array, same in (
            (one.values, other.values),
            (one.raw, other.raw),
            (one.time, other.time),
            (one.target, other.target),
        ):
            assert (array is None) == (same is None)
            if array is not None and same is not None:
                assert (array.dtype, array.shape, array.tobytes()) == (same.dtype, same.shape, same.tobytes())


def everything() -> SequenceSet:
    days = np.array(["2024-01-01", "2024-01-02", "NaT"], "datetime64[ns]")
    values = np.array([[1, 0], [2, 1], [5, 1]], np.float32)
    sequences = (
        Sequence(values, ("v", "w=ä"), time=days, target=np.asarray(1, np.int64), name="first"),
        Sequence(
            values[::-1],
            ("v", "w=ä"),
            time=np.arange(3.0),
            target=np.ones((3, 2), np.float32),
            name="second",
            time_unit="ms",
        ),
        Sequence(values[:1], ("v", "w=ä"), target=np.array([0.5], np.float32)),
    )
    made = SequenceSet(
        sequences,
        source="a.csv",
        title="a",
        classes=("no", "yes"),
        facts=(("delimiter", "comma"),),
        columns=(ColumnInfo("v", ColumnKind.NUMBER, ColumnRole.FEATURE, "numbers"),),
        indicators=frozenset({"w=ä"}),
    )
    return scale(made, Scaling.STANDARD)


def test_everything_comes_back(tmp_path: Path) -> None:
    save_set(everything(), tmp_path / "a.safetensors")
    assert_equal(load_set(tmp_path / "a.safetensors"), everything())
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]
    assert [sequence.time_unit for sequence in load_set(tmp_path / "a.safetensors")] == ["", "ms", ""]


def test_a_file_from_before_times_had_a_unit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_set(everything(), path)
    metadata = json.loads(_metadata(path))
    for described in metadata["sequences"]:
        del described["time_unit"]
    save_file(load_file(path), path, {METADATA_KEY: json.dumps(metadata)})
    assert [sequence.time_unit for sequence in load_set(path)] == ["", "", ""]


def test_a_saved_set_opens_like_any_file(tmp_path: Path) -> None:
    save_set(everything(), tmp_path / "a.safetensors")
    opened = open_sequence(tmp_path / "a.safetensors")
    assert opened.source == "a.csv"
    assert opened.facts[0] == ("format", "saved sequence set (.safetensors)")
    np.testing.assert_array_equal(opened[0].values, everything()[0].values)


@settings(max_examples=30, deadline=None)
@given(
    arrays=st.lists(hnp.arrays(np.float32, st.tuples(st.integers(1, 5), st.just(2))), min_size=1, max_size=4),
    names=st.tuples(st.text(max_size=5), st.text(max_size=5)),
    encoding=st.sampled_from(Encoding),
)
def test_save_and_load_are_the_identity(arrays: list[np.ndarray], names: tuple[str, str], encoding: Encoding) -> None:
    sequences = tuple(
        Sequence(array, names, name=names[0] + str(i), encoding=encoding) for i, array in enumerate(arrays)
    )
    made = SequenceSet(sequences, title=names[1], facts=(names,))
    with tempfile.TemporaryDirectory() as folder:
        save_set(made, Path(folder) / "a.safetensors")
        assert_equal(load_set(Path(folder) / "a.safetensors"), made)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9])
def test_a_cut_file_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "a.safetensors"
    save_set(everything(), path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    for read in (load_set, open_sequence):
        with pytest.raises(SequenceError) as caught:
            read(path)
        assert str(path) in caught.value.found


def test_a_missing_file_and_network_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SequenceError, match="does not exist"):
        load_set(tmp_path / "a.safetensors")
    save_file({"weight": np.ones(3, np.float32)}, tmp_path / "net.safetensors")
    with pytest.raises(SequenceError, match="no sequences") as caught:
        load_set(tmp_path / "net.safetensors")
    assert "network" in caught.value.cure


def damage(metadata: dict[str, Any], key: str, value: object) -> str:
    return json.dumps({**metadata, key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("version", 99),
        ("names", ["only one"]),
        ("names", [1, 2]),
        ("classes", []),
        ("facts", [["one"]]),
        ("scaling", "unheard of"),
        ("columns", [{"name": "v"}]),
        ("columns", 7),
        ("sequences", []),
        ("sequences", [{"name": "x", "encoding": "numeric", "dates": False}]),
        ("sequences", [{"name": "x", "encoding": "numeric", "dates": True}] * 9),
        ("title", None),
    ],
)
def test_metadata_that_contradict_the_arrays_are_refused(tmp_path: Path, key: str, value: object) -> None:
    path = tmp_path / "a.safetensors"
    save_set(everything(), path)
    metadata = json.loads(_metadata(path))
    save_file(load_file(path), path, {METADATA_KEY: damage(metadata, key, value)})
    with pytest.raises(SequenceError, match="damaged"):
        load_set(path)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000])
def test_metadata_that_are_no_description_are_refused(tmp_path: Path, text: str) -> None:
    save_file({"0.values": np.ones((2, 1), np.float32)}, tmp_path / "a.safetensors", {METADATA_KEY: text})
    with pytest.raises(SequenceError, match="damaged"):
        load_set(tmp_path / "a.safetensors")


def test_arrays_of_other_types_and_shapes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_set(everything(), path)
    metadata, arrays = {METADATA_KEY: _metadata(path)}, load_file(path)
    for name, array in (
        ("0.values", np.ones((3, 2))),
        ("0.values", np.ones(6, np.float32)),
        ("0.raw", np.ones((1, 2), np.float32)),
        ("0.time", np.ones(3, np.float32)),
        ("0.target", np.asarray(2, np.int64)),
        ("1.target", np.ones((2, 2), np.float32)),
    ):
        save_file({**arrays, name: array}, path, metadata)
        with pytest.raises(SequenceError, match="damaged"):
            load_set(path)


def test_a_folder_that_is_not_there_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(SequenceError, match="cannot be written"):
        save_set(everything(), tmp_path / "nowhere" / "a.safetensors")


def test_reading_a_sample_imports_neither_torch_nor_duckdb(tmp_path: Path) -> None:
    save_set(everything(), tmp_path / "a.safetensors")
    program = (
        "import sys; from lstm_studio.sequences.storage import load_set; load_set(sys.argv[1]); "
        "print([name for name in ('torch', 'duckdb', 'soundfile', 'charset_normalizer') if name in sys.modules])"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "a.safetensors")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _metadata(path: Path) -> str:
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    described: str = header["__metadata__"][METADATA_KEY]
    return described
