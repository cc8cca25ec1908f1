"""The layout of a run on disk; ``docs/run-format.md`` tells others of it.

A run is a folder with a ``run.json`` and one folder per writer, in which the segments lie: MCAP files with one record
per chunk. Every chunk says its channel and schema itself, so that none is lost with another.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import Channel, DataEnd, Footer, Header, Schema

FORMAT = 1
"""Version of the layout; a run of a later one is refused."""

RUN_FILE = "run.json"
LOCK_FILE = "writer.lock"
SEGMENT_SUFFIX = ".mcap"
SNAPSHOTS = "snapshots"
"""Where a training keeps weights: ``snapshots/{update:08d}/{key}.safetensors``."""
WEIGHTS_SUFFIX = ".safetensors"
PROFILE = "lstm-studio-run"

SEGMENT_BYTES = 64 * 2**20
"""A segment that is longer is ended, and another begun."""
STORE_SEGMENT_BYTES, STORE_SEGMENT_SECONDS = 8 * 2**20, 10.0
"""The same for object stores, where nobody sees a file before it is complete."""
HEARTBEAT_SECONDS = 2.0
SILENT_SECONDS = 15.0
"""A writer that has not been heard of for so long is taken for dead."""

MAGIC = b"\x89MCAP0\r\n"
LARGEST_RECORD = 256 * 2**20
LARGEST_JSON = 2**20
LARGEST_SEGMENT = 2**30

CHUNK_HEAD = struct.Struct("<BQQQQIIQ")
"""Opcode and length of the chunk; start and end time; size and checksum of the records; 0, no compression; size."""
RECORD_HEAD = struct.Struct("<BQ")
MESSAGE_HEAD = struct.Struct("<BQHIQQ")
"""Opcode and length of the message; channel, number of the record, two times."""

SCALARS, EVENTS, PARAMETERS, LAYER = "scalars", "events", "parameters", "layer/"
TRACE, STATISTICS = "trace", "statistics"

STEP_KEY, ITEM_KEY, PATH_KEY = "step", "item", "path"
"""What the texts of a trace say beside the trace: the step of the training, the item of the batch, the module."""
LAGS_KEY, EVERY_KEY = "lags", "every"
MOST_LAGS = 512
"""Where there are more, a statistics record has every second, third, … of them and says so."""


@dataclass(frozen=True, slots=True)
class Line:
    """A channel of a segment.

    Parameters
    ----------
    topic
        ``"scalars"``, ``"events"``, ``"parameters"`` or ``"layer/{path}"``.
    schema
        ``"scalars"``, ``"events"``, ``"parameters"``, ``"trace"`` or ``"statistics"``.
    """

    topic: str
    schema: str

    @property
    def encoding(self) -> str:
        """How its records are written."""
        return "safetensors" if self.schema == TRACE else "json"


def rank_folder(rank: int) -> str:
    """Return the name of the folder of one writer."""
    return f"rank{rank:05d}"


def segment_name(number: int) -> str:
    """Return the name of a segment, counted from 1."""
    return f"{number:06d}{SEGMENT_SUFFIX}"


def introduction(line: Line, number: int) -> bytes:
    """Return the schema and the channel as they begin every chunk of the line; ``number`` counts lines from 1."""
    builder = _builder()
    Schema(data=b"", encoding="", id=number, name=line.schema).write(builder)
    Channel(id=number, topic=line.topic, message_encoding=line.encoding, metadata={}, schema_id=number).write(builder)
    built: bytes = builder.end()
    return built


def chunk(begin: bytes, number: int, sequence: int, time_ns: int, payload: bytes) -> bytes:
    """Return one record as a chunk of its own; for the parameters see :func:`pieces_of_chunk`."""
    return b"".join(pieces_of_chunk(begin, number, sequence, time_ns, [payload]))


def pieces_of_chunk(
    begin: bytes, number: int, sequence: int, time_ns: int, payload: Sequence[bytes | memoryview]
) -> list[bytes | memoryview]:
    """Return one record as a chunk of its own, in pieces to be written one after the other.

    Parameters
    ----------
    begin
        The :func:`introduction` of its line.
    number
        That of the line.
    sequence
        Number of the record in the segment.
    time_ns
        Since 1970, by the clock of the writer.
    payload
        The record, likewise in pieces.
    """
    long = size_of(payload)
    head = MESSAGE_HEAD.pack(Opcode.MESSAGE, 22 + long, number, sequence & 0xFFFFFFFF, time_ns, time_ns)
    size = len(begin) + len(head) + long
    crc = zlib.crc32(head, zlib.crc32(begin))
    for piece in payload:
        crc = zlib.crc32(piece, crc)
    front = CHUNK_HEAD.pack(
        Opcode.CHUNK, CHUNK_HEAD.size - RECORD_HEAD.size + size, time_ns, time_ns, size, crc, 0, size
    )
    return [b"".join((front, begin, head)), *payload]


def size_of(pieces: Sequence[bytes | memoryview]) -> int:
    """Return how many bytes they have together."""
    return sum(piece.nbytes if isinstance(piece, memoryview) else len(piece) for piece in pieces)


def segment_start(library: str) -> bytes:
    """Return what a segment begins with."""
    builder = _builder()
    Header(profile=PROFILE, library=library).write(builder)
    built: bytes = builder.end()
    return MAGIC + built


def segment_end() -> bytes:
    """Return what a segment ends with that was closed in order."""
    builder = _builder()
    DataEnd(data_section_crc=0).write(builder)
    Footer(summary_start=0, summary_offset_start=0, summary_crc=0).write(builder)
    built: bytes = builder.end()
    return built + MAGIC


def _builder() -> Any:
    """Return what puts records together; its methods say nothing of their types."""
    return RecordBuilder()
