"""Writes the records of one training process, in a thread of its own, so that no disk ever holds the training up.

The training hands records over and goes on. What cannot be written is dropped and counted; where nothing can be written
any more the writer stops for good and says why. It raises nothing into the training.
"""

from __future__ import annotations

import io
import json
import math
import os
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_studio import __version__
from lstm_studio.errors import RunError
from lstm_studio.runs.format import (
    EVENTS,
    HEARTBEAT_SECONDS,
    LOCK_FILE,
    SCALARS,
    SEGMENT_BYTES,
    SEGMENT_SUFFIX,
    Line,
    introduction,
    pieces_of_chunk,
    segment_end,
    segment_name,
    segment_start,
    size_of,
)

_WAITING_BYTES = 64 * 2**20
_WAITING_RECORDS = 4096
_LOOK_SECONDS = 0.02
_SYNC_SECONDS = 5.0
_CLOSE_SECONDS = 10.0
_MOST_NUMBERS = 4096
"""Rows of numbers with so many together are enough for one record."""
_JSON_BYTES = 4096
"""For how many a record counts that is not JSON yet."""
_MOST_PIECES = 512 if hasattr(os, "writev") else 0
"""That are handed to the system at once; the systems that take any take 1024."""
_EVENT_LINE, _SCALARS_LINE = Line(EVENTS, EVENTS), Line(SCALARS, SCALARS)

Row = tuple[int, float, Mapping[str, float]]
"""Step, seconds since 1970, name → number."""
Payload = bytes | Mapping[str, Any] | list[bytes | memoryview]
"""A record: as it is, to be written as JSON, or in pieces that follow each other."""


@dataclass(frozen=True, eq=False, slots=True)
class Later:
    """Records that are made when it is their turn to be written.

    Parameters
    ----------
    make
        Returns them. Called in the writer's thread; what it raises is told as an event of the run.
    size
        Of what it makes them of, in bytes.
    step
        To which they belong.
    """

    make: Callable[[], Iterable[tuple[Line, Payload]]]
    size: int
    step: int


