"""Keras files as Keras 3 and Keras 2 lay them out, against Keras's own equations."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]  # it brings no types
import numpy as np
import pytest
from numpy.typing import NDArray

from lstm_studio import NetworkError, open_network, trace

Array = NDArray[Any]
Weights = tuple[Array, Array, Array]

ROWS = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}


def weights(class_name: str, features: int, units: int, seed: int) -> Weights:
    rng = np.random.default_rng(seed)
    rows = ROWS[class_name] * units
    bias = (2, rows) if class_name == "GRU" else (rows,)
    shapes = ((features, rows), (units, rows), bias)
    kernel, recurrent, first = (rng.normal(0, 0.5, shape).astype(np.float32) for shape in shapes)
    return kernel, recurrent, first


def sigmoid(a: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-a)))


def recurrence(class_name: str, x: Array, weights: Weights) -> Array:
    """Return the hidden states as the documents of Keras define them, (T, H)."""
    kernel, recurrent, bias = (array.astype(np.float64) for array in weights)
    h = np.zeros(len(recurrent))
    c = np.zeros(len(recurrent))
    outputs = []
    for x_t in x:
        if class_name == "LSTM":
            i, f, g, o = np.split(x_t @ kernel + h @ recurrent + bias, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        elif class_name == "GRU":
            x_z, x_r, x_h = np.split(x_t @ kernel + bias[0], 3)
            h_z, h_r, h_h = np.split(h @ recurrent + bias[1], 3)
            z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
            h = z * h + (1 - z) * np.tanh(x_h + r * h_h)
        else:
            h = np.tanh(x_t @ kernel + h @ recurrent + bias)
        outputs.append(h)
    return np.stack(outputs)


def entry(class_name: str, name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": {"name": name, **config}}


def model_config(*layers: dict[str, Any], class_name: str = "Sequential") -> dict[str, Any]:
    return {"class_name": class_name, "config": {"name": "model", "layers": [entry("InputLayer", "in"), *layers]}}


def save_keras_3(path: Path, config: dict[str, Any], groups: Mapping[str, tuple[str, tuple[Array, ...]]]) -> None:
    """Write an archive; ``groups`` is the group of the variables → the layer's name and its arrays."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for group, (name, arrays) in groups.items():
            layer = "/".join(group.split("/")[:2])
            file.require_group(f"{layer}/vars").attrs["name"] = name
            for number, array in enumerate(arrays):
                file[f"{group}/vars/{number}"] = array
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.9.0"}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", content.getvalue())


def save_keras_2(path: Path, config: dict[str, Any], groups: Mapping[str, tuple[Array, ...]]) -> None:
    """Write a whole model as ``.h5``; ``groups`` is the group of the weights → kernel, recurrent kernel and bias."""
    names = ("kernel:0", "recurrent_kernel:0", "bias:0")
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        for group, arrays in groups.items():
            for name, array in zip(names if len(arrays) > 2 else names[::2], arrays, strict=True):
                file[f"model_weights/{group}/{name}"] = array


X = np.random.default_rng(9).normal(size=(20, 3)).astype(np.float32)


def hidden(path: Path) -> Array:
    traced = trace(open_network(path), X)
    return traced[f"{traced.layers[-1].prefix}.hidden_state"]


@pytest.mark.parametrize("class_name", sorted(ROWS))
def test_layers_compute_what_keras_computes(tmp_path: Path, class_name: str) -> None:
    own = weights(class_name, 3, 4, 1)
    snake = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "simple_rnn"}[class_name]
    config = model_config(entry(class_name, "mine"))
    save_keras_3(tmp_path / "m.keras", config, {f"layers/{snake}/cell": ("mine", own)})
    save_keras_2(tmp_path / "m.h5", config, {f"mine/mine/{snake}_cell": own})
    for name in ("m.keras", "m.h5"):
        np.testing.assert_allclose(hidden(tmp_path / name), recurrence(class_name, X, own), atol=1e-6)
        assert open_network(tmp_path / name).layers[0].prefix == "mine.0"


