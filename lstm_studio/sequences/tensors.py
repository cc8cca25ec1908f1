"""Arrays beside texts in one block of bytes, in the layout of ``.safetensors`` files: nothing in it can run.

Sets of sequences and traces are kept so, alone in a file or as parts of a session.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

_LENGTH = 8
"""Bytes of the number, low byte first, that says how long the header is."""
_TYPES = {
    np.dtype("<f2"): "F16",
    np.dtype("<f4"): "F32",
    np.dtype("<f8"): "F64",
    np.dtype("<i4"): "I32",
    np.dtype("<i8"): "I64",
    np.dtype("u1"): "U8",
    np.dtype("?"): "BOOL",
}
"""What the layout calls the types that are common here; the library writes the others."""


def pack(arrays: Mapping[str, NDArray[Any]], texts: Mapping[str, str]) -> bytes:
    """Return arrays and texts as one block.

    Parameters
    ----------
    arrays
        By name; any shape, also that of a single number.
    texts
        What is said about them, by key.
    """
    # One copy of the numbers; the library makes three.
    return b"".join(pieces(arrays, texts))


def pieces(arrays: Mapping[str, NDArray[Any]], texts: Mapping[str, str]) -> list[bytes | memoryview]:
    """Return what :func:`pack` puts together, in order, without copying the numbers.

    Parameters
    ----------
    arrays, texts
        As there.
    """
    whole = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()}
    types = {name: _TYPES.get(array.dtype, "") for name, array in whole.items()}
    if not all(types.values()):
        return [save(whole, dict(texts))]
    # Wide numbers first, as the library has them: each then begins at a multiple of its size.
    order = sorted(whole, key=lambda name: (-whole[name].itemsize, name))
    header: dict[str, Any] = {"__metadata__": dict(texts)} if texts else {}
    place = 0
    for name in order:
        array = whole[name]
        stop = place + array.nbytes
        header[name] = {"dtype": types[name], "shape": array.shape, "data_offsets": (place, stop)}
        place = stop
    written = _header_bytes(header)
    return [len(written).to_bytes(_LENGTH, "little"), written, *(whole[name].data for name in order)]


def unpack(block: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return the arrays and texts of a block.

    Raises
    ------
    ValueError
        If the block is cut short, is something else, or has numbers that NumPy does not have.
    """
    try:
        arrays = load(block)
    except (SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(str(error) or type(error).__name__) from error
    return arrays, texts_of(block)


def texts_of(block: bytes) -> dict[str, str]:
    """Return what a block says about its arrays, without looking at these.

    Raises
    ------
    ValueError
        If its header is damaged.
    """
    texts = _header(block)[0].get("__metadata__", {})
    if not isinstance(texts, dict):
        raise ValueError("its texts are damaged")  # noqa: TRY004 - of a file, not of an argument
    return {str(key): str(text) for key, text in texts.items()}


def with_texts(block: bytes, texts: Mapping[str, str]) -> bytes:
    """Return a block that says more about the same arrays, whose bytes are left as they are.

    Raises
    ------
    ValueError
        If its header is damaged.
    """
    header, start = _header(block)
    header["__metadata__"] = {**texts_of(block), **texts}
    written = _header_bytes(header)
    return len(written).to_bytes(_LENGTH, "little") + written + block[start:]


def _header_bytes(header: Mapping[str, Any]) -> bytes:
    written = json.dumps(header, separators=(",", ":")).encode()
    # The arrays begin at a multiple of eight bytes.
    return written + b" " * (-len(written) % _LENGTH)


def _header(block: bytes) -> tuple[dict[str, Any], int]:
    """Return the header and where the arrays begin."""
    stop = _LENGTH + int.from_bytes(block[:_LENGTH], "little")
    if not _LENGTH < stop <= len(block):
        raise ValueError("its header is cut short")
    try:
        header = json.loads(block[_LENGTH:stop])
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its header is damaged ({error})") from error
    if not isinstance(header, dict):
        raise ValueError("its header is damaged")  # noqa: TRY004 - of a file, not of an argument
    return header, stop