class Writer:
    """The one writer of a folder.

    Parameters
    ----------
    folder
        For its segments; made if it is not there.
    segment_bytes, segment_seconds
        A segment that is longer, or older, is ended.

    Raises
    ------
    RunError
        If another writer is at work there.
    OSError
        If nothing can be written there.
    """

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES, segment_seconds: float = math.inf) -> None:
        self._folder = folder
        self._segment_bytes, self._segment_seconds = segment_bytes, segment_seconds
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(folder / LOCK_FILE)
        self._lines: dict[Line, tuple[int, bytes]] = {}
        self._waiting: deque[tuple[Line, Payload | Row | Later]] = deque()
        self._bytes = self._dropped = self._time_ns = 0
        self._access = threading.Lock()
        self._end = threading.Event()
        self._closing = False
        self._failure = ""
        self._written = 0
        self._process = os.getpid()
        try:
            self._begin_segment()
            with self._closed_on_failure():
                self._write(_EVENT_LINE, _start_event())
        except BaseException:
            self._lock.close()
            raise
        self._thread = threading.Thread(target=self._work, name="lstm-studio-run-writer", daemon=True)
        self._thread.start()

    @property
    def failure(self) -> str:
        """Why nothing is written any more; empty while all is well."""
        return self._failure

    @property
    def written(self) -> int:
        """How many records the operating system has, so that not even the end of the process could lose them."""
        return self._written

    def put(self, line: Line, payload: Payload) -> None:
        """Hand a record over: never waits, and drops the record where too many are waiting.

        Parameters
        ----------
        line
            Its channel.
        payload
            The record; one that is to be JSON, or is in pieces, may not be changed afterwards.
        """
        self._put(line, payload)

    def put_later(self, later: Later) -> None:
        """Hand over what records are made of, as :meth:`put` does with a record."""
        self._put(_EVENT_LINE, later)

    def put_row(self, step: int, wall: float, values: Mapping[str, float]) -> None:
        """Hand over the numbers of one step; those of some steps together become one record."""
        self._put(_SCALARS_LINE, (step, wall, values))

    def _put(self, line: Line, payload: Payload | Row | Later) -> None:
        size = _size(payload)
        with self._access:
            full = self._bytes + size > _WAITING_BYTES or len(self._waiting) >= _WAITING_RECORDS
            if self._closing or self._failure or (full and self._waiting):
                self._dropped += 1
                return
            self._waiting.append((line, payload))
            self._bytes += size

    def event(self, kind: str, **about: Any) -> None:
        """Hand over an event of the run."""
        self.put(_EVENT_LINE, _event(kind, **about))

    def close(self, **about: Any) -> None:
        """Write what is waiting and the end of the run; takes a bounded time, also where the disk hangs."""
        if os.getpid() != self._process:
            return
        with self._access:
            if not self._closing:
                # However many are waiting: a run without its end would count as died.
                self._waiting.append((_EVENT_LINE, _event("end", **about)))
                self._bytes += _size(self._waiting[-1][1])
            self._closing = True
        self._end.set()
        self._thread.join(_CLOSE_SECONDS)

    def _work(self) -> None:
        try:
            self._write_until_closed()
            self._file.write(segment_end())
            os.fsync(self._file.fileno())
        except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on, and is told
            self._failure = str(error) or type(error).__name__
        finally:
            with self._access:
                self._dropped += len(self._waiting)
                self._waiting.clear()
            self._file.close()
            self._lock.close()

    def _write_until_closed(self) -> None:
        beat = synced = time.monotonic()
        while True:
            closing = self._closing
            wrote = self._write_next()
            if closing and not wrote:
                return
            now = time.monotonic()
            if now - beat >= HEARTBEAT_SECONDS:
                beat = now
                self._check_place()
                self._write(_EVENT_LINE, _event("alive"))
            if now - synced >= _SYNC_SECONDS:
                synced = now
                os.fsync(self._file.fileno())
            if not wrote:
                # Nobody calls it: to wake a thread costs the one that does half a millisecond on a busy machine.
                self._end.wait(_LOOK_SECONDS)

    def _write_next(self) -> bool:
        """Write one record of those that wait, and return whether there was one."""
        with self._access:
            ready = self._taken()
            dropped, self._dropped = self._dropped, 0
        if dropped:
            self._write(_EVENT_LINE, _event("dropped", records=dropped))
        if ready is None:
            return False
        line, payload = ready
        for where, record in self._made(payload) if isinstance(payload, Later) else ((line, payload),):
            self._write(where, json_bytes(record) if isinstance(record, Mapping) else record)
        return True

    def _made(self, later: Later) -> list[tuple[Line, Payload]]:
        try:
            return list(later.make())
        except Exception as error:  # noqa: BLE001 - whatever it is, the other records can be written
            reason = str(error) or type(error).__name__
            return [(_EVENT_LINE, _event("not captured", step=later.step, reason=reason))]

    def _taken(self) -> tuple[Line, Payload | Later] | None:
        """Return what is to be written next; rows that follow each other become one record."""
        rows: list[Row] = []
        numbers = 0
        while self._waiting and numbers < _MOST_NUMBERS:
            line, payload = self._waiting[0]
            if rows and not isinstance(payload, tuple):
                break
            self._waiting.popleft()
            self._bytes -= _size(payload)
            if not isinstance(payload, tuple):
                return line, payload
            rows.append(payload)
            numbers += 1 + len(payload[2])
        return (_SCALARS_LINE, {"rows": rows}) if rows else None

    def _write(self, line: Line, payload: bytes | list[bytes | memoryview]) -> None:
        if self._position > self._segment_bytes or time.monotonic() - self._began > self._segment_seconds:
            self._file.write(segment_end())
            self._file.close()
            self._begin_segment()
        if line not in self._lines:
            number = len(self._lines) + 1
            self._lines[line] = number, introduction(line, number)
        number, begin = self._lines[line]
        # The clock may be set back; the times of a segment may not go back.
        self._time_ns = max(self._time_ns + 1, time.time_ns())
        pieces = [payload] if isinstance(payload, bytes) else payload
        self._write_pieces(pieces_of_chunk(begin, number, self._sequence, self._time_ns, pieces))
        self._sequence += 1
        self._written += 1

    def _write_pieces(self, pieces: list[bytes | memoryview]) -> None:
        """Write them in one go, so that nobody finds a part, and without putting them together where that can be."""
        size = size_of(pieces)
        done = os.writev(self._file.fileno(), pieces) if len(pieces) <= _MOST_PIECES else 0
        if done < size:
            left = memoryview(b"".join(pieces))[done:]
            while left:
                left = left[self._file.write(left) :]
        self._position += size

    def _begin_segment(self) -> None:
        numbers = [int(path.stem) for path in self._folder.glob(f"*{SEGMENT_SUFFIX}") if path.stem.isdecimal()]
        self._path = self._folder / segment_name(max(numbers, default=0) + 1)
        # Unbuffered: what was written survives the end of the process. "x": nobody writes to a file of another.
        self._file: io.FileIO = self._path.open("xb", buffering=0)
        self._began = time.monotonic()
        self._position = self._sequence = 0
        self._lines = {}
        with self._closed_on_failure():
            self._write_pieces([segment_start(f"LSTM Studio {__version__}")])

    @contextmanager
    def _closed_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._file.close()
            raise

    def _check_place(self) -> None:
        """Raise if the file is no longer where it was made: what is written to a removed file is lost unnoticed."""
        here, there = os.fstat(self._file.fileno()), self._path.stat()
        if (here.st_ino, here.st_dev) != (there.st_ino, there.st_dev):
            raise OSError(f"{self._path} was replaced")


def _size(payload: Payload | Row | Later) -> int:
    if isinstance(payload, bytes):
        return len(payload)
    if isinstance(payload, Later):
        return payload.size
    return size_of(payload) if isinstance(payload, list) else _JSON_BYTES


def json_bytes(record: Mapping[str, Any]) -> bytes:
    """Return a record as JSON; numbers that JSON does not have are written as texts, ``"nan"`` and ``"inf"``."""
    try:
        return json.dumps(record, allow_nan=False, separators=(",", ":")).encode()
    except ValueError:
        return json.dumps(_spelled(record), allow_nan=False, separators=(",", ":")).encode()


def _spelled(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _spelled(part) for key, part in value.items()}
    return [_spelled(part) for part in value] if isinstance(value, list | tuple) else value


def _event(kind: str, **about: Any) -> bytes:
    return json_bytes({"event": kind, "wall": time.time(), **about})


def _start_event() -> bytes:
    return _event("start", host=socket.gethostname(), process=os.getpid(), program=f"LSTM Studio {__version__}")


def _locked(path: Path) -> io.FileIO:
    """Return the lock, held until it is closed or the process ends, however it ends."""
    file = path.open("ab", buffering=0)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        file.close()
        raise RunError(
            f"{path.parent}: another training is recording there.", "Give each training a folder of its own."
        ) from error
    except OSError:
        # Some network file systems have no locks; there a file that exists is still never written to by another.
        return file
    return file
