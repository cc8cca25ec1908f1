"""Traces on disk: ``.npz`` and ``.safetensors`` hold everything, ``.csv`` the numbers for other programs.

The arrays keep their canonical names. Layers, with what the cells declared about their signals, and the provenance go
into one JSON text: the metadata ``lstm_studio`` of a ``.safetensors`` file, an array of bytes of that name in ``.npz``.
Importing this module does not import torch: the window paints a stored trace before torch has loaded.
"""

from __future__ import annotations

import csv
import json
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.arguments import path_of
from lstm_studio.engine.trace import Provenance, Trace, TraceLayer
from lstm_studio.errors import TraceError, is_there
from lstm_studio.networks.signals import Composition, Form, Operand, Phase, Role, Signal
from lstm_studio.sequences.tensors import pack, pieces, unpack

FORMAT = 1
"""Version of the layout; a file of a later one is refused."""

_ABOUT = "lstm_studio"
_SAVE_AGAIN = "Save the trace again."


def save_trace(trace: Trace, path: str | Path) -> None:
    """Write a trace.

    Parameters
    ----------
    trace
        What to write.
    path
        ``.npz`` or ``.safetensors``: everything. ``.csv``: one row per step and one column per unit, called as in
        ``lstm.0.forget_gate[3]``. An existing file is replaced, by all of the trace or not at all.

    Raises
    ------
    TraceError
        If the suffix is another, or the file cannot be written.
    """
    path = path_of("path", path, TraceError)
    writers = {".npz": _write_npz, ".safetensors": _write_safetensors, ".csv": _write_csv}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise TraceError(f"{path.name} does not end in {', '.join(writers)}.", "Choose a name that does.")
    try:
        there = path.resolve()
        with tempfile.TemporaryDirectory(dir=there.parent, prefix=".trace-") as folder:
            unfinished = Path(folder) / path.name
            writer(trace, unfinished)
            unfinished.replace(there)
    except OSError as error:
        raise TraceError(
            f"{path} could not be written ({error.strerror or error}).", "Choose another folder, on a disk with room."
        ) from error


def load_trace(path: str | Path) -> Trace:
    """Read a trace that :func:`save_trace` wrote to ``.npz`` or ``.safetensors``.

    Raises
    ------
    TraceError
        If the file is missing, damaged or no trace; the message names the array where it can.
    """
    path = path_of("path", path, TraceError)
    readers = {".npz": _read_npz, ".safetensors": _read_safetensors}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise TraceError(f"{path.name} does not end in {', '.join(readers)}.", "Open a trace saved in one of these.")
    if not (is_there(path, TraceError) and path.is_file()):
        raise TraceError(f"{path} does not exist.", "Check the name.")
    try:
        # Before its reader, which calls what it cannot open damaged.
        path.open("rb").close()
    except OSError as error:
        raise TraceError(
            f"{path} cannot be read ({error.strerror or error}).", "Check that you may read it."
        ) from error
    return _trace(path, *reader(path))


def pack_trace(trace: Trace, texts: Mapping[str, str] | None = None) -> bytes:
    """Return what :func:`save_trace` writes to a ``.safetensors`` file, as a block of bytes.

    Parameters
    ----------
    trace
        What to write.
    texts
        What else the block is to say, by key.
    """
    return pack(trace.arrays, {**(texts or {}), _ABOUT: _about(trace)})


def pieces_of_trace(trace: Trace, texts: Mapping[str, str]) -> list[bytes | memoryview]:
    """Return what :func:`pack_trace` puts together, in order, without copying the numbers."""
    return pieces(trace.arrays, {**texts, _ABOUT: _about(trace)})


def unpack_trace(block: bytes, name: str) -> Trace:
    """Return the trace that :func:`pack_trace` made a block of.

    Parameters
    ----------
    block
        The bytes.
    name
        What errors call them.

    Raises
    ------
    TraceError
        If the block is damaged or no trace.
    """
    try:
        arrays, texts = unpack(block)
    except ValueError as error:
        raise TraceError(f"{name} is damaged ({error}).", _SAVE_AGAIN) from error
    if _ABOUT not in texts:
        raise TraceError(f"{name} has arrays, but says nothing about them: it is not a trace.", _SAVE_AGAIN)
    return _trace(Path(name), texts[_ABOUT], arrays)


def _trace(path: Path, about: str, arrays: dict[str, NDArray[Any]]) -> Trace:
    layers, provenance = _described(path, about)
    _check(path, arrays, layers)
    return Trace(arrays, layers, provenance)


def _about(trace: Trace) -> str:
    layers = ", ".join(_layer_words(layer) for layer in trace.layers)
    provenance = {part.name: getattr(trace.provenance, part.name) for part in fields(trace.provenance)}
    return f'{{"format": {FORMAT}, "layers": [{layers}], "provenance": {json.dumps(provenance)}}}'


@lru_cache(maxsize=256)
def _layer_words(layer: TraceLayer) -> str:
    """Return the description of a layer as JSON; a run writes the same one with every record."""
    return json.dumps(asdict(layer))


def _write_npz(trace: Trace, path: Path) -> None:
    about = np.frombuffer(_about(trace).encode(), np.uint8)
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **{_ABOUT: about}, **trace.arrays)


