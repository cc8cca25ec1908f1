"""Reads the tensors of a checkpoint file without ever running anything in it.

PyTorch's archives are read with ``weights_only``, whatever they claim to be.
"""

from __future__ import annotations

import json
import pickle
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lstm_studio.errors import NetworkError, is_there
from lstm_studio.networks.spec import CHECKPOINT_SUFFIXES, KERAS_SUFFIXES

METADATA_KEY = "lstm_studio"
"""Where ``.safetensors`` metadata holds, as JSON, what the tensors do not tell."""


_NESTED_UNDER = ("state_dict", "model_state_dict")
_ENTERING = "weight_ih"
"""What the weights of every recurrent layer have in one of their names."""
_DEEPEST = 6
"""Dictionaries in dictionaries that are looked into for weights."""
_PART = re.compile(r"(?P<stem>.+)-\d{5}-of-(?P<parts>\d{5})(?P<suffix>\.\w+)")
"""How the parts of a checkpoint that is too large for one file are called."""
_MOST_INFLATED = 100
"""What takes this many times as much memory as its file was made to fill the memory: PyTorch compresses nothing."""
_SAVE_WEIGHTS = 'Save only its weights, with torch.save(model.state_dict(), "weights.pt"), and open that.'


@dataclass(frozen=True, slots=True)
class CheckpointFile:
    """What was read.

    Parameters
    ----------
    path
        The file.
    tensors
        All tensors by name; those of floating point are finite, and float64 or float32.
    metadata
        What ``save_network`` wrote beside them: ``kind``, ``options`` and ``readout``; or, of a file that holds a whole
        graph, the options by path of the recurrent module as ``modules``.
    """

    path: Path
    tensors: dict[str, Tensor]
    metadata: dict[str, Any] = field(default_factory=dict)

    def options_of(self, path: str) -> dict[str, Any]:
        """Return what is stored about the options of the recurrent module at ``path``."""
        every = self.metadata.get("modules", {})
        stored = every.get(path) if isinstance(every, dict) and path in every else self.metadata.get("options", {})
        return dict(stored) if isinstance(stored, dict) else {}


def read_checkpoint(path: Path) -> CheckpointFile:
    """Read a file that ends in one of :data:`~.spec.CHECKPOINT_SUFFIXES`.

    Raises
    ------
    NetworkError
        If it is missing, empty, damaged, of another kind, or holds more than weights.
    """
    suffix = path.suffix.lower()
    there = is_there(path, NetworkError)
    if path.is_dir():
        raise NetworkError(f"{path} is a folder.", f"Open a file in it that ends in {', '.join(CHECKPOINT_SUFFIXES)}.")
    if not there:
        raise NetworkError(f"{path} does not exist.", "Check the name.")
    if not path.is_file():
        raise NetworkError(f"{path} is neither a file nor a folder.", "Open a checkpoint.")
    if suffix not in CHECKPOINT_SUFFIXES:
        raise NetworkError(
            f"{path.name} is not a checkpoint that can be opened: it ends in {suffix or 'no suffix'}.",
            f"Open a file that ends in {', '.join(CHECKPOINT_SUFFIXES)}.",
        )
    if _is_empty(path):
        raise NetworkError(f"{path.name} is empty.", "Save the weights again.")
    file = _whole(path, _reader(suffix))
    return CheckpointFile(
        path, {name: _plain(path, name, tensor) for name, tensor in file.tensors.items()}, file.metadata
    )


def _is_empty(path: Path) -> bool:
    """Return whether a file is empty, or refuse it; its reader may call what it cannot open damaged, or missing."""
    try:
        with path.open("rb") as file:
            return not file.read(1)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> NetworkError:
    return NetworkError(f"{path} cannot be opened ({error.strerror or error}).", "Check that you may read it.")


def _whole(path: Path, read: Callable[[Path], CheckpointFile]) -> CheckpointFile:
    """Read a file, and where its name says that it is a part of a whole, the others too."""
    match = _PART.fullmatch(path.name)
    if match is None or int(match["parts"]) < 2:
        return read(path)
    count = int(match["parts"])
    # A name may tell of more parts than any folder has files.
    try:
        there = {entry.name for entry in path.parent.iterdir()}
    except OSError as error:
        raise _unreadable(path.parent, error) from error
    found: dict[str, Tensor] = {}
    for number in range(1, count + 1):
        name = f"{match['stem']}-{number:05}-of-{match['parts']}{match['suffix']}"
        if name not in there:
            raise NetworkError(
                f"{path.name} is one of {count} parts of a checkpoint, and {name} is not beside it.",
                "Put all parts into one folder; if it is no part, give it another name.",
            )
        part = path.with_name(name)
        if _is_empty(part):
            raise NetworkError(f"{name} is empty.", "Download it again.")
        tensors = read(part).tensors
        if found.keys() & tensors.keys():
            # Each is a whole, of a series.
            return read(path)
        found |= tensors
    return CheckpointFile(path, found)


def _reader(suffix: str) -> Callable[[Path], CheckpointFile]:
    if suffix == ".safetensors":
        return _read_safetensors
    if suffix == ".onnx":
        from lstm_studio.networks.checkpoint_formats.onnx_file import read_onnx

        return read_onnx
    if suffix in KERAS_SUFFIXES:
        from lstm_studio.networks.checkpoint_formats.keras_file import read_keras

        return read_keras
    return _read_torch