def test_stacked_layers_with_a_read_out_are_one_network(tmp_path: Path) -> None:
    first, second = weights("LSTM", 3, 4, 1), weights("LSTM", 4, 4, 2)
    dense = (np.random.default_rng(3).normal(size=(4, 2)).astype(np.float32), np.array([0.5, -1], np.float32))
    config = model_config(
        entry("LSTM", "lower"),
        entry("Dropout", "drop", rate=0.1),
        entry("LSTM", "upper"),
        entry("TimeDistributed", "each", layer=entry("Dense", "dense", activation="softmax")),
    )
    save_keras_3(
        tmp_path / "m.keras",
        config,
        {
            "layers/lstm/cell": ("lower", first),
            "layers/lstm_1/cell": ("upper", second),
            "layers/time_distributed/layer": ("each", dense),
        },
    )
    network = open_network(tmp_path / "m.keras")
    assert (network.info().layers, network.info().outputs, network.readout_kind) == (2, 2, "classes")
    scores = recurrence("LSTM", recurrence("LSTM", X, first), second) @ dense[0] + dense[1]
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(trace(network, X)["output"], expected, atol=1e-6)


def test_both_directions_are_read(tmp_path: Path) -> None:
    forward, backward = weights("GRU", 3, 4, 1), weights("GRU", 3, 4, 2)
    inside = {"merge_mode": "concat", "layer": entry("GRU", "forward_gru", reset_after=True)}
    save_keras_2(
        tmp_path / "m.h5",
        model_config(entry("Bidirectional", "both", **inside)),
        {"both/backward_gru/gru_cell": backward, "both/forward_gru/gru_cell": forward},
    )
    traced = trace(open_network(tmp_path / "m.h5"), X)
    ahead, back = (traced[f"{layer.prefix}.hidden_state"] for layer in traced.layers)
    np.testing.assert_allclose(ahead, recurrence("GRU", X, forward), atol=1e-6)
    np.testing.assert_allclose(back, recurrence("GRU", X[::-1], backward)[::-1], atol=1e-6)


def test_a_layer_between_keeps_modules_apart(tmp_path: Path) -> None:
    config = model_config(entry("LSTM", "a"), entry("Conv1D", "conv"), entry("LSTM", "b"))
    groups = {"a/cell": weights("LSTM", 3, 4, 1), "b/cell": weights("LSTM", 4, 4, 2)}
    save_keras_2(tmp_path / "m.h5", config, groups)
    with pytest.raises(NetworkError, match=r"2 recurrent modules, a \(3 inputs, .*, b \(4 inputs"):
        open_network(tmp_path / "m.h5")
    assert open_network(tmp_path / "m.h5", recurrent="b").input_size == 4


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (entry("GRU", "l", reset_after=False), "reset gate acts before"),
        (entry("GRU", "l", recurrent_activation="hard_sigmoid"), "'tanh' and 'hard_sigmoid'"),
        (entry("GRU", "l", activation="relu"), "'relu' and 'sigmoid'"),
        (entry("GRU", "l", go_backwards=True), "reads backwards"),
        (entry("LayerNormGRU", "l"), "a layer of another kind, LayerNormGRU"),
        (entry("Bidirectional", "l", layer=entry("MyGRU", "forward_l")), "a layer of another kind, MyGRU"),
        (entry("RNN", "l", cell=entry("GRUCell", "c"), go_backwards=True), "reads backwards"),
        (entry("RNN", "l", cell=entry("GRUCell", "c", reset_after=False)), "reset gate acts before"),
        (entry("RNN", "l", cell=entry("MinimalCell", "c")), "a layer of another kind, MinimalCell"),
        (
            entry("Bidirectional", "l", merge_mode="sum", layer=entry("GRU", "forward_l")),
            "directions are merged by 'sum'",
        ),
    ],
)
def test_what_pytorch_does_not_compute_is_refused(tmp_path: Path, layer: dict[str, Any], message: str) -> None:
    save_keras_2(tmp_path / "m.h5", model_config(layer), {"l/gru_cell": weights("GRU", 3, 4, 1)})
    with pytest.raises(NetworkError, match=message) as raised:
        open_network(tmp_path / "m.h5")
    assert raised.value.cure


