"""The checksums of TensorBoard's files, CRC-32C, of many records at once.

Python has no such checksum; one byte after the other in Python would cost more than all the rest of reading. A CRC
without its start value is linear, and zeros before the data do not count in it: so records of several lengths become
rows of one matrix, right-aligned, each row is cut into lanes, all lanes are taken at once column by column, and joined
in pairs. What the start value makes of a length is added at the end.
"""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]

_POLYNOMIAL = 0x82F63B78
_ONES = 0xFFFFFFFF
_LANE = 16
"""Bytes of a lane."""
_CELLS = 2**20
"""So many bytes are taken at once."""


def masked_crc32c(data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Words:
    """Return the checksums of parts of ``data`` as TensorBoard writes them: turned, and with a constant added.

    Parameters
    ----------
    data
        Bytes.
    starts, lengths
        Of each part.
    """
    checks = np.empty(len(starts), np.uint32)
    lanes = -(-lengths // _LANE)
    # Of one width are those whose number of lanes needs as many binary digits.
    classes = np.ceil(np.log2(np.maximum(lanes, 1))).astype(np.int64)
    for number in np.unique(classes):
        width = _LANE * 2 ** int(number)
        rows = np.flatnonzero(classes == number)
        for some in np.array_split(rows, -(-len(rows) * width // _CELLS)):
            checks[some] = _of_one_width(data, starts[some], lengths[some], width)
    return ((checks >> np.uint32(15)) | (checks << np.uint32(17))) + np.uint32(0xA282EAD8)


def _of_one_width(data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64], width: int) -> Words:
    places = (starts + lengths - width)[:, None] + np.arange(width)
    before = places < starts[:, None]
    matrix = data[np.maximum(places, 0)]
    matrix[before] = 0
    lanes = np.ascontiguousarray(matrix.reshape(-1, _LANE).T)
    table = _byte_table()
    crc = np.zeros(lanes.shape[1], np.uint32)
    for column in lanes:
        crc = table[(crc ^ column) & np.uint32(0xFF)] ^ (crc >> np.uint32(8))
    joined: Words = crc.reshape(len(starts), -1)
    size = _LANE
    while joined.shape[1] > 1:
        joined = _moved(joined[:, 0::2], size) ^ joined[:, 1::2]
        size *= 2
    different, which = np.unique(lengths, return_inverse=True)
    begun: Words = np.array([_of_start_value(int(length)) for length in different], np.uint32)
    checks: Words = np.bitwise_xor(np.bitwise_xor(joined[:, 0], begun[which]), np.uint32(_ONES))
    return checks


def _moved(crc: Words, size: int) -> Words:
    """Return what a CRC becomes when so many zero bytes follow."""
    tables = _move_tables(size)
    found: Words = tables[0][crc & np.uint32(0xFF)]
    for place in range(1, 4):
        found = found ^ tables[place][(crc >> np.uint32(8 * place)) & np.uint32(0xFF)]
    return found


@cache
def _byte_table() -> Words:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> np.uint32(1)) ^ np.uint32(_POLYNOMIAL), table >> np.uint32(1))
    return table


@cache
def _move_tables(size: int) -> Words:
    """Return for each byte of a CRC, and each of its values, what so many zero bytes make of it."""
    columns = np.array(_zeros_operator(size), np.uint32)
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    tables = [
        np.bitwise_xor.reduce(np.where(bits == 1, columns[8 * place : 8 * place + 8], 0).astype(np.uint32), axis=1)
        for place in range(4)
    ]
    return np.stack(tables)


@cache
def _zeros_operator(size: int) -> tuple[int, ...]:
    """Return what ``size`` zero bytes make of each bit of a CRC; a matrix over bits, by its columns."""
    if size == 1:
        return tuple(int(_byte_table()[(1 << bit) & 0xFF]) ^ ((1 << bit) >> 8) for bit in range(32))
    half = _zeros_operator(size // 2)
    twice = tuple(_times(half, column) for column in half)
    return tuple(_times(_zeros_operator(1), column) for column in twice) if size % 2 else twice


def _times(operator: tuple[int, ...], crc: int) -> int:
    found = 0
    for bit in range(32):
        if crc >> bit & 1:
            found ^= operator[bit]
    return found


@lru_cache(maxsize=4096)
def _of_start_value(length: int) -> int:
    """Return what becomes of the start value, all ones, after so many bytes."""
    crc = _ONES
    for place in range(length.bit_length()):
        if length >> place & 1:
            crc = _times(_zeros_operator(2**place), crc)
    return crc
