"""Keras: ``.keras`` archives, ``.weights.h5``, and the older ``.h5`` of whole models or weights (with h5py).

Keras multiplies from the left, so every matrix is transposed. The gates of its LSTM are in PyTorch's order, i, f, c, o;
those of its GRU are z, r, h. Configurations are read as data: nothing in them is looked up or run.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from lstm_studio.errors import NetworkError
from lstm_studio.networks.checkpoint_file import CheckpointFile
from lstm_studio.networks.checkpoint_formats.layers import Direction, ForeignLayer, as_modules, as_tensor, reordered

Array = NDArray[Any]

_KINDS = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn"}
_BY_ROWS = {4: "LSTM", 3: "GRU", 1: "SimpleRNN"}
_WEIGHTS, _CONFIGURATION = "model.weights.h5", "config.json"
_NO_CHANGE = {"InputLayer", "Masking", "Dropout", "SpatialDropout1D", "GaussianNoise", "ActivityRegularization"}
_PLAIN_AFTER = _NO_CHANGE | {"Dense", "TimeDistributed"}
_MOST_INFLATED = 1000
"""Data sets that are together this many times as large as their file were made to fill the memory."""


def read_keras(path: Path) -> CheckpointFile:
    """Read the recurrent layers and dense layers of a Keras file.

    Raises
    ------
    NetworkError
        If h5py is not installed, the file is damaged, or a layer computes what PyTorch's do not.
    """
    try:
        import h5py  # type: ignore[import-untyped]  # it brings no types
    except ModuleNotFoundError as error:
        raise NetworkError(
            f"{path.name} is a Keras file, which takes h5py to read.",
            'Install it with: pip install "lstm-studio[keras]"',
        ) from error
    try:
        content, config = _unpacked(path)
        with h5py.File(content, "r") as opened:
            leaves, names = _leaves(path, opened, h5py.Group)
            config = config or json.loads(opened.attrs.get("model_config", "{}"))
        return _checkpoint(path, leaves, names, config if isinstance(config, dict) else {})
    except NetworkError:
        raise
    except Exception as error:
        line = (str(error).splitlines() or [type(error).__name__])[0][:200].rstrip(". ")
        raise NetworkError(
            f"{path.name} is damaged or not a Keras file ({line}).", "Save or download it again."
        ) from error


def _unpacked(path: Path) -> tuple[Path | io.BytesIO, Any]:
    """Return the HDF5 part, and the configuration where it is kept beside it."""
    if path.suffix.lower() != ".keras":
        return path, None
    with zipfile.ZipFile(path) as archive:
        for part in (_WEIGHTS, _CONFIGURATION):
            size = archive.getinfo(part).file_size
            if size > _MOST_INFLATED * max(path.stat().st_size, 1 << 16):
                raise ValueError(f"{part} would take {size} bytes")
        return io.BytesIO(archive.read(_WEIGHTS)), json.loads(archive.read(_CONFIGURATION))


def _leaves(path: Path, opened: Any, group_type: Any) -> tuple[dict[str, dict[str, Array]], dict[str, str]]:
    """Return the data sets by their group and own name, and the names of layers by group; links are not followed."""
    leaves: dict[str, dict[str, Array]] = {}
    names: dict[str, str] = {}
    left = _MOST_INFLATED * max(path.stat().st_size, 1 << 16)

    def visit(name: str, found: Any) -> None:
        nonlocal left
        group, _, own = name.rpartition("/")
        if isinstance(found, group_type):
            if own == "vars" and "name" in found.attrs:
                names[group] = str(found.attrs["name"])
        elif found.dtype.kind == "f" and found.ndim:
            left -= found.nbytes
            if found.external or left < 0:
                raise ValueError(f"{name} is not kept in the file")
            leaves.setdefault(group, {})[own.partition(":")[0]] = found[()]

    opened.visititems(visit)
    return leaves, names


def _checkpoint(
    path: Path, leaves: dict[str, dict[str, Array]], names: dict[str, str], config: dict[str, Any]
) -> CheckpointFile:
    configured = {entry["config"]["name"]: entry for entry in _layer_configs(config)}
    by_layer: dict[str, dict[str, dict[str, Array]]] = {}
    for group, arrays in leaves.items():
        by_layer.setdefault(_layer_name(group, names), {})[group] = arrays
    order = [name for name in configured if name in by_layer] or list(by_layer)
    layers: list[ForeignLayer] = []
    for name in order:
        recurrent = {group: found for group, arrays in by_layer[name].items() if (found := _recurrent(arrays))}
        if recurrent:
            follows = _fed_by(name, config, list(configured.values()))
            layers.append(_layer(path, name, recurrent, configured.get(name), follows))
    tensors, metadata = as_modules(layers)
    if layers:
        for name, (kernel, bias, activation) in _read_outs(by_layer, configured, layers[-1].path).items():
            tensors[f"{_plain(name)}.weight"] = as_tensor(kernel.T)
            if bias is not None:
                tensors[f"{_plain(name)}.bias"] = as_tensor(bias)
            metadata["readout"] = "classes" if activation == "softmax" else "values"
    if not layers:
        groups = ", ".join(list(by_layer)[:6]) or "nothing"
        raise NetworkError(
            f"{path.name} has no recurrent layers (it has {groups}).", "Open a model with an LSTM, GRU or SimpleRNN."
        )
    return CheckpointFile(path, tensors, metadata)


def _layer_configs(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    inside = config.get("config", {})
    for entry in inside.get("layers", []) if isinstance(inside, dict) else []:
        if isinstance(entry, dict) and isinstance(entry.get("config"), dict) and "name" in entry["config"]:
            yield entry


def _layer_name(group: str, names: dict[str, str]) -> str:
    """Return the name of the layer that a group of data sets belongs to."""
    parts = group.split("/")
    if parts[0] in {"layers", "_layer_checkpoint_dependencies"} and len(parts) > 1:
        own = "/".join(parts[:2])
        return names.get(own, parts[1])
    return parts[1] if parts[0] == "model_weights" and len(parts) > 1 else parts[0]


def _recurrent(arrays: dict[str, Array]) -> tuple[Array, Array, Array | None] | None:
    """Return kernel, recurrent kernel and bias of one direction, or None where these are another layer's weights."""
    kernel, recurrent, bias = (
        arrays.get(name, arrays.get(number))
        for name, number in (("kernel", "0"), ("recurrent_kernel", "1"), ("bias", "2"))
    )
    if kernel is None or recurrent is None or kernel.ndim != 2 or recurrent.ndim != 2:
        return None
    return (kernel, recurrent, bias) if kernel.shape[1] == recurrent.shape[1] else None


