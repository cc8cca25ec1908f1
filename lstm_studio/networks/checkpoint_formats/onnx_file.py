"""ONNX graphs: their LSTM, GRU and RNN operators (with the package onnx).

The operators' gates are in the order i, o, f, c for the LSTM and z, r, h for the GRU; each holds one layer, and one
tensor holds both biases. Reference: the operators' specification, opset 22. A graph is read, never run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import NetworkError
from lstm_studio.networks.checkpoint_file import CheckpointFile
from lstm_studio.networks.checkpoint_formats.layers import Direction, ForeignLayer, as_modules, as_tensor, reordered
from lstm_studio.networks.checkpoint_formats.onnx_constants import folded

Array = NDArray[Any]

_KINDS = {"LSTM": "lstm", "GRU": "gru", "RNN": "rnn"}
_ORDERS = {"LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2), "RNN": (0,)}
_ACTIVATIONS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
_SHAPE_ONLY = {"Transpose", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Cast"}
_SIZES = {"Shape", "Size"}
_FOLDED = {"Concat", "Slice", "Squeeze", "Transpose", "Unsqueeze"}
_MOST_FOLDED = 100
"""Tensors that are cut and joined are together this many times as large as their file only to fill the memory."""
_BY_FIRST = _SHAPE_ONLY | {"Expand", "Slice", "Tile", "Gather", "Split"}
"""Operators whose values are those of their first input."""
_INITIAL = (5, 6)
"""Which inputs are the states before the first step."""
_PEEPHOLES = 7
_CURE = "Open the checkpoint of the framework that the graph was exported from."


def read_onnx(path: Path) -> CheckpointFile:
    """Read the recurrent operators of a graph, and the linear read-out after the last where there is one.

    Raises
    ------
    NetworkError
        If onnx is not installed, the file is damaged, its weights are not in it, or an operator computes what
        PyTorch's layers do not.
    """
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise NetworkError(
            f"{path.name} is an ONNX file, which takes onnx to read.",
            'Install it with: pip install "lstm-studio[onnx]"',
        ) from error
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:
        raise NetworkError(f"{path.name} is damaged or not an ONNX file.", "Save or download it again.") from error
    if not model.graph.node:
        raise NetworkError(f"{path.name} is damaged or not an ONNX file: its graph is empty.", "Save it again.")
    try:
        return _checkpoint(_Graph(path, model.graph))
    except (LookupError, TypeError, ValueError, RecursionError, OverflowError) as error:
        raise NetworkError(
            f"{path.name} is damaged: its graph cannot be followed ({error}).", "Save or download it again."
        ) from error


def _checkpoint(graph: _Graph) -> CheckpointFile:
    layers = [_layer(graph, node) for node in graph.nodes if node.op_type in _KINDS]
    if not layers:
        found = ", ".join(sorted({node.op_type for node in graph.nodes})[:8])
        raise NetworkError(
            f"{graph.path.name} has no recurrent operators (it has {found}).",
            "Open a graph with an LSTM, GRU or RNN operator.",
        )
    tensors, metadata = as_modules(layers)
    if len(metadata["modules"]) == 1:
        metadata["readout"] = _add_read_out(graph, tensors)
    return CheckpointFile(graph.path, tensors, metadata)


class _Graph:
    """A graph with its constants as arrays, and who makes and who uses each tensor.

    Parameters
    ----------
    path
        The file, for messages.
    graph
        ``onnx.GraphProto``.
    """

    def __init__(self, path: Path, graph: Any) -> None:
        self.path = path
        self.nodes = list(graph.node)
        self._stored = {tensor.name: tensor for tensor in graph.initializer}
        self._made_by = {name: node for node in self.nodes for name in node.output if name}
        self._used_by: dict[str, list[Any]] = {}
        for node in self.nodes:
            for name in node.input:
                self._used_by.setdefault(name, []).append(node)
        self._folded: dict[str, Array | None] = {}
        # Tensors may be joined with themselves as often as one likes.
        self._room = _MOST_FOLDED * max(path.stat().st_size, 1 << 16)

    def constant(self, name: str) -> Array | None:
        """Return a tensor that is stored in the file, or cut and joined of such; None where it is computed or given."""
        from onnx import numpy_helper

        stored = self._stored.get(name)
        made_by = self._made_by.get(name)
        if stored is None and made_by is not None and made_by.op_type == "Constant":
            stored = attributes(made_by).get("value")
        if stored is None and made_by is not None and made_by.op_type == "Identity":
            return self.constant(made_by.input[0])
        if stored is None and made_by is not None and made_by.op_type in _FOLDED:
            return self._made_of_constants(name, made_by)
        if stored is None:
            return None
        if stored.data_location or stored.external_data:
            raise NetworkError(
                f"{self.path.name}: its weights are in other files.", "Export the graph with its weights inside."
            )
        try:
            return np.asarray(numpy_helper.to_array(stored))
        except (ValueError, TypeError, KeyError) as error:
            raise NetworkError(f"{self.path.name} is damaged: {name} cannot be read.", "Save it again.") from error

    def _made_of_constants(self, name: str, made_by: Any) -> Array | None:
        if name not in self._folded:
            inputs = [self.constant(one) for one in made_by.input if one]
            there = [array for array in inputs if array is not None]
            self._room -= sum(array.nbytes for array in there)
            if self._room < 0:
                raise ValueError("what it joins would fill the memory")
            complete = bool(there) and len(there) == len(inputs)
            self._folded[name] = folded(made_by.op_type, there, attributes(made_by)) if complete else None
        return self._folded[name]

    def weight(self, node: Any, place: int, what: str) -> Array | None:
        """Return an optional constant input of an operator.

        Raises
        ------
        NetworkError
            If there is one that is not constant, or no array of numbers.
        """
        name = node.input[place] if place < len(node.input) else ""
        if not name:
            return None
        array = self.constant(name)
        if array is None or array.dtype.kind not in "fV":
            raise NetworkError(
                f"{self.path.name}: {what} of {title(node)} is not stored in the graph but computed.",
                "Export it with constant folding.",
            )
        return array if array.dtype.kind == "f" else array.astype(np.float32)

    def source(self, name: str) -> Any:
        """Return the operator that computes a tensor, past those that only change its shape; None for an input."""
        node = self._made_by.get(name)
        return self.source(node.input[0]) if node is not None and node.op_type in _SHAPE_ONLY else node

    def starts(self, node: Any) -> tuple[bool, bool]:
        """Return whether the states before the first step come from another recurrent operator, and from constants.

        From constants other than zero, that is; what is only the size of something does not count.
        """
        from onnx import numpy_helper

        follows, is_something, seen = False, False, set[str]()
        left = [name for place in _INITIAL for name in node.input[place : place + 1] if name]
        while left:
            name = left.pop()
            if name in seen:
                continue
            seen.add(name)
            array, made_by = self.constant(name), self._made_by.get(name)
            if array is not None:
                is_something = is_something or (array.dtype.kind in "fV" and bool(array.astype(np.float64).any()))
            elif made_by is None or made_by.op_type in _SIZES:
                continue
            elif made_by.op_type in _KINDS:
                follows = True
            elif made_by.op_type in {"ConstantOfShape", "ConstantFill"}:
                value = attributes(made_by).get("value", 0.0)
                number = np.asarray(value if isinstance(value, float) else numpy_helper.to_array(value))
                is_something = is_something or bool(number.any())
            else:
                left += made_by.input[:1] if made_by.op_type in _BY_FIRST else made_by.input
        return follows, is_something

    def users(self, name: str) -> Iterator[Any]:
        """Yield the operators that use a tensor, past those that only change its shape."""
        for node in self._used_by.get(name, []):
            if node.op_type in _SHAPE_ONLY:
                yield from self.users(node.output[0])
            else:
                yield node


def attributes(node: Any) -> dict[str, Any]:
    """Return an operator's attributes by name, texts decoded."""
    from onnx import helper

    found = {}
    for attribute in node.attribute:
        value = helper.get_attribute_value(attribute)
        if isinstance(value, bytes):
            value = value.decode(errors="replace")
        elif isinstance(value, list):
            value = [one.decode(errors="replace") if isinstance(one, bytes) else one for one in value]
        found[attribute.name] = value
    return found


