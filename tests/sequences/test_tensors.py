"""Blocks of arrays and texts, against the library whose layout they have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import load

from lstm_studio.sequences.tensors import pack, texts_of, unpack

ARRAYS: dict[str, NDArray[Any]] = {
    "halves": np.arange(7, dtype=np.float16),
    "grüße": np.arange(6, dtype=np.float64).reshape(2, 3),
    "turned": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    "every second": np.arange(10, dtype=np.int64)[::2],
    "none": np.empty((3, 0), np.float32),
    "one": np.array(2.5),
    "bits": np.array([True, False, True]),
    "bytes": np.arange(3, dtype=np.uint8),
    "counts": np.arange(3, dtype=np.int32),
}


@pytest.mark.parametrize("more", [{}, {"others": np.arange(4, dtype=np.uint16)}], ids=["ours", "the library's"])
def test_the_library_reads_what_is_packed(more: dict[str, NDArray[Any]], tmp_path: Path) -> None:
    arrays, texts = {**ARRAYS, **more}, {"about": '{"ä": 1}', "": "empty"}
    block = pack(arrays, texts)
    for found in (load(block), unpack(block)[0]):
        assert set(found) == set(arrays)
        for name, array in arrays.items():
            assert found[name].dtype == array.dtype
            assert found[name].shape == array.shape
            np.testing.assert_array_equal(found[name], array)
    assert texts_of(block) == texts
    path = tmp_path / "block.safetensors"
    path.write_bytes(block)
    with safe_open(path, "numpy") as file:
        assert file.metadata() == texts


def test_numbers_begin_at_multiples_of_their_size() -> None:
    """So that whoever maps the file into memory may read them where they lie."""
    block = pack(ARRAYS, {})
    start = 8 + int.from_bytes(block[:8], "little")
    assert start % 8 == 0
    assert texts_of(block) == {}
    for name, array in ARRAYS.items():
        if array.size:
            place = block.index(np.ascontiguousarray(array).tobytes(), start)
            assert (place - start) % array.itemsize == 0, name