def test_a_cell_in_a_layer_that_runs_it_is_opened(tmp_path: Path) -> None:
    own = weights("GRU", 3, 4, 1)
    config = model_config(entry("RNN", "l", cell=entry("GRUCell", "c", reset_after=True)))
    save_keras_2(tmp_path / "m.h5", config, {"l/gru_cell": own})
    np.testing.assert_allclose(hidden(tmp_path / "m.h5"), recurrence("GRU", X, own), atol=1e-6)


def test_a_file_of_weights_alone_is_opened(tmp_path: Path) -> None:
    own = weights("LSTM", 3, 4, 1)
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        for number, array in enumerate(own):
            file[f"layers/lstm/cell/vars/{number}"] = array
    np.testing.assert_allclose(hidden(tmp_path / "m.weights.h5"), recurrence("LSTM", X, own), atol=1e-6)


def test_files_without_recurrence_or_with_a_wrong_shape_are_named(tmp_path: Path) -> None:
    kernel, recurrent, bias = weights("LSTM", 3, 4, 1)
    save_keras_2(tmp_path / "none.h5", {}, {"dense/dense": (kernel, bias)})
    with pytest.raises(NetworkError, match=r"no recurrent layers .it has dense"):
        open_network(tmp_path / "none.h5")
    save_keras_2(tmp_path / "odd.h5", {}, {"lstm/cell": (kernel[:, :10], recurrent[:, :10], bias[:10])})
    with pytest.raises(NetworkError, match=r"recurrent kernel of lstm is \(4, 10\)"):
        open_network(tmp_path / "odd.h5")
    save_keras_2(tmp_path / "bias.h5", {}, {"lstm/cell": (kernel, recurrent, bias[:10])})
    with pytest.raises(NetworkError, match=r"bias of lstm has shape \(10,\)"):
        open_network(tmp_path / "bias.h5")


def test_damaged_and_hostile_files_get_one_message(tmp_path: Path) -> None:
    own = weights("LSTM", 3, 4, 1)
    save_keras_3(tmp_path / "m.keras", model_config(entry("LSTM", "l")), {"layers/lstm/cell": ("l", own)})
    save_keras_2(tmp_path / "m.h5", model_config(entry("LSTM", "l")), {"l/cell": own})
    for name in ("m.keras", "m.h5"):
        content = (tmp_path / name).read_bytes()
        for part in (content[: len(content) // 2], b"nothing of the kind", content[:40]):
            (tmp_path / f"damaged-{name}").write_bytes(part)
            with pytest.raises(NetworkError, match=r"damaged-m\.\w+ is damaged"):
                open_network(tmp_path / f"damaged-{name}")
    with h5py.File(tmp_path / "huge.h5", "w") as file:
        # Takes no room in the file, and 4 TiB in memory.
        file.create_dataset("lstm/cell/kernel", shape=(1 << 20, 1 << 20), dtype="f4", chunks=(1024, 1024))
    with pytest.raises(NetworkError, match=r"is damaged.*is not kept in the file"):
        open_network(tmp_path / "huge.h5")
    with h5py.File(tmp_path / "many.h5", "w") as file:
        # None of them is much; all together they are 320 MB.
        for number in range(20):
            file.create_dataset(f"l{number}/kernel", shape=(2000, 2000), dtype="f4", chunks=(1000, 1000))
    with pytest.raises(NetworkError, match=r"is damaged.*is not kept in the file"):
        open_network(tmp_path / "many.h5")
    (tmp_path / "secret").write_bytes(bytes(64))
    with h5py.File(tmp_path / "outside.h5", "w") as file:
        external = [(str(tmp_path / "secret"), 0, 64)]
        file.create_dataset("lstm/cell/kernel", shape=(4, 4), dtype="f4", external=external)
    with pytest.raises(NetworkError, match=r"is damaged.*is not kept in the file"):
        open_network(tmp_path / "outside.h5")


def test_a_description_packed_to_unfold_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", b"")
        with archive.open("config.json", "w") as part:
            for _ in range(80):
                part.write(b" " * (1 << 20))
    with pytest.raises(NetworkError, match=r"m\.keras is damaged.*config\.json would take 83886080 bytes"):
        open_network(tmp_path / "m.keras")


def test_without_h5py_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.keras").write_bytes(b"PK")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(NetworkError, match=r'pip install "lstm-studio\[keras\]"'):
        open_network(tmp_path / "m.keras")
