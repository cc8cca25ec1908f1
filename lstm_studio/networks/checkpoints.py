"""Networks on disk: state dicts of PyTorch, Lightning's checkpoints, ONNX graphs and Keras files.

Recurrent layers are recognised by the names and shapes of their tensors, under any prefix.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lstm_studio.arguments import path_of, text
from lstm_studio.errors import NetworkError
from lstm_studio.networks.cell import Cell
from lstm_studio.networks.cells import cell_of_kind, cells
from lstm_studio.networks.checkpoint_file import METADATA_KEY, CheckpointFile, is_plain, read_checkpoint
from lstm_studio.networks.network import READOUT_KINDS, Network, ReadoutNetwork
from lstm_studio.networks.sizes import Sizes
from lstm_studio.networks.told import Told

_RECURRENT = re.compile(
    r"(?:(?P<path>.+)\.)?"
    r"(?P<name>(?P<stem>weight_ih|weight_hh|bias_ih|bias_hh|weight_hr|weight_use|bias_use)"
    r"(?:_l(?P<layer>\d{1,4})(?P<reverse>_reverse)?)?)"
)


def open_network(
    path: str | Path,
    *,
    recurrent: str | None = None,
    readout: str | None = None,
    kind: str | None = None,
    **options: Any,
) -> Network:
    """Read a network from a checkpoint of weights.

    Parameters
    ----------
    path
        An ONNX graph (``.onnx``), a Keras file (``.keras``, ``.h5``), or a ``.pt``, ``.pth``, ``.ckpt`` (Lightning) or
        ``.safetensors`` file with the state dict of a model that has an ``nn.LSTM``, ``nn.GRU`` or ``nn.RNN``, or a
        cell of these, somewhere; perhaps under ``"state_dict"`` or any other name, beside what else was saved. One part
        of a checkpoint of several files (``model-00001-of-00002.safetensors``) stands for all.
    recurrent
        Which recurrent module to take, ``"encoder.rnn"``, where the file holds several.
    readout
        What the outputs of the linear read-out mean, ``"classes"`` or ``"values"``; None takes what the file says, and
        ``"values"`` where it does not.
    kind
        The registered kind, where neither the file nor the tensors' names and shapes tell it.
    options
        What the tensors do not tell: ``nonlinearity="relu"`` for a vanilla RNN.

    Returns
    -------
    Network
        In evaluation mode, on the CPU; float64 weights stay float64, all others become float32.

    Raises
    ------
    NetworkError
        If the file cannot be read, is damaged, holds more than weights, or holds no recurrent layers of a known kind.
    """
    for name, asked in (("recurrent", recurrent), ("readout", readout), ("kind", kind)):
        if asked is not None:
            text(name, asked, NetworkError, "Give a text, or None for what the file says.")
    file = read_checkpoint(path_of("path", path, NetworkError))
    groups = _recurrent_groups(file)
    where = _chosen(file, groups, recurrent)
    cell, module = _recurrent_module(file, where, groups[where], options, kind)
    sizes = cell.sizes(module)
    linear_path = _find_readout(file, groups, sizes.input_size, cell.output_size(module) * sizes.directions)
    source = str(path)
    if not where and linear_path is None:
        return Network(module.eval(), source)
    linear = None if linear_path is None else _linear(file, linear_path)
    wrapped = ReadoutNetwork(module, where or cell.kind, linear, linear_path or "")
    kind = "" if linear is None else _readout_kind(file, readout)
    return Network(wrapped.eval(), source, kind, where or cell.kind, linear_path or "")


def open_for(path: str | Path, classes: int) -> Network:
    """Read a network from a checkpoint, for sequences that belong to so many classes.

    A read-out with as many outputs scores them, unless the file says what else it means: a state dict never does.

    Parameters
    ----------
    path
        As for :func:`open_network`.
    classes
        0 where the sequences belong to none.

    Raises
    ------
    NetworkError
        As :func:`open_network`.
    """
    network = open_network(path)
    outputs = 0 if network.readout is None else network.readout.out_features
    if classes < 2 or network.readout_kind != "values" or outputs != classes:
        return network
    said = read_checkpoint(Path(path)).metadata.get("readout")
    return network if said else replace(network, readout_kind="classes")


def save_network(network: Network, path: str | Path) -> None:
    """Write a network's weights, with what its tensors do not tell in the metadata.

    Parameters
    ----------
    network
        What to write.
    path
        A ``.safetensors`` file, which is replaced.

    Raises
    ------
    NetworkError
        If the suffix is another, or the file cannot be written.
    """
    path = path_of("path", path, NetworkError)
    if path.suffix.lower() != ".safetensors":
        raise NetworkError(f"{path.name} does not end in .safetensors.", "Choose a name that does.")
    try:
        path.write_bytes(pack_network(network))
    except OSError as error:
        raise NetworkError(
            f"{path} could not be written ({error.strerror or error}).", "Choose another folder."
        ) from error


def pack_network(network: Network) -> bytes:
    """Return what :func:`save_network` writes, as a block of bytes."""
    from safetensors.torch import save

    about = {
        "kind": network.kind,
        "options": network.cell.module_options(network.recurrent),
        "readout": network.readout_kind,
    }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.module.state_dict().items()}
    return save(tensors, {METADATA_KEY: json.dumps(about)})


def _recurrent_groups(file: CheckpointFile) -> dict[str, dict[str, Tensor]]:
    """Return the tensors of each recurrent module by their own names, by attribute path."""
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in file.tensors.items():
        match = _RECURRENT.fullmatch(name)
        if match is not None:
            if not is_plain(tensor) or tensor.dim() not in {1, 2, 3} or tensor.numel() == 0:
                raise NetworkError(
                    f"{file.path.name}: {name} is {_kind_of(tensor)}, not a matrix or vector of floating point.",
                    "Save the weights of the model as it was trained, before quantising or packing them.",
                )
            # The weights of nn.LSTMCell and its kin are those of a stack of one layer.
            own = match["name"] if match["layer"] else f"{match['name']}_l0"
            groups.setdefault(match["path"] or "", {})[own] = tensor
    if not groups:
        names = ", ".join(list(file.tensors)[:6])
        raise NetworkError(
            f"{file.path.name} has no recurrent layers: none of its tensors is called weight_ih_l0 or weight_ih "
            f"(it has {names}).",
            "Open a checkpoint of a model with an nn.LSTM, nn.GRU or nn.RNN in it.",
        )
    return groups


def _kind_of(tensor: Tensor) -> str:
    """Return in words what a tensor is."""
    kind = str(tensor.dtype).removeprefix("torch.")
    if tensor.is_nested:
        return f"a nested tensor of {kind}"
    how = "without numbers, " if tensor.is_meta else "" if tensor.layout == torch.strided else "sparse, "
    return f"{how}{kind} of shape {tuple(tensor.shape)}"


def _size(tensors: Mapping[str, Tensor]) -> str:
    """Return the sizes of a recurrent module in words, as far as its first matrix tells them."""
    first = tensors.get("weight_ih_l0")
    return "" if first is None or first.dim() < 2 else f" ({first.shape[1]} inputs, {first.shape[0]} rows of weights)"


def _chosen(file: CheckpointFile, groups: Mapping[str, Mapping[str, Tensor]], recurrent: str | None) -> str:
    listed = ", ".join(f"{path or '(bare)'}{_size(tensors)}" for path, tensors in groups.items())
    if recurrent is not None:
        if recurrent not in groups:
            raise NetworkError(f"{file.path.name} has no recurrent layers {recurrent!r}.", f"It has {listed}.")
        return recurrent
    if len(groups) > 1:
        raise NetworkError(
            f"{file.path.name} has {len(groups)} recurrent modules, {listed}; a file of weights does not say how they "
            "are connected.",
            f"Open one of them, with recurrent={next(iter(groups))!r}, or trace the model itself with ls.trace.",
        )
    return next(iter(groups))


def _recurrent_module(
    file: CheckpointFile, path: str, tensors: dict[str, Tensor], options: Mapping[str, Any], kind: str | None
) -> tuple[Cell, nn.Module]:
    """Build the module whose tensors these are, and fill it."""

    def called(name: str) -> str:
        return f"{path}.{name}" if path else name

    if "weight_ih_l0" not in tensors:
        raise _lack(file, called("weight_ih_l0"))
    for name, tensor in tensors.items():
        axes = {2, 3} if name.startswith("weight_ih") else {2} if name.startswith("weight") else {1}
        if tensor.dim() not in axes:
            raise NetworkError(
                f"{file.path.name}: {called(name)} has {tensor.dim()} axes.", "Save the weights of the model again."
            )
    stored = file.options_of(path)
    cell, told = _told(file, called, tensors, stored | dict(options), kind)
    layers = 1 + max(int(match["layer"]) for name in tensors if (match := _RECURRENT.fullmatch(name)))
    sizes = Sizes(
        tensors["weight_ih_l0"].shape[1],
        told.hidden_size,
        # A hostile file may name layer 9999 to have as many built: there cannot be more layers than tensors.
        min(layers, len(tensors)),
        any(name.endswith("_reverse") for name in tensors),
        any(name.startswith("bias") for name in tensors),
    )
    known = {option.name for option in cell.options}
    stored = {name: value for name, value in stored.items() if name in known} | dict(told.options)
    with torch.device("meta"):
        module = cell.build(sizes, stored | dict(options))
    _check_fit(
        file,
        {called(name): tensor for name, tensor in tensors.items()},
        {called(name): tensor for name, tensor in module.state_dict().items()},
        cell.title,
    )
    _fill(module, tensors)
    return cell, module


def _lack(file: CheckpointFile, name: str) -> NetworkError:
    """Explain that a matrix is missing, perhaps because it is stored as what it is computed from."""
    path, _, own = name.rpartition(".")
    inside = f"{path}.parametrizations.{own}." if path else f"parametrizations.{own}."
    if any(other.startswith((f"{name}_", inside)) and other != f"{name}_reverse" for other in file.tensors):
        return NetworkError(
            f"{file.path.name} has what {name} is computed from (a norm or another parametrization), not the matrix.",
            "Call torch.nn.utils.parametrize.remove_parametrizations, or remove_weight_norm, before you save it.",
        )
    return NetworkError(f"{file.path.name} lacks {name}.", "Save all weights of the model.")


def _check_fit(file: CheckpointFile, found: Mapping[str, Tensor], expected: Mapping[str, Tensor], title: str) -> None:
    """Raise unless the same tensors, of the same shapes, are found as expected."""
    cure = "Save all weights of one model into one file."
    for name, tensor in expected.items():
        if name not in found:
            raise NetworkError(f"{file.path.name} lacks {name}.", cure)
        if found[name].shape != tensor.shape:
            raise NetworkError(
                f"{file.path.name}: {name} has shape {tuple(found[name].shape)}, which does not fit the others; "
                f"{tuple(tensor.shape)} would.",
                cure,
            )
    for name in found:
        if name not in expected:
            raise NetworkError(f"{file.path.name}: {name} has no place in this network ({title}).", cure)


def _told(
    file: CheckpointFile,
    called: Callable[[str], str],
    tensors: Mapping[str, Tensor],
    options: Mapping[str, Any],
    kind: str | None,
) -> tuple[Cell, Told]:
    """Return the kind that is asked for, that the file names, or that alone has such weights; and what they tell."""
    matches = [match for name in tensors if (match := _RECURRENT.fullmatch(name))]
    first = [match for match in matches if match["layer"] == "0" and not match["reverse"]]
    shapes = {match["stem"]: tuple(tensors[match["name"]].shape) for match in first}
    stored = kind or file.metadata.get("kind")
    if isinstance(stored, str) and stored:
        cell = cell_of_kind(stored)
        told = cell.told_by(shapes, options)
        if told is not None:
            return cell, told
        wanted = f"which are not those of {cell.title}"
    else:
        found = {cell.kind: told for cell in cells().values() if (told := cell.told_by(shapes, options))}
        certain = {name: told for name, told in found.items() if told.certain}
        if len(certain) == 1:
            ((name, told),) = certain.items()
            return cell_of_kind(name), told
        wanted = "which no kind has"
        if found:
            raise NetworkError(
                f"{file.path.name}: the weights may be of {' or '.join(cell_of_kind(name).title for name in found)}.",
                f"Open it with kind={next(iter(found))!r}.",
            )
    if "weight_hh" not in shapes:
        raise _lack(file, called("weight_hh_l0"))
    rows, out = shapes["weight_hh"]
    hidden = shapes["weight_hr"][1] if "weight_hr" in shapes else out
    kinds = ", ".join(f"{cell.title}: {cell.gates}" for cell in cells().values() if cell.gates)
    raise NetworkError(
        f"{file.path.name}: {called('weight_hh_l0')} has {rows} rows for {hidden} units, {wanted} "
        f"(rows per unit: {kinds}).",
        "Save the weights again.",
    )


def _find_readout(
    file: CheckpointFile, groups: Mapping[str, Mapping[str, Tensor]], entering: int, width: int
) -> str | None:
    """Return the path of the one linear layer that can follow the recurrent one and is followed by no other.

    A table of embeddings that can feed the recurrent layer has the shape of such a layer where both are of one size.
    """
    if len(groups) > 1:
        return None
    matrices = {
        name.removesuffix(".weight"): tensor.shape
        for name, tensor in file.tensors.items()
        if name.endswith(".weight") and is_plain(tensor) and tensor.dim() == 2 and tensor.shape[0] > 0
    }
    fitting = [path for path, shape in matrices.items() if shape[1] == width]
    if entering == width:
        tables = [path for path in fitting if f"{path}.bias" not in file.tensors]
        named = [path for path in tables if "emb" in path.lower()]
        without = named or (tables if len(tables) < len(fitting) else [])
        fitting = [path for path in fitting if path not in without]
    if len(fitting) != 1:
        return None
    (path,) = fitting
    followed = any(shape[1] == matrices[path][0] for other, shape in matrices.items() if other != path)
    return None if followed else path


def _linear(file: CheckpointFile, path: str) -> nn.Linear:
    weight, bias = file.tensors[f"{path}.weight"], file.tensors.get(f"{path}.bias")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise NetworkError(
            f"{file.path.name}: {path}.bias has shape {tuple(bias.shape)}, which does not fit {path}.weight, "
            f"{tuple(weight.shape)}.",
            "Save the weights of one model into one file.",
        )
    with torch.device("meta"):
        linear = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    _fill(linear, {"weight": weight} | ({} if bias is None else {"bias": bias}))
    return linear


def _fill(module: nn.Module, tensors: dict[str, Tensor]) -> None:
    wide = any(tensor.dtype == torch.float64 for tensor in tensors.values())
    copies = {name: tensor.to(torch.float64 if wide else torch.float32).clone() for name, tensor in tensors.items()}
    module.load_state_dict(copies, assign=True)


def _readout_kind(file: CheckpointFile, wanted: str | None) -> str:
    kind = wanted or file.metadata.get("readout") or "values"
    if kind not in READOUT_KINDS:
        raise NetworkError(f"{file.path.name}: the read-out is {kind!r}.", "Choose 'classes' or 'values'.")
    return str(kind)