def _layer(
    path: Path,
    name: str,
    groups: dict[str, tuple[Array, Array, Array | None]],
    entry: dict[str, Any] | None,
    follows: str,
) -> ForeignLayer:
    ordered = sorted(groups.items(), key=lambda item: "backward" in item[0])
    units = ordered[0][1][1].shape[0]
    rows = ordered[0][1][1].shape[1]
    guessed = _BY_ROWS.get(rows // units if units and rows % units == 0 else 0)
    if guessed is None:
        raise NetworkError(
            f"{path.name}: the recurrent kernel of {name} is {(units, rows)}, which no kind has.", "Save it again."
        )
    options = _checked_options(path, name, guessed, entry)
    order = {"GRU": (1, 0, 2)}.get(guessed, tuple(range(rows // units)))
    directions = tuple(_direction(path, name, guessed, order, weights) for _, weights in ordered)
    return ForeignLayer(_plain(name), _KINDS[guessed], directions, options, _plain(follows))


def _direction(
    path: Path, name: str, class_name: str, order: tuple[int, ...], weights: tuple[Array, Array, Array | None]
) -> Direction:
    kernel, recurrent, bias = weights
    if bias is not None and bias.shape[-1] != kernel.shape[1]:
        raise NetworkError(f"{path.name}: the bias of {name} has shape {bias.shape}.", "Save it again.")
    if class_name == "GRU" and bias is not None and bias.ndim == 1:
        raise _unlike_pytorch(path, name, "its reset gate acts before the recurrent product (reset_after=False)")
    pair = [None, None] if bias is None else [bias, None] if bias.ndim == 1 else list(bias)
    first, second = (None if one is None else reordered(one, order) for one in pair)
    return Direction(reordered(kernel.T, order), reordered(recurrent.T, order), first, second)


def _checked_options(path: Path, name: str, class_name: str, entry: dict[str, Any] | None) -> dict[str, Any]:
    """Return the options of the kind; raise where the layer computes what PyTorch's do not."""
    if entry is None:
        return {}
    config, own = entry["config"], entry.get("class_name")
    outside = {}
    if own == "Bidirectional":
        outside, own, config = config, config["layer"].get("class_name"), config["layer"]["config"]
        if outside.get("merge_mode", "concat") != "concat":
            raise _unlike_pytorch(path, name, f"its directions are merged by {outside['merge_mode']!r}")
    go_backwards = config.get("go_backwards")
    if own == "RNN" and isinstance(config.get("cell"), dict):
        own, config = config["cell"].get("class_name"), config["cell"]["config"]
    # Weights of the same shapes may be those of a layer of its author's own.
    if own not in {None, class_name, f"{class_name}Cell"}:
        raise _unlike_pytorch(path, name, f"it is a layer of another kind, {own}")
    if go_backwards:
        raise _unlike_pytorch(path, name, "it reads backwards")
    if class_name == "GRU" and not config.get("reset_after", True):
        raise _unlike_pytorch(path, name, "its reset gate acts before the recurrent product (reset_after=False)")
    activation = config.get("activation", "tanh")
    if class_name == "SimpleRNN" and activation in {"tanh", "relu"}:
        return {"nonlinearity": activation}
    gate = config.get("recurrent_activation", "sigmoid")
    if activation != "tanh" or gate != "sigmoid":
        raise _unlike_pytorch(path, name, f"its activations are {activation!r} and {gate!r}")
    return {}


def _fed_by(name: str, config: dict[str, Any], entries: list[dict[str, Any]]) -> str:
    """Return the layer before, past those that change nothing; only a Sequential model says so by its order."""
    if config.get("class_name") != "Sequential":
        return ""
    acting = [entry["config"]["name"] for entry in entries if entry.get("class_name") not in _NO_CHANGE]
    index = acting.index(name) if name in acting else 0
    return str(acting[index - 1]) if index else ""


def _read_outs(
    by_layer: dict[str, dict[str, dict[str, Array]]], configured: dict[str, dict[str, Any]], last: str
) -> dict[str, tuple[Array, Array | None, str]]:
    """Return name → kernel, bias and activation of the dense layers, or nothing where others stand among them."""
    found: dict[str, tuple[Array, Array | None, str]] = {}
    after = [_plain(name) for name in configured]
    later = list(configured.values())[after.index(last) + 1 :] if last in after else []
    if any(entry.get("class_name") not in _PLAIN_AFTER for entry in later):
        return {}
    for name, groups in by_layer.items():
        for arrays in groups.values():
            kernel, bias = arrays.get("kernel", arrays.get("0")), arrays.get("bias", arrays.get("1"))
            if _recurrent(arrays) or kernel is None or kernel.ndim != 2 or (bias is not None and bias.ndim != 1):
                continue
            entry = configured.get(name, {"config": {}})
            inside = entry["config"].get("layer", entry)["config"]
            activation = inside.get("activation", "linear")
            if activation not in {"linear", "softmax"}:
                return {}
            found[name] = (kernel, bias, activation)
    return found


def _unlike_pytorch(path: Path, name: str, what: str) -> NetworkError:
    return NetworkError(
        f"{path.name}: {name} cannot be opened: {what}, which PyTorch's layers do not.",
        "Train a model with Keras's default settings for this layer.",
    )


def _plain(name: str) -> str:
    return name.replace("/", "_").replace(".", "_")
