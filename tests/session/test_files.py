"""Checkpoints are told from sequences by what they hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from lstm_studio.session.files import SortedFiles, holds_network, sort_files


@pytest.mark.parametrize("name", ["net.pt", "NET.PTH", "epoch=3.ckpt", "net.onnx", "net.keras", "net.weights.h5"])
def test_a_checkpoint_is_known_by_its_suffix(name: str) -> None:
    assert holds_network(name)


@pytest.mark.parametrize("name", ["a.csv", "a.npz", "a.wav", "pt", "folder"])
def test_other_files_are_sequences(name: str) -> None:
    assert not holds_network(name)


@pytest.mark.parametrize(
    ("tensor", "network"),
    [("weight_ih_l0", True), ("encoder.rnn.weight_hh_l1_reverse", True), ("0.values", False), ("12.target", False)],
)
def test_safetensors_are_known_by_their_names(tmp_path: Path, tensor: str, network: bool) -> None:
    path = tmp_path / "file.safetensors"
    save_file({tensor: np.zeros(3, np.float32)}, path)
    assert holds_network(str(path)) is network


@pytest.mark.parametrize(
    "content",
    [b"", b"\x01", b"\xff" * 64, (9).to_bytes(8, "little") + b"not json!", (2).to_bytes(8, "little") + b"[]"],
)
def test_damaged_safetensors_are_left_to_the_reader_that_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.safetensors"
    path.write_bytes(content)
    assert not holds_network(str(path))


def test_the_order_is_kept() -> None:
    assert sort_files(["b.csv", "n.pt", "a.csv", "m.pth"]) == SortedFiles(("b.csv", "a.csv"), ("n.pt", "m.pth"))