def _read_safetensors(path: Path) -> CheckpointFile:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, ValueError) as error:
        raise NetworkError(
            f"{path.name} is damaged or not a safetensors file ({error}).", "Save or download it again."
        ) from error
    try:
        about = json.loads(metadata.get(METADATA_KEY, "{}"))
    except ValueError as error:
        raise NetworkError(
            f"{path.name}: its metadata {METADATA_KEY!r} is damaged ({error}).", "Save it again."
        ) from error
    if not isinstance(about, dict):
        raise NetworkError(f"{path.name}: its metadata {METADATA_KEY!r} is damaged.", "Save it again.")
    return CheckpointFile(path, tensors, about)


def is_plain(tensor: Tensor) -> bool:
    """Return whether a tensor is an array of numbers of floating point: not sparse, nested, quantised or empty."""
    usual = tensor.layout == torch.strided and not tensor.is_nested and not tensor.is_quantized
    return usual and tensor.is_floating_point() and not tensor.is_meta


def _read_torch(path: Path) -> CheckpointFile:
    _check_archive(path)
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _refused(path, str(error)) from error
    except Exception as error:
        if "TorchScript" in str(error):
            raise NetworkError(f"{path.name} holds a TorchScript program, which is code.", _SAVE_WEIGHTS) from error
        # Of a text, PyTorch says only the number of its first letter.
        said = "" if isinstance(error, KeyError) else f" ({_first_line(error)})"
        raise NetworkError(
            f"{path.name} is damaged or not a PyTorch file{said}.", "Save or download it again."
        ) from error
    for key in _NESTED_UNDER:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
    if not isinstance(loaded, Mapping):
        raise NetworkError(f"{path.name} holds a {type(loaded).__name__}, not a state dict.", _SAVE_WEIGHTS)
    tensors = _weights_in(loaded)
    # A tensor may show the same memory as often as it likes.
    _check_size(path, sum(tensor.numel() * tensor.element_size() for tensor in tensors.values() if is_plain(tensor)))
    if not tensors:
        keys = ", ".join(str(key)[:40] for key in list(loaded)[:8]) or "nothing"
        raise NetworkError(f"{path.name} holds no tensors (it holds {keys}).", _SAVE_WEIGHTS)
    return CheckpointFile(path, tensors)


def _weights_in(loaded: Mapping[Any, Any]) -> dict[str, Tensor]:
    """Return the tensors of the one state dict in a checkpoint that has recurrent layers; of several, all by path."""
    every: dict[str, dict[str, Tensor]] = {}
    left: list[tuple[str, Mapping[Any, Any], int]] = [("", loaded, 0)]
    seen = {id(loaded)}
    while left:
        where, now, depth = left.pop(0)
        tensors = _tensors_in(now)
        if tensors:
            every[where] = tensors
        for key, value in now.items():
            # What holds itself would never end.
            if isinstance(value, Mapping) and depth < _DEEPEST and id(value) not in seen:
                seen.add(id(value))
                left.append((f"{where}.{key}" if where else str(key), value, depth + 1))
    chosen = {where: tensors for where, tensors in every.items() if any(_ENTERING in name for name in tensors)} or every
    if "" in chosen or len(chosen) == 1:
        return chosen.get("", next(iter(chosen.values())))
    return {f"{where}.{name}": tensor for where, tensors in chosen.items() for name, tensor in tensors.items()}


def _tensors_in(loaded: Mapping[Any, Any]) -> dict[str, Tensor]:
    return {name: value for name, value in loaded.items() if isinstance(name, str) and isinstance(value, Tensor)}


def _check_archive(path: Path) -> None:
    """Refuse an archive that was packed to unfold; what is none is left to PyTorch, which knows older formats."""
    try:
        if not zipfile.is_zipfile(path):
            return
        with zipfile.ZipFile(path) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise NetworkError(f"{path.name} is damaged ({_first_line(error)}).", "Save or download it again.") from error
    _check_size(path, size)


def _check_size(path: Path, size: int) -> None:
    if size > _MOST_INFLATED * max(path.stat().st_size, 1 << 16):
        raise NetworkError(
            f"{path.name} has {path.stat().st_size} bytes, and its tensors would take {size}.",
            "It is damaged, or made to fill the memory. Save or download it again.",
        )


def _refused(path: Path, message: str) -> NetworkError:
    """Explain why the weights-only reader stopped: at a class, which is code, or at damaged bytes."""
    named = re.search(r"(?:Unsupported global: GLOBAL|Unsupported class|GLOBAL) (\S+)", message)
    if named is None:
        return NetworkError(f"{path.name} is damaged or not a PyTorch file.", "Save or download it again.")
    return NetworkError(
        f"{path.name} holds more than weights: it refers to {named[1]}, and to open it would run its code.",
        f"Nothing was run. {_SAVE_WEIGHTS}",
    )


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    first = lines[0].split(". ")[0] if lines else ""
    return (first or type(error).__name__)[:200].rstrip(". ")


def _plain(path: Path, name: str, tensor: Tensor) -> Tensor:
    """Return a tensor of floating point as float64 (where it is that already) or float32; any other as it is."""
    if not is_plain(tensor):
        return tensor
    plain = tensor.detach().to(torch.float64 if tensor.dtype == torch.float64 else torch.float32)
    bad = int((~torch.isfinite(plain)).sum())
    if bad:
        raise NetworkError(
            f"{path.name}: {name} has {bad} of {plain.numel()} weights that are NaN or infinite.",
            "The training diverged; take an earlier checkpoint.",
        )
    return plain