def title(node: Any) -> str:
    """Return what to call an operator in a message."""
    return f"{node.name or node.output[0]} ({node.op_type})"


def module_path(node: Any) -> str:
    """Return the attribute path that an exporter made the operator's name from, ``"/encoder/rnn/LSTM"``."""
    parts = [part for part in re.split(r"[/.]", node.name) if part]
    if parts and re.fullmatch(rf"{node.op_type}(_\d+)?", parts[-1]):
        parts = parts[:-1]
    plain = [re.sub(r"\W", "_", part) for part in parts]
    return ".".join(plain) or _KINDS[node.op_type]


def _layer(graph: _Graph, node: Any) -> ForeignLayer:
    about = attributes(node)
    w, r = graph.weight(node, 1, "W"), graph.weight(node, 2, "R")
    b = graph.weight(node, 3, "B")
    order = _ORDERS[node.op_type]
    name = graph.path.name
    if w is None or r is None or w.ndim != 3 or r.ndim != 3:
        raise NetworkError(f"{name}: {title(node)} lacks W or R.", "Save it again.")
    rows, units = r.shape[1:]
    shapes = [w.shape[:2] == r.shape[:2], rows == len(order) * units, about.get("hidden_size", units) == units]
    if not all(shapes) or (b is not None and b.shape != (len(w), 2 * rows)):
        raise NetworkError(
            f"{name}: W of {title(node)} is {w.shape}, R {r.shape}, B {None if b is None else b.shape}, "
            "which do not fit each other.",
            "Save it again.",
        )
    directions = []
    for index in range(len(w)):
        biases = (None, None) if b is None else np.split(b[index], 2)
        first, second = (None if one is None else reordered(one, order) for one in biases)
        directions.append(Direction(reordered(w[index], order), reordered(r[index], order), first, second))
    options = _options(graph, node, about, len(w))
    below = graph.source(node.input[0])
    # What starts with the states of another is no layer of one stack with it.
    apart, is_something = graph.starts(node)
    if is_something:
        raise _unlike_pytorch(graph, node, "it does not start at zero, but with states that are stored in the graph")
    follows = module_id(below) if below is not None and below.op_type in _KINDS and not apart else ""
    return ForeignLayer(module_id(node), _KINDS[node.op_type], tuple(directions), options, follows)


