"""NumPy arrays: NPY and NPZ. Nothing in them is ever unpickled."""

from __future__ import annotations

import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from lstm_studio.errors import SequenceError
from lstm_studio.progress import Progress
from lstm_studio.sequences.columns import ColumnRole
from lstm_studio.sequences.options import ReadOptions, require_memory
from lstm_studio.sequences.reading import Head, Match, Reader
from lstm_studio.sequences.sequence import Sequence, SequenceSet

_BLOCK = 1 << 24  # bytes between two reports
_AGAIN = "Save it again with numpy.save or numpy.savez, as an array of numbers."
_KEY_ROLES = {
    "time": ColumnRole.TIME,
    "t": ColumnRole.TIME,
    "target": ColumnRole.TARGET,
    "targets": ColumnRole.TARGET,
    "y": ColumnRole.TARGET,
    "label": ColumnRole.LABEL,
    "labels": ColumnRole.LABEL,
}
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_NAME_KEYS = ("names", "feature_names", "features", "columns")


def _recognise(head: Head) -> Match:
    is_npy = head.start.startswith(npy.MAGIC_PREFIX)
    # The first member of a zip file follows its header of 30 bytes with its name.
    is_npz = head.start.startswith(b"PK\x03\x04") and b".npy" in head.start[30:400]
    return Match.CERTAIN if is_npy or is_npz else Match.NO


def _read(path: Path, options: ReadOptions, progress: Progress) -> SequenceSet:
    with path.open("rb") as file:
        if file.read(6) == npy.MAGIC_PREFIX:
            file.seek(0)
            arrays = {"": _load(file, path.name, path.stat().st_size, options, progress)}
        else:
            arrays = _load_archive(path, options, progress)
    if len(arrays) == 1:
        (array,) = arrays.values()
        return _from_one(array, path, None)
    return _from_keys(arrays, path, options)


def _load_archive(path: Path, options: ReadOptions, progress: Progress) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
            total = sum(member.file_size for member in members)
            progress(0.0, require_memory(path.name, total, f"{len(members)} arrays", options))
            arrays = {}
            for member in members:
                with archive.open(member) as file:
                    key = member.filename.removesuffix(".npy")
                    arrays[key] = _load(file, f"{path.name}, array {key!r}", member.file_size, options, progress)
            return arrays
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        # RuntimeError: an encrypted member.
        raise SequenceError(
            f"{path} is not a whole NPZ file: {str(error).rstrip('.')}.", "Save or download it again."
        ) from error


def _load(file: IO[bytes], name: str, size: int, options: ReadOptions, progress: Progress) -> NDArray[Any]:
    """Return the array of one NPY stream, after its header has been found harmless and its size bearable."""
    try:
        version = npy.read_magic(file)
        read_header = _HEADERS[version]
        with warnings.catch_warnings():
            # A header that Python 2 wrote is said to be slow to read, which does not concern the user.
            warnings.simplefilter("ignore", UserWarning)
            shape, fortran, dtype = read_header(file)
    except (ValueError, EOFError, KeyError, TypeError, SyntaxError, RecursionError, TokenError) as error:
        # NumPy parses the header as a Python literal, without running it.
        raise SequenceError(f"{name} has a damaged NPY header: {error}.", _AGAIN) from error
    if dtype.hasobject:
        raise SequenceError(
            f"{name} holds Python objects, which could run code when loaded; they were not touched.", _AGAIN
        )
    if dtype.kind not in "biufU":
        raise SequenceError(f"{name} holds {dtype}, not numbers.", _AGAIN)
    count = int(np.prod(shape, dtype=object)) if shape else 1
    shown = " × ".join(f"{length:,}" for length in shape) or "1"
    words = require_memory(name, count * (dtype.itemsize + 4), f"{shown} values", options)
    body = size - file.tell()
    if count * dtype.itemsize > body:
        raise SequenceError(
            f"{name} is cut short: {shown} values take {count * dtype.itemsize:,} bytes, {max(body, 0):,} are there.",
            "Save or download it again.",
        )
    flat = np.empty(count * dtype.itemsize, np.uint8)
    done = 0
    while done < len(flat):
        progress(done / len(flat), words)
        chunk = file.read(min(_BLOCK, len(flat) - done))
        if not chunk:
            raise SequenceError(f"{name} is cut short.", "Save or download it again.")
        flat[done : done + len(chunk)] = np.frombuffer(chunk, np.uint8)
        done += len(chunk)
    return flat.view(dtype).reshape(shape, order="F" if fortran else "C")


def _from_one(array: NDArray[Any], path: Path, names: tuple[str, ...] | None, key: str = "") -> SequenceSet:
    where = f"{path}, array {key!r}" if key else str(path)
    values = _numbers(array, where)
    if array.ndim == 1:
        values = values[:, None]
    if values.ndim not in (2, 3):
        raise SequenceError(
            f"{where} has {array.ndim} dimensions.",
            "Save (T,) or (T, F) for one sequence of T steps and F features, or (N, T, F) for N sequences.",
        )
    if 0 in values.shape:
        raise SequenceError(f"{where} is empty: its shape is {array.shape}.", "Save an array with at least one step.")
    features = _feature_names(values.shape[-1], names, where)
    if values.ndim == 2:
        sequences = [Sequence(values, features, name=path.stem)]
    else:
        sequences = [Sequence(part, features, name=f"sequence {index + 1}") for index, part in enumerate(values)]
    shape = " × ".join(f"{length:,}" for length in array.shape)
    return SequenceSet(tuple(sequences), facts=(("array", f"{shape}, {array.dtype}"),))


