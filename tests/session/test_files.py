"""Checkpoints are told from sequences by what they hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from lstm_studio.session.files import SortedFiles, holds_network, holds_run, sort_files


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


@pytest.mark.parametrize(
    ("files", "run"),
    [
        (["run.json"], True),
        (["mine/run.json", "other/run.json"], True),
        (["2026/mine/run.json"], True),
        (["events.out.tfevents.1"], True),
        (["version_0/metrics.csv"], True),
        (["a.csv", "b.csv"], False),
        (["train/a.csv", "test/b.csv"], False),
        (["a.csv", "runs/mine/run.json"], False),
        ([], False),
    ],
)
def test_a_run_is_known_by_what_lies_in_its_folder(tmp_path: Path, files: list[str], run: bool) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert holds_run(str(tmp_path)) is run
    assert sort_files([str(tmp_path)]) == (
        SortedFiles((), (), (), (str(tmp_path),)) if run else SortedFiles((str(tmp_path),), ())
    )


def test_addresses_of_other_computers_are_runs() -> None:
    assert sort_files(["ssh://cluster/runs", "a.csv"]) == SortedFiles(("a.csv",), (), (), ("ssh://cluster/runs",))