def module_id(node: Any) -> str:
    """Return a path that no other operator of the graph has."""
    path = module_path(node)
    number = re.search(r"_(\d+)$", node.name)
    return f"{path}_{number[1]}" if number and not path.endswith(number[0]) else path


def _options(graph: _Graph, node: Any, about: dict[str, Any], directions: int) -> dict[str, Any]:
    """Return the options of the kind; raise where the operator computes what PyTorch's layers do not."""
    expected = _ACTIVATIONS[node.op_type] * directions
    activations = about.get("activations", expected)
    unlike = ""
    if about.get("direction", "forward") != ("bidirectional" if directions == 2 else "forward"):
        unlike = f"its direction is {about.get('direction', 'forward')!r} with {directions} sets of weights"
    elif node.op_type == "RNN" and [str(name).lower() for name in activations] == ["relu"] * directions:
        expected = activations
    elif node.op_type == "GRU" and not about.get("linear_before_reset", 0):
        unlike = "its reset gate acts before the recurrent product (linear_before_reset = 0)"
    elif about.get("input_forget"):
        unlike = "its input and forget gates are coupled (input_forget = 1)"
    peepholes = graph.weight(node, _PEEPHOLES, "P")
    if peepholes is not None and peepholes.any():
        unlike = "it has peephole connections"
    if not unlike and [str(name).lower() for name in activations] != [name.lower() for name in expected]:
        unlike = f"its activations are {', '.join(map(str, activations))}"
    if not unlike and "clip" in about:
        unlike = f"it clips what it sums at {about['clip']}"
    if unlike:
        raise _unlike_pytorch(graph, node, unlike)
    if node.op_type != "RNN":
        return {}
    return {"nonlinearity": str(activations[0]).lower()}


def _unlike_pytorch(graph: _Graph, node: Any, what: str) -> NetworkError:
    return NetworkError(
        f"{graph.path.name}: {title(node)} cannot be opened: {what}, which PyTorch's layers do not.", _CURE
    )


def _add_read_out(graph: _Graph, tensors: dict[str, Any]) -> str:
    """Add the matrix product that alone follows the last operator, and return what its outputs are."""
    last = [node for node in graph.nodes if node.op_type in _KINDS][-1]
    after = [user for output in last.output for user in graph.users(output)]
    products = [node for node in after if node.op_type in {"MatMul", "Gemm"}]
    if len(after) != 1 or len(products) != 1:
        return ""
    (node,) = products
    matrix = graph.constant(node.input[1])
    about = attributes(node)
    if (
        matrix is None
        or matrix.ndim != 2
        or about.get("transA")
        or {about.get("alpha", 1.0), about.get("beta", 1.0)} != {1.0}
    ):
        return ""
    weight = matrix if about.get("transB") else matrix.T
    bias = graph.constant(node.input[2]) if len(node.input) > 2 else None
    following = list(graph.users(node.output[0]))
    if node.op_type == "MatMul" and len(following) == 1 and following[0].op_type == "Add":
        terms = [graph.constant(name) for name in following[0].input]
        bias = next((term for term in terms if term is not None), None)
        following = list(graph.users(following[0].output[0]))
    if bias is not None and bias.shape != weight.shape[:1]:
        return ""
    kinds = {user.op_type for user in following}
    if kinds - {"Softmax", "LogSoftmax"}:
        return ""
    tensors["readout.weight"] = as_tensor(weight)
    if bias is not None:
        tensors["readout.bias"] = as_tensor(bias)
    return "classes" if kinds else "values"
