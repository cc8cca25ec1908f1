"""One LSTM as other frameworks save it, and what it computes by its equations; for the check of a bundle."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import h5py  # type: ignore[import-untyped]  # it brings no types
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[Any]


class Weights(NamedTuple):
    """The weights of one layer, four blocks of rows in the order i, f, g, o.

    Parameters
    ----------
    entering, recurrent
        (4·H, F) and (4·H, H).
    bias
        (4·H,).
    """

    entering: Array
    recurrent: Array
    bias: Array


def drawn(features: int, units: int) -> Weights:
    """Return weights that are always the same."""
    random = np.random.default_rng(0)
    shapes = ((4 * units, features), (4 * units, units), (4 * units,))
    return Weights(*(random.normal(0, 0.5, shape).astype(np.float32) for shape in shapes))


def hidden_states(weights: Weights, x: Array) -> Array:
    """Return the hidden states by the equations, (T, H) float64."""
    entering, recurrent, bias = (array.astype(np.float64) for array in weights)
    h = c = np.zeros(recurrent.shape[1])
    states = []
    for x_t in x.astype(np.float64):
        i, f, g, o = np.split(entering @ x_t + recurrent @ h + bias, 4)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
        states.append(h)
    return np.stack(states)


def save_onnx(path: Path, weights: Weights) -> None:
    """Write a graph of one operator, whose blocks are in the order i, o, f, g."""

    def block(array: Array) -> Array:
        i, f, g, o = np.split(array, 4)
        return np.concatenate((i, o, f, g))[None]

    units = weights.recurrent.shape[1]
    biases = np.concatenate((block(weights.bias), np.zeros((1, 4 * units), np.float32)), axis=1)
    stored = {"W": block(weights.entering), "R": block(weights.recurrent), "B": biases}
    node = helper.make_node("LSTM", ["x", *stored], ["y"], name="/rnn/LSTM", hidden_size=units)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, None, weights.entering.shape[1]])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1, None, units])
    arrays = [numpy_helper.from_array(array, name) for name, array in stored.items()]
    graph = helper.make_graph([node], "graph", [x], [y], arrays)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10), path)


def save_keras(path: Path, weights: Weights) -> None:
    """Write an archive as Keras 3 does: a configuration, and the weights beside it."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.require_group("layers/lstm/vars").attrs["name"] = "rnn"
        for number, array in enumerate((weights.entering.T, weights.recurrent.T, weights.bias)):
            file[f"layers/lstm/cell/vars/{number}"] = array
    layers = [{"class_name": kind, "config": {"name": name}} for kind, name in (("InputLayer", "in"), ("LSTM", "rnn"))]
    config = {"class_name": "Sequential", "config": {"name": "model", "layers": layers}}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.9.0"}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", content.getvalue())


def save_keras_weights(path: Path, weights: Weights) -> None:
    """Write weights alone as Keras 2 does."""
    with h5py.File(path, "w") as file:
        names = ("kernel:0", "recurrent_kernel:0", "bias:0")
        for name, array in zip(names, (weights.entering.T, weights.recurrent.T, weights.bias), strict=True):
            file[f"rnn/rnn/lstm_cell/{name}"] = array


SAVERS: Mapping[str, Callable[[Path, Weights], None]] = {
    "network.onnx": save_onnx,
    "network.keras": save_keras,
    "network.weights.h5": save_keras_weights,
}
"""Name of a file → what writes it."""
