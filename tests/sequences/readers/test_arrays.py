"""NPY and NPZ: shapes, keys, and files that must not be trusted."""

from __future__ import annotations

import pickle
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lstm_studio.errors import SequenceError
from lstm_studio.sequences.columns import ColumnRole
from lstm_studio.sequences.opening import open_sequence
from lstm_studio.sequences.options import MemoryLimitError, ReadOptions


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int8", "uint16", "int64", "bool", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_kind_of_number_in_either_order(tmp_path: Path, dtype: str, order: str) -> None:
    array = np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype).copy(order="F" if order == "F" else "C")
    np.save(tmp_path / "a.npy", array)
    sequence = open_sequence(tmp_path / "a.npy")[0]
    assert sequence.values.tolist() == [[0, 1, 1], [1, 0, 1]]
    assert sequence.names == ("feature 1", "feature 2", "feature 3")


def test_one_two_and_three_dimensions(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.arange(4.0))
    assert open_sequence(tmp_path / "one.npy")[0].values.shape == (4, 1)
    np.save(tmp_path / "three.npy", np.arange(24.0).reshape(2, 4, 3))
    sequences = open_sequence(tmp_path / "three.npy")
    assert [sequence.values.shape for sequence in sequences] == [(4, 3), (4, 3)]
    np.testing.assert_array_equal(sequences[1].values, np.arange(12.0, 24.0).reshape(4, 3))


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((2, 2, 2, 2)), "4 dimensions"),
        (np.zeros((0, 3)), "is empty"),
        (np.float64(1.0), "0 dimensions"),
        (np.zeros(3, complex), "complex128, not numbers"),
        (np.array(["a", "b"]), "<U1, not numbers"),
        (np.zeros(2, [("x", "f4"), ("y", "f4")]), "not numbers"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, array: np.ndarray, said: str) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(SequenceError, match=said) as caught:
        open_sequence(tmp_path / "a.npy")
    assert "a.npy" in caught.value.found


@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_objects_are_refused_and_never_unpickled(tmp_path: Path, kind: str) -> None:
    sprung = tmp_path / "sprung"
    objects = np.array([Trap(sprung)], dtype=object)
    path = tmp_path / f"trap.{kind}"
    if kind == "npy":
        np.save(path, objects, allow_pickle=True)
    else:
        np.savez(path, x=objects, allow_pickle=True)
    with pytest.raises(SequenceError, match="Python objects"):
        open_sequence(path)
    assert not sprung.exists()
    pickle.loads(pickle.dumps(Trap(sprung))).close()  # noqa: S301 - proves that the trap works
    assert sprung.exists()


@pytest.mark.parametrize("kept", [3, 9, 60, 100, 300])
@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_a_cut_file_is_refused(tmp_path: Path, kind: str, kept: int) -> None:
    path = tmp_path / f"cut.{kind}"
    if kind == "npy":
        np.save(path, np.ones((50, 2)))
    else:
        np.savez(path, x=np.ones((50, 2)), y=np.ones(50))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(SequenceError) as caught:
        open_sequence(path)
    assert path.name in caught.value.found


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((50, 2)))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[400] ^= 0xFF
    (tmp_path / "a.npz").write_bytes(bytes(content))
    with pytest.raises(SequenceError, match="not a whole NPZ"):
        open_sequence(tmp_path / "a.npz")


def test_an_archive_that_would_unpack_to_too_much_is_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "bomb.npz", x=np.zeros((10**6, 4)))
    assert (tmp_path / "bomb.npz").stat().st_size < 100_000
    with pytest.raises(MemoryLimitError, match=r"32\.0 MB"):
        open_sequence(tmp_path / "bomb.npz", options=ReadOptions(memory_limit=10**7))


def test_an_archive_whose_member_is_shorter_than_its_header_says(tmp_path: Path) -> None:
    np.save(tmp_path / "whole.npy", np.ones((50, 2)))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", (tmp_path / "whole.npy").read_bytes()[:500])
    with pytest.raises(SequenceError, match="cut short"):
        open_sequence(tmp_path / "a.npz")


def test_keys_name_time_target_labels_and_features(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((5, 2)), t=np.arange(5) / 10, y=np.arange(5.0), names=["left", "right"])
    sequences = open_sequence(tmp_path / "a.npz")
    assert sequences.names == ("left", "right")
    sequence = sequences[0]
    assert sequence.time is not None
    assert sequence.time.tolist() == [0, 0.1, 0.2, 0.3, 0.4]
    assert sequence.target is not None
    assert sequence.target.tolist() == [[0], [1], [2], [3], [4]]

    np.savez(tmp_path / "b.npz", x=np.zeros((3, 5, 2)), labels=np.array(["up", "down", "up"]))
    sequences = open_sequence(tmp_path / "b.npz")
    assert sequences.classes == ("down", "up")
    assert [int(sequence.target) for sequence in sequences if sequence.target is not None] == [1, 0, 1]


def test_columns_and_sequences_by_key(tmp_path: Path) -> None:
    np.savez(tmp_path / "columns.npz", alpha=np.arange(3), beta=np.arange(3) * 2)
    columns = open_sequence(tmp_path / "columns.npz")
    assert columns.names == ("alpha", "beta")
    assert columns[0].values.tolist() == [[0, 0], [1, 2], [2, 4]]
    np.savez(tmp_path / "several.npz", monday=np.zeros((3, 2)), friday=np.ones((5, 2)))
    several = open_sequence(tmp_path / "several.npz")
    assert [(sequence.name, len(sequence)) for sequence in several] == [("monday", 3), ("friday", 5)]


def test_arrays_that_do_not_belong_together_need_a_correction(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((5, 2)), other=np.ones((7, 3)), y=np.ones(4))
    with pytest.raises(SequenceError, match="do not belong together"):
        open_sequence(tmp_path / "a.npz")
    with pytest.raises(SequenceError, match="cannot be the target"):
        open_sequence(tmp_path / "a.npz", options=ReadOptions(columns={"other": ColumnRole.IGNORE}))
    corrected = ReadOptions(columns={"other": ColumnRole.IGNORE, "y": ColumnRole.IGNORE})
    assert open_sequence(tmp_path / "a.npz", options=corrected)[0].values.shape == (5, 2)
    with pytest.raises(SequenceError, match="no array 'z'"):
        open_sequence(tmp_path / "a.npz", options=ReadOptions(columns={"z": ColumnRole.IGNORE}))


@settings(max_examples=30, deadline=None)
@given(
    array=hnp.arrays(
        st.sampled_from(["f4", "f2", "i2", "u1", "?"]),
        hnp.array_shapes(min_dims=1, max_dims=3, max_side=6),
        elements={"allow_nan": False, "allow_infinity": False},
    )
)
def test_what_is_saved_is_opened(array: np.ndarray) -> None:
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "a.npz", x=array)
        sequences = open_sequence(Path(folder) / "a.npz")
    rows = array[:, None] if array.ndim == 1 else array
    expected = rows[None] if rows.ndim == 2 else rows
    np.testing.assert_array_equal(np.stack([sequence.values for sequence in sequences]), expected.astype(np.float32))
