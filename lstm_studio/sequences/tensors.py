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


def pack(arrays: Mapping[str, NDArray[Any]], texts: Mapping[str, str]) -> bytes:
    """Return arrays and texts as one block.

    Parameters
    ----------
    arrays
        By name; any shape, also that of a single number.
    texts
        What is said about them, by key.
    """
    # The writer copies memory as it lies, whatever the strides say; and contiguous arrays have at least one axis.
    whole = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()}
    return save(whole, dict(texts))


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
    written = json.dumps(header).encode()
    # The arrays begin at a multiple of eight bytes.
    written += b" " * (-len(written) % _LENGTH)
    return len(written).to_bytes(_LENGTH, "little") + written + block[start:]


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
