"""``ls.open_run``: reads a recorded run, finished, died or growing."""

from __future__ import annotations

import json
import math
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from lstm_studio.arguments import path_of, whole_number
from lstm_studio.engine.storage import unpack_trace
from lstm_studio.engine.trace import Provenance, Trace
from lstm_studio.errors import RunError, StudioError
from lstm_studio.runs.curves import MOST_NAMES, Curves, Rows
from lstm_studio.runs.format import (
    EVENTS,
    FORMAT,
    ITEM_KEY,
    LARGEST_JSON,
    PARAMETERS,
    PATH_KEY,
    RUN_FILE,
    SCALARS,
    SEGMENT_SUFFIX,
    SILENT_SECONDS,
    SNAPSHOTS,
    STATISTICS,
    STEP_KEY,
    TRACE,
    WEIGHTS_SUFFIX,
    rank_folder,
    segment_name,
)
from lstm_studio.runs.like import Curve, News, Problem, Status
from lstm_studio.runs.opened import OpenedRun
from lstm_studio.runs.places import File, Folder, LocalFolder, UnlistedError, whole
from lstm_studio.runs.tail import MOST_PROBLEMS, Record, Tail
from lstm_studio.sequences.tensors import texts_of

_DECODER = json.JSONDecoder()
_MOST_EVENTS, _MOST_EVENT_BYTES = 10_000, 2**22
_MOST_KINDS, _LARGEST_LATE_EVENT = 100, 2**14
"""Of events beyond those, the last of each kind is kept: that the training has ended, above all."""
_MOST_TRACES = 2**20
_LONGEST_PATH = 4096
_MOST_LAGS = 4096
_WIDEST_SPACING = 2**31
_LARGEST_TRACE_HEADER = 2**22
_TRACE_DTYPES = frozenset({"float16", "float32", "float64"})


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the trace of one module at one step lies."""

    tail: Tail
    offset: int
    length: int


def open_run(folder: str | Path, *, rank: int | None = None) -> Run:
    """Open a run that ``ls.watch`` recorded, or is recording.

    Parameters
    ----------
    folder
        Which holds ``run.json``.
    rank
        Which process of a distributed training; by default the first one that recorded.

    Raises
    ------
    RunError
        If the folder is no run, or one of a later layout.
    """
    rank = None if rank is None else whole_number("rank", rank, RunError)
    return Run(LocalFolder(path_of("folder", folder, RunError)), rank)


class Run(OpenedRun):
    """A recorded run; made by :func:`open_run`, whose parameters it takes. Arrays are read when they are asked for."""

    def __init__(self, place: Folder, rank: int | None = None, seconds: float | None = None) -> None:
        super().__init__(place)
        self.info: Mapping[str, Any] = _info(place)
        """What ``run.json`` says."""
        self.rank = _first_rank(place) if rank is None else rank
        self._curves = {SCALARS: Curves(), STATISTICS: Curves(), PARAMETERS: Curves()}
        self._lags = Rows()
        self._events: list[Mapping[str, Any]] = []
        self._late_events: dict[str, Mapping[str, Any]] = {}
        self._event_bytes = 0
        self._traces: dict[int, dict[int, dict[str, _Place]]] = {}
        self._trace_count = 0
        self._tails: dict[str, Tail] = {}
        self._paths = _paths(self.info)
        self.refresh(seconds)
        self._grown = None

    @property
    def title(self) -> str:
        """What to call it: as its folder is called."""
        return self._place.title

    @property
    def layers(self) -> list[str]:
        """Attribute paths of the recurrent modules; a bare module is called after its kind."""
        return list(self._paths)

    @property
    def steps(self) -> list[int]:
        """The training steps at which a trace was recorded."""
        return sorted(self._traces)

    @property
    def scalars(self) -> Mapping[str, Curve]:
        """Name → (steps, values), of what the training told; where a step was done twice, as it was the last time."""
        return dict(self._curves[SCALARS])

    @property
    def statistics(self) -> Mapping[str, Curve]:
        """The same of the signals, ``lstm.0.forget_gate.mean`` for example, of the first item sampled."""
        return dict(self._curves[STATISTICS])

    @property
    def parameters(self) -> Mapping[str, Curve]:
        """The same of the weights: ``….norm``, ``….gradient_norm``, ``….update_norm``, and ``….forget_bias``."""
        return dict(self._curves[PARAMETERS])

    @property
    def lags(self) -> Mapping[str, Curve]:
        """Signal → (steps (N,), norms (N, L)): how large the gradient is so many time steps before the last one.

        ``lstm.0.hidden_state`` for example. Where a step has fewer lags than another one, the rest is NaN.
        """
        return self._lags.curves()

    @property
    def lag_spacing(self) -> Mapping[str, int]:
        """Signal → how many time steps lie between two columns of its norms; 1 unless they are many."""
        return self._lags.spacings()

    @property
    def events(self) -> list[Mapping[str, Any]]:
        """What happened to the recording, in order: start, dropped, not captured, stopped, end.

        Of very many, the first ones, and the last of each kind.
        """
        return [*self._events, *self._late_events.values()]

    @property
    def lacks(self) -> tuple[str, ...]:
        """What it does not hold: nothing, as it is a recorded run."""
        return ()

    @property
    def problems(self) -> list[Problem]:
        """What could not be read, and where."""
        found = [*self._problems, *(problem for tail in self._tails.values() for problem in tail.problems)]
        return found[:MOST_PROBLEMS]

    @property
    def status(self) -> Status:
        """Whether the training goes on, has ended, or was ended by something else."""
        events = self.events
        last = events[-1] if events else {}
        if last.get("event") == "end":
            return Status.DIED if "error" in last or "reason" in last else Status.FINISHED
        start: Mapping[str, Any] = next((event for event in reversed(events) if event.get("event") == "start"), {})
        here = self.folder is not None and start.get("host") == socket.gethostname()
        if here and not _lives(start.get("process")):
            return Status.DIED
        return Status.DIED if self.heard > SILENT_SECONDS else Status.RUNNING

    def trace(self, step: int, item: int = 0) -> Trace:
        """Return everything recorded of one item of the batch at one training step.

        Parameters
        ----------
        step
            One of :attr:`steps`.
        item
            Which of the sampled sequences.

        Raises
        ------
        RunError
            If there is none, or it has been damaged since.
        """
        items = self._traces.get(whole_number("step", step, RunError))
        if items is None:
            raise RunError(f"{self.address} has no trace of step {step}.", f"It has {_some(self.steps)}.")
        item = whole_number("item", item, RunError)
        if item not in items:
            raise RunError(f"{self.address}, step {step}, has no item {item}.", f"It has {_some(sorted(items))}.")
        parts = []
        for place in items[item].values():
            record = place.tail.at(place.offset, place.length)
            parts.append(_unpacked(record, f"{place.tail.file.address}, byte {place.offset}"))
        return _merged(parts)

    @property
    def snapshots(self) -> list[int]:
        """The training steps at which all weights were kept."""
        return sorted(self._updates())

    def snapshot(self, update: int, key: str) -> Path:
        """Return the file with the weights that one network had at one training step.

        Parameters
        ----------
        update
            One of :attr:`snapshots`.
        key
            What the training calls the network, ``"lstm"`` for example.

        Raises
        ------
        RunError
            If there is none.
        """
        updates = self._updates()
        if update not in updates:
            raise RunError(f"{self.address} kept no weights at step {update}.", f"It has {_some(sorted(updates))}.")
        kept = self._place.part(SNAPSHOTS).part(updates[update])
        # A name is compared with those that are there, and never made a path of.
        files = _listed(kept.files)
        if f"{key}{WEIGHTS_SUFFIX}" not in files:
            keys = ", ".join(sorted(name.removesuffix(WEIGHTS_SUFFIX) for name in files)[:8]) or "none"
            raise RunError(f"{self.address}, step {update}, has no weights of {key!r:.80}.", f"It has {keys:.300}.")
        try:
            return kept.file(f"{key}{WEIGHTS_SUFFIX}").here()
        except OSError as error:
            told = f"{kept.address}: the weights of {key!r:.80} cannot be read ({error.strerror or error})."
            raise RunError(told, "Choose another step.") from error

    def _updates(self) -> dict[int, str]:
        """Return by training step what the folder of its snapshot is called."""
        return {int(name): name for name in _listed(self._place.part(SNAPSHOTS).folders) if _is_update(name)}

    def items(self, step: int) -> list[int]:
        """Return which items of the batch were sampled at one step."""
        return sorted(self._traces.get(step, ()))

    def refresh(self, seconds: float | None = None) -> News:
        """Read what has been added, and return what is new.

        Parameters
        ----------
        seconds
            To stop after, about; then :attr:`behind` says that there is more. By default everything is read.
        """
        steps: dict[int, None] = {}
        names: dict[str, None] = {}
        until = math.inf if seconds is None else time.monotonic() + seconds
        self.behind = False
        tails = self._segments()
        for tail in tails:
            while not self.behind and (records := tail.read()):
                self._grown = time.monotonic()
                for record in records:
                    self._take(tail, record, steps, names)
                self.behind = time.monotonic() > until
        status = self.status
        if not self.behind:
            # Nobody writes to these any more: what is damaged at their end will not be followed by anything.
            for tail in tails if status is not Status.RUNNING else tails[:-1]:
                tail.tell_what_is_waited_for()
        return News(tuple(sorted(steps)), tuple(names), status)

    def _files(self) -> list[File]:
        return [tail.file for tail in self._tails.values()]

    def _segments(self) -> list[Tail]:
        """Return the segments in order; each time anew, because more of them come."""
        folder = self._place.part(rank_folder(self.rank))
        try:
            names = [name for name in folder.files() if _is_segment(name)]
        except UnlistedError:
            names = self._found(folder)
        except OSError as error:
            if not self._problems:
                self._problems.append(
                    Problem(folder.address, 0, f"the folder cannot be read ({error.strerror or error})")
                )
            return []
        for name in sorted(names):
            if name not in self._tails:
                self._tails[name] = Tail(folder.file(name))
        return [self._tails[name] for name in sorted(self._tails)]

    def _found(self, folder: Folder) -> list[str]:
        """Return the next segments that are there, where nobody says which there are."""
        found: list[str] = []
        while True:
            name = segment_name(len(self._tails) + len(found) + 1)
            try:
                with folder.file(name).open():
                    found.append(name)
            except OSError:
                return found

    def _take(self, tail: Tail, record: Record, steps: dict[int, None], names: dict[str, None]) -> None:
        """Put one record in its place; what it says is not believed before it has been looked at."""
        schema = record.line.schema
        try:
            if schema == SCALARS:
                self._take_scalars(_json(record.payload)["rows"], names)
            elif schema == TRACE:
                step = self._take_trace(tail, record)
                steps[step] = None
            elif schema == EVENTS:
                self._take_event(_json(record.payload), len(record.payload))
            elif schema in {STATISTICS, PARAMETERS}:
                self._take_numbers(self._curves[schema], _json(record.payload))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
            if len(self._problems) < MOST_PROBLEMS:
                what = f"a record of {record.line.topic[:80]!r} makes no sense ({error!s:.200})"
                self._problems.append(Problem(tail.file.address, record.offset, what))

    def _take_scalars(self, rows: list[Any], names: dict[str, None]) -> None:
        add = self._curves[SCALARS].add
        for told, wall, values in rows:
            step = _step(told)
            for name, value in values.items():
                add(name, step, float(value))
                names[name] = None
            self._times.add(step, float(wall))

    def _take_event(self, event: Mapping[str, Any], size: int) -> None:
        kind = event["event"]
        if not isinstance(kind, str):
            raise ValueError("an event of no kind")  # noqa: TRY004 - of a file, not of an argument
        if kind == "alive":
            return
        if len(self._events) < _MOST_EVENTS and self._event_bytes + size <= _MOST_EVENT_BYTES:
            self._events.append(event)
            self._event_bytes += size
        elif size <= _LARGEST_LATE_EVENT and (kind in self._late_events or len(self._late_events) < _MOST_KINDS):
            # The newest last, as among the others.
            self._late_events.pop(kind, None)
            self._late_events[kind] = event

    def _take_numbers(self, curves: Curves, said: Mapping[str, Any]) -> None:
        if said.get("item"):
            return
        step = _step(said["step"])
        for name, value in said.get("values", {}).items():
            curves.add(name, step, float(value))
        if "lags" in said:
            self._take_lags(said)

    def _take_lags(self, said: Mapping[str, Any]) -> None:
        for prefix, signals in said["lags"].items():
            spacing = _step(signals.get("every", said.get("every", 1)))
            for signal, row in signals.items():
                if signal == "every":
                    continue
                if not isinstance(row, list) or len(row) > _MOST_LAGS or not 1 <= spacing <= _WIDEST_SPACING:
                    raise ValueError(f"{len(row)} lags, {spacing} apart")
                self._lags.add(f"{prefix}.{signal}", _step(said["step"]), [float(norm) for norm in row], spacing)

    def _take_trace(self, tail: Tail, record: Record) -> int:
        _check_header(record.payload)
        texts = texts_of(record.payload)
        step, item, path = _step(texts[STEP_KEY]), _step(texts[ITEM_KEY]), texts[PATH_KEY]
        if len(path) > _LONGEST_PATH or (path not in self._paths and len(self._paths) >= MOST_NAMES):
            raise ValueError(f"more than {MOST_NAMES} modules, or one with a name of {len(path)} characters")
        if self._trace_count >= _MOST_TRACES:
            raise ValueError(f"more than {_MOST_TRACES} traces")
        # One text for all traces of a module.
        path = self._paths.setdefault(path, path)
        place = _Place(tail, record.offset, record.length)
        self._traces.setdefault(step, {}).setdefault(item, {})[path] = place
        self._trace_count += 1
        return step


def _info(place: Folder) -> Mapping[str, Any]:
    file = place.file(RUN_FILE)
    path = file.address
    try:
        text = whole(file, LARGEST_JSON)
    except FileNotFoundError:
        told = f"{place.address} has no {RUN_FILE}: it is not a run."
        raise RunError(told, "Name the folder given to ls.watch.") from None
    except OSError as error:
        raise RunError(f"{path} cannot be read ({error.strerror or error}).", "Check the folder.") from error
    try:
        about = _json(text)
        version = about["format"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError(f"{path} is damaged ({error!s:.200}).", "Name another run.") from error
    if version != FORMAT:
        raise RunError(
            f"{path} has layout {version!r:.50}, this version of LSTM Studio reads {FORMAT}.", "Update LSTM Studio."
        )
    return about


def _json(text: bytes) -> dict[str, Any]:
    if len(text) > LARGEST_JSON:
        raise ValueError(f"more than {LARGEST_JSON} bytes of JSON")
    words = text.decode().strip()
    found, end = _DECODER.raw_decode(words)
    if end != len(words):
        raise ValueError("something after the JSON object")
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - of a file, not of an argument
    return found


def _paths(info: Mapping[str, Any]) -> dict[str, str]:
    layers = info.get("layers")
    named = [layer.get("path") for layer in layers if isinstance(layer, dict)] if isinstance(layers, list) else []
    return {path: path for path in named if isinstance(path, str)}


def _first_rank(place: Folder) -> int:
    try:
        names = place.folders()
    except OSError:
        return 0
    ranks = [int(name[4:]) for name in names if name[:4] == "rank" and name[4:].isdecimal() and len(name) < 20]
    return min(ranks, default=0)


def _listed(names: Callable[[], list[str]]) -> list[str]:
    """Return the names in a folder; none where there is no such folder, or nobody says what is in it."""
    try:
        return names()
    except OSError:
        return []


def _is_update(name: str) -> bool:
    return name.isdecimal() and name.isascii() and 8 <= len(name) < 19


def _is_segment(name: str) -> bool:
    stem, dot, suffix = name.partition(".")
    return stem.isdecimal() and f"{dot}{suffix}" == SEGMENT_SUFFIX


def _step(value: Any) -> int:
    step = int(value)
    if not 0 <= step < 2**63:
        raise ValueError(f"step {step!s:.30}")
    return step


def _lives(process: Any) -> bool:
    """Return whether a process of this computer is there; True where that cannot be asked."""
    if os.name != "posix" or not isinstance(process, int) or not 0 < process < 2**31:
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _check_header(block: bytes) -> None:
    """Raise where a block of arrays says more about them than there is to say."""
    if int.from_bytes(block[:8], "little") > _LARGEST_TRACE_HEADER:
        raise ValueError("the description of the arrays is too long")


def _unpacked(record: Record, where: str) -> Trace:
    try:
        _check_header(record.payload)
        trace = unpack_trace(record.payload, where)
    except StudioError as error:
        raise RunError(error.found, "Look at another step.") from error
    except (ValueError, RecursionError) as error:
        raise RunError(f"{where}: the trace is damaged ({error!s:.200}).", "Look at another step.") from error
    for name, array in trace.arrays.items():
        if array.dtype.name not in _TRACE_DTYPES:
            raise RunError(f"{where}, array {name[:80]!r}, is {array.dtype}.", "Look at another step.")
    return trace


def _merged(parts: list[Trace]) -> Trace:
    """Return the traces of several modules as one; the input is that of the first."""
    arrays: dict[str, NDArray[Any]] = {}
    for part in parts:
        arrays |= {name: array for name, array in part.arrays.items() if name not in arrays}
    # In the order of ``ls.trace``; the blocks on disk have none.
    signals = [f"{layer.prefix}.{signal.name}" for part in parts for layer in part.layers for signal in layer.signals]
    usual = ["input", *signals, *(f"grad.{name}" for name in signals), "grad.input"]
    order = {name: None for name in (*usual, *sorted(arrays)) if name in arrays}
    arrays = {name: arrays[name] for name in order}
    first = parts[0].provenance
    provenance: Provenance = replace(
        first,
        objective=next((part.provenance.objective for part in parts if part.provenance.objective), ""),
        recovery_error=max(part.recovery_error for part in parts),
        non_finite=tuple(found for part in parts for found in part.provenance.non_finite),
    )
    return Trace(arrays, tuple(layer for part in parts for layer in part.layers), provenance)


def _some(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:8])) or "none"
    return f"{shown} …" if len(numbers) > 8 else shown
