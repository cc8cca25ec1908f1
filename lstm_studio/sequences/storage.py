"""Sequence sets on disk: one .safetensors file, arrays beside JSON, nothing in it can run."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from lstm_studio.errors import SequenceError, is_there
from lstm_studio.sequences.columns import ColumnInfo, ColumnKind, ColumnRole
from lstm_studio.sequences.sequence import Encoding, Scaling, Sequence, SequenceSet
from lstm_studio.sequences.tensors import pack, unpack

METADATA_KEY = "lstm_studio.sequences"
"""The metadata entry by which a sequence set is told from network weights."""
_VERSION = 1
_DATES = "datetime64[ns]"
_AGAIN = "Save or download it again."


def save_set(sequences: SequenceSet, path: str | os.PathLike[str]) -> None:
    """Write a set to one .safetensors file, replacing it whole or not at all.

    Parameters
    ----------
    sequences
        Any set; values, raw values, time, targets and everything said about them are kept.
    path
        The file; its folder must exist.

    Raises
    ------
    SequenceError
        If the file cannot be written.
    """
    path = Path(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_bytes(pack_set(sequences))
        unfinished.replace(path)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SequenceError(f"{path} cannot be written: {reason}.", "Choose another folder, or make room.") from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)


def pack_set(sequences: SequenceSet) -> bytes:
    """Return what :func:`save_set` writes, as a block of bytes."""
    arrays: dict[str, NDArray[Any]] = {}
    described = []
    for index, sequence in enumerate(sequences):
        time = sequence.time
        dates = time is not None and time.dtype.kind == "M"
        parts = {
            "values": sequence.values,
            "raw": None if sequence.raw is sequence.values else sequence.raw,
            "time": sequence.time.astype(_DATES).view(np.int64)
            if dates and sequence.time is not None
            else sequence.time,
            "target": sequence.target,
        }
        for part, array in parts.items():
            if array is not None:
                arrays[f"{index}.{part}"] = array
        described.append(
            {
                "name": sequence.name,
                "encoding": sequence.encoding,
                "dates": dates,
                "time_unit": sequence.time_unit,
            }
        )
    metadata = {
        "version": _VERSION,
        "names": sequences.names,
        "source": sequences.source,
        "title": sequences.title,
        "classes": sequences.classes,
        "facts": sequences.facts,
        "scaling": sequences.scaling,
        "columns": [asdict(column) for column in sequences.columns],
        "indicators": sorted(sequences.indicators),
        "sequences": described,
    }
    return pack(arrays, {METADATA_KEY: json.dumps(metadata, ensure_ascii=False)})


def load_set(path: str | os.PathLike[str]) -> SequenceSet:
    """Read a set that :func:`save_set` wrote. Imports neither torch nor duckdb.

    Parameters
    ----------
    path
        A .safetensors file.

    Returns
    -------
    SequenceSet
        Equal to the one that was saved.

    Raises
    ------
    SequenceError
        If the file is missing, cut short, holds something else, or contradicts itself.
    """
    path = Path(path)
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if METADATA_KEY not in metadata:
                raise SequenceError(
                    f"{path} holds tensors, but no sequences.", "If it is a network, open it as a network."
                )
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except FileNotFoundError as error:
        # What may not be read is told as what is not there.
        if is_there(path, SequenceError):
            raise SequenceError(f"{path} cannot be opened.", "Check that you may read it.") from error
        raise SequenceError(f"{path} does not exist.", "Check the spelling and the folder.") from error
    except (OSError, SafetensorError, TypeError, AttributeError) as error:
        # TypeError and AttributeError: number formats that NumPy does not have, bfloat16 for one.
        raise SequenceError(f"{path} is not a whole .safetensors file of sequences: {error}.", _AGAIN) from error
    return _rebuilt(str(path), metadata[METADATA_KEY], arrays)


def unpack_set(block: bytes, name: str) -> SequenceSet:
    """Return the set that :func:`pack_set` made a block of.

    Parameters
    ----------
    block
        The bytes.
    name
        What errors call them.

    Raises
    ------
    SequenceError
        If the block is cut short, holds something else, or contradicts itself.
    """
    try:
        arrays, texts = unpack(block)
    except ValueError as error:
        raise SequenceError(f"{name} holds no whole sequences: {error}.", _AGAIN) from error
    if METADATA_KEY not in texts:
        raise SequenceError(f"{name} holds tensors, but no sequences.", _AGAIN)
    return _rebuilt(name, texts[METADATA_KEY], arrays)


def _rebuilt(name: str, description: str, arrays: dict[str, NDArray[Any]]) -> SequenceSet:
    try:
        return _rebuild(json.loads(description), arrays)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, SequenceError) as error:
        raise SequenceError(
            f"{name}: its description of the sequences is damaged ({type(error).__name__}: {error}).", _AGAIN
        ) from error


def _rebuild(metadata: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> SequenceSet:
    """Build the set; raises the errors that :func:`load_set` translates wherever the file contradicts itself."""
    if metadata["version"] != _VERSION:
        raise ValueError(
            f"version {metadata['version']!r}, expected {_VERSION}; a newer LSTM Studio may have written it"
        )
    names = _texts(metadata["names"])
    sequences = []
    for index, described in enumerate(metadata["sequences"]):
        values = arrays[f"{index}.values"]
        raw = arrays.get(f"{index}.raw")
        if values.dtype != np.float32 or (raw is not None and raw.shape != values.shape):
            raise ValueError(f"sequence {index} has {values.dtype} values {values.shape}")
        time = _time(arrays.get(f"{index}.time"), len(values), dates=described["dates"])
        target = _target(arrays.get(f"{index}.target"), len(values), len(metadata["classes"]))
        encoding = Encoding(described["encoding"])
        # Absent from files that were written before times had a unit.
        unit = _text(described.get("time_unit", ""))
        sequences.append(Sequence(values, names, time, target, _text(described["name"]), raw, encoding, unit))
    return SequenceSet(
        sequences=tuple(sequences),
        source=_text(metadata["source"]),
        title=_text(metadata["title"]),
        classes=_texts(metadata["classes"]),
        facts=tuple((_text(label), _text(value)) for label, value in metadata["facts"]),
        scaling=Scaling(metadata["scaling"]),
        columns=tuple(
            ColumnInfo(_text(c["name"]), ColumnKind(c["kind"]), ColumnRole(c["role"]), _text(c["reason"]))
            for c in metadata["columns"]
        ),
        indicators=frozenset(_texts(metadata["indicators"])),
    )


def _time(time: NDArray[Any] | None, steps: int, *, dates: bool) -> NDArray[Any] | None:
    if time is None:
        return None
    if time.shape != (steps,) or time.dtype != (np.int64 if dates else np.float64):
        raise ValueError(f"the time of {steps} steps is {time.dtype} {time.shape}")
    return time.view(_DATES) if dates else time


def _target(target: NDArray[Any] | None, steps: int, classes: int) -> NDArray[Any] | None:
    if target is None:
        return None
    if target.ndim == 0:
        fits = target.dtype == np.int64 and 0 <= int(target) < classes
    else:
        fits = target.dtype == np.float32 and (target.ndim == 1 or (target.ndim == 2 and len(target) == steps))
    if not fits:
        raise ValueError(f"the target of {steps} steps is {target.dtype} {target.shape}")
    return target


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(_text(value) for value in values)