@dataclass(frozen=True, slots=True)
class _Keys:
    """The arrays of an NPZ by what they are for."""

    features: dict[str, NDArray[Any]]
    names: tuple[str, ...] | None
    others: dict[ColumnRole, tuple[str, NDArray[Any]]]


def _from_keys(arrays: dict[str, NDArray[Any]], path: Path, options: ReadOptions) -> SequenceSet:
    keys = _sort_keys(arrays, path, options)
    shapes = {array.shape for array in keys.features.values()}
    if len(keys.features) == 1:
        ((key, array),) = keys.features.items()
        made = _from_one(array, path, keys.names, key)
    elif all(array.ndim == 1 for array in keys.features.values()) and len(shapes) == 1:
        columns = [_numbers(array, f"{path}, array {key!r}") for key, array in keys.features.items()]
        made = _from_one(np.stack(columns, axis=1), path, tuple(keys.features))
    elif all(array.ndim == 2 for array in keys.features.values()) and len({shape[1] for shape in shapes}) == 1:
        parts = [_from_one(array, path, keys.names, key)[0] for key, array in keys.features.items()]
        named = tuple(
            Sequence(part.values, part.names, name=key) for key, part in zip(keys.features, parts, strict=True)
        )
        made = SequenceSet(named)
    else:
        listed = ", ".join(f"{key!r} {array.shape}" for key, array in list(arrays.items())[:12])
        raise SequenceError(
            f"{path} holds arrays that do not belong together: {listed}.",
            "Leave some out (ReadOptions.columns = {key: ColumnRole.IGNORE}), or save one array (T, F) or (N, T, F), "
            "columns (T,) of one length, or sequences (T, F) with the same features.",
        )
    return _with_others(made, keys, path)


def _sort_keys(arrays: dict[str, NDArray[Any]], path: Path, options: ReadOptions) -> _Keys:
    unknown = [key for key in options.columns if key not in arrays]
    if unknown:
        raise SequenceError(
            f"{path} has no array {unknown[0]!r}; it has {', '.join(map(repr, arrays))}.",
            "Give roles to arrays that are there.",
        )
    names: tuple[str, ...] | None = None
    features: dict[str, NDArray[Any]] = {}
    others: dict[ColumnRole, tuple[str, NDArray[Any]]] = {}
    for key, array in arrays.items():
        role = options.columns.get(key)
        if role is None and key in _NAME_KEYS and array.dtype.kind == "U" and array.ndim == 1:
            names = tuple(map(str, array.tolist()))
            continue
        role = role or _KEY_ROLES.get(key.lower(), ColumnRole.FEATURE)
        if role is ColumnRole.FEATURE:
            features[key] = array
        elif role is not ColumnRole.IGNORE:
            others[role] = (key, array)
    if not features:
        raise SequenceError(
            f"{path} has no array left to be an input; it has {', '.join(map(repr, arrays))}.",
            "Give one the role 'feature' (ReadOptions.columns).",
        )
    return _Keys(features, names, others)


def _with_others(made: SequenceSet, keys: _Keys, path: Path) -> SequenceSet:
    """Add time, targets and labels to the sequences they fit."""
    count, steps = len(made), len(made[0])
    one_length = all(len(sequence) == steps for sequence in made)
    times: list[NDArray[Any] | None] = [None] * count
    targets: list[NDArray[Any] | None] = [None] * count
    classes: tuple[str, ...] = ()
    facts = list(made.facts)
    for role, (key, array) in keys.others.items():
        where = f"{path}, array {key!r}"
        if role is ColumnRole.TIME and array.shape == (steps,) and one_length:
            times = [_numbers(array, where, np.float64)] * count
        elif role is ColumnRole.LABEL and array.shape == (count,):
            distinct, codes = np.unique(array, return_inverse=True)
            classes = tuple(map(str, distinct.tolist()))
            targets = [np.asarray(code, np.int64) for code in codes.tolist()]
        elif role is ColumnRole.TARGET and count == 1 and array.ndim in (1, 2) and len(array) == steps:
            targets = [_numbers(array, where).reshape(steps, -1)]
        elif role is ColumnRole.TARGET and array.ndim == 3 and array.shape[:2] == (count, steps) and one_length:
            targets = list(_numbers(array, where))
        elif role is ColumnRole.TARGET and array.ndim in (1, 2) and len(array) == count:
            targets = list(_numbers(array, where).reshape(count, -1))
        else:
            raise SequenceError(
                f"{where} {array.shape} cannot be the {role} of {count:,} sequences, the first with {steps:,} steps.",
                "Give it another role, or leave it out (ReadOptions.columns = {key: ColumnRole.IGNORE}).",
            )
        facts.append((str(role), key))
    sequences = tuple(
        Sequence(sequence.values, sequence.names, time, target, sequence.name)
        for sequence, time, target in zip(made, times, targets, strict=True)
    )
    return SequenceSet(sequences, classes=classes, facts=tuple(facts))


def _numbers(array: NDArray[Any], where: str, dtype: type[np.floating[Any]] = np.float32) -> NDArray[Any]:
    if array.dtype.kind not in "biuf":
        raise SequenceError(f"{where} holds {array.dtype}, not numbers.", _AGAIN)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is reported as that
        return np.ascontiguousarray(array, dtype)


def _feature_names(count: int, names: tuple[str, ...] | None, where: str) -> tuple[str, ...]:
    if names is None:
        return ("value",) if count == 1 else tuple(f"feature {index + 1}" for index in range(count))
    if len(names) != count:
        raise SequenceError(
            f"{where} has {count} features, but {len(names)} names are given.", "Save one name for each feature."
        )
    return names


READER = Reader("NumPy array (.npy, .npz)", (".npy", ".npz"), _recognise, _read, of_bytes=True)