def _write_safetensors(trace: Trace, path: Path) -> None:
    path.write_bytes(pack_trace(trace))


def _write_csv(trace: Trace, path: Path) -> None:
    columns = [column for name, array in trace.arrays.items() for column in _columns(name, array)]
    names = ["step", *(name for name, _ in columns)]
    steps = max(len(values) for _, values in columns)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for step in range(steps):
            writer.writerow([step, *(str(values[step]) if step < len(values) else "" for _, values in columns)])


def _columns(name: str, array: NDArray[Any]) -> Iterator[tuple[str, NDArray[Any]]]:
    if array.ndim == 1:
        yield name, array
        return
    for unit in range(array.shape[1]):
        yield f"{name}[{unit}]", array[:, unit]


def _read_npz(path: Path) -> tuple[str, dict[str, NDArray[Any]]]:
    arrays: dict[str, NDArray[Any]] = {}
    name = ""
    try:
        # Opened here: NumPy leaves a file that it cannot make sense of open.
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise TraceError(f"{path.name} is damaged or not an archive of arrays.", _SAVE_AGAIN)
            for name in archive.files:
                arrays[name] = archive[name]
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        where = f", array {name!r}," if name else ""
        raise TraceError(f"{path.name}{where} is damaged ({error}).", _SAVE_AGAIN) from error
    about = arrays.pop(_ABOUT, None)
    if about is None or about.dtype != np.uint8:
        raise TraceError(f"{path.name} has arrays, but says nothing about them: it is not a trace.", _SAVE_AGAIN)
    return about.tobytes().decode("utf-8", "replace"), arrays


def _read_safetensors(path: Path) -> tuple[str, dict[str, NDArray[Any]]]:
    from safetensors import SafetensorError, safe_open

    arrays: dict[str, NDArray[Any]] = {}
    name = ""
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            for name in file.keys():  # noqa: SIM118 - not a mapping; names the array at which reading stopped
                arrays[name] = file.get_tensor(name)
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        where = f", array {name!r}," if name else ""
        raise TraceError(f"{path.name}{where} is damaged ({error}).", _SAVE_AGAIN) from error
    if _ABOUT not in metadata:
        raise TraceError(f"{path.name} has arrays, but says nothing about them: it is not a trace.", _SAVE_AGAIN)
    return metadata[_ABOUT], arrays


def _described(path: Path, about: str) -> tuple[tuple[TraceLayer, ...], Provenance]:
    try:
        described = json.loads(about)
        if "format" not in described:
            raise TraceError(f"{path.name} is not a trace.", "Open it as what it is, a network perhaps.")
        version = described["format"]
        if version == FORMAT:
            layers = tuple(_layer(layer) for layer in described["layers"])
            return layers, _provenance(described["provenance"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TraceError(f"{path.name}: the description of the trace is damaged ({error!r}).", _SAVE_AGAIN) from error
    raise TraceError(
        f"{path.name} has layout {version!r}, this version of LSTM Studio reads {FORMAT}.", "Update LSTM Studio."
    )


def _layer(described: Mapping[str, Any]) -> TraceLayer:
    signals = []
    for signal in described["signals"]:
        levels = signal["levels"]
        bounds = None if levels is None else (float(levels[0]), float(levels[1]))
        made = signal.get("composition")
        parts = {"levels": bounds, "composition": None if made is None else _composition(made)}
        signals.append(Signal(**signal | {"role": Role(signal["role"])} | parts))
    return TraceLayer(**dict(described) | {"signals": tuple(signals), "units": int(described["units"])})


def _composition(described: Mapping[str, Any]) -> Composition:
    left, right = (
        Operand(str(operand["signal"]), bool(operand["before"]), Form(operand["form"]))
        for operand in (described["left"], described["right"])
    )
    return Composition(Phase(described["phase"]), left, str(described["sign"]), right)


def _provenance(described: Mapping[str, Any]) -> Provenance:
    lists = {
        name: tuple((str(array), int(step)) for array, step in described[name]) for name in ("non_finite", "vanished")
    }
    return Provenance(**dict(described) | lists)


def _check(path: Path, arrays: Mapping[str, NDArray[Any]], layers: tuple[TraceLayer, ...]) -> None:
    """Raise unless every declared signal is there, and every array is numbers per step."""
    wanted = ["input", *(f"{layer.prefix}.{signal.name}" for layer in layers for signal in layer.signals)]
    for name in wanted:
        if name not in arrays:
            raise TraceError(f"{path.name} lacks the array {name!r}.", _SAVE_AGAIN)
    for name, array in arrays.items():
        axes = {1} if name.startswith(("norm.", "jac.")) else {2}
        if array.dtype.kind != "f" or array.ndim not in axes or len(array) == 0:
            raise TraceError(
                f"{path.name}, array {name!r}, is {array.dtype} of shape {array.shape}, not numbers per step.",
                _SAVE_AGAIN,
            )
    for layer in layers:
        lengths = {len(arrays[f"{layer.prefix}.{signal.name}"]) for signal in layer.signals}
        if len(lengths) > 1:
            raise TraceError(f"{path.name}: the signals of {layer.prefix} differ in length.", _SAVE_AGAIN)
