"""``ls.watch``: records what the recurrent layers of a model do while it trains."""

from __future__ import annotations

import atexit
import json
import math
import os
import sys
import time
import warnings
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import torch
from torch import Tensor, nn

from lstm_studio import __version__
from lstm_studio.arguments import instance, number, one_of, path_of, text, whole_number, wrong
from lstm_studio.engine.capture import recurrent_modules
from lstm_studio.errors import RunError, StudioError
from lstm_studio.runs.blocks import gradient_dtype
from lstm_studio.runs.format import (
    FORMAT,
    LARGEST_JSON,
    LAYER,
    PARAMETERS,
    RUN_FILE,
    SEGMENT_BYTES,
    STATISTICS,
    STORE_SEGMENT_BYTES,
    STORE_SEGMENT_SECONDS,
    Line,
    rank_folder,
)
from lstm_studio.runs.pace import Pace
from lstm_studio.runs.places import local
from lstm_studio.runs.sampled import Sample, records_of
from lstm_studio.runs.sampling import Sampler
from lstm_studio.runs.weights import Weights, numbers
from lstm_studio.runs.writer import Later, Writer

_DTYPES = ("float16", "float32", "float64")
_WRAPPERS = {"DistributedDataParallel": "module", "DataParallel": "module", "OptimizedModule": "_orig_mod"}
_SILENT_SAMPLES = 2
"""So many sampled steps without a call of a recurrent layer are worth a warning."""
_SCALARS_SECONDS = 1.0
"""Numbers on an accelerator wait so long: to ask for each at once would make the training wait for the device."""
_SEGMENTS = {"disk": (SEGMENT_BYTES, math.inf), "store": (STORE_SEGMENT_BYTES, STORE_SEGMENT_SECONDS)}
_RANKS = 'Give "0", "0,3" or "all".'
_PARAMETERS = Line(PARAMETERS, PARAMETERS)


class Scaler(Protocol):
    """What multiplies the loss under mixed precision, as ``torch.amp.GradScaler`` does."""

    def get_scale(self) -> float:
        """Return the factor."""


def watch(
    model: nn.Module,
    folder: str | Path,
    every: int = 50,
    *,
    sequences: int = 1,
    ranks: str = "0",
    dtype: str = "float16",
    scaler: Scaler | None = None,
    budget: float | None = None,
    segment: str = "disk",
) -> Recorder:
    """Record a training into a folder, from its own forward and backward passes.

    Use it as ``with ls.watch(model, folder) as run:`` around the loop, and call ``run.step(loss=loss)`` once after
    each update. The model is left as it is. Nothing that goes wrong later is raised into the training: recording then
    stops, and one warning says why.

    Parameters
    ----------
    model
        Contains at least one recurrent layer or cell.
    folder
        Made if it is not there. One that holds a run already is gone on with, from its last step.
    every
        Take gates, states and gradients at every so many steps, the first one included; scalars are recorded at all.
    sequences
        How many items of the batch to take, the first ones.
    ranks
        Which processes of a distributed training record: ``"0"``, ``"0,3"`` or ``"all"``.
    dtype
        Precision in which signals are kept: ``"float16"``, ``"float32"`` or ``"float64"``. Gradients are float32, or
        float64 with the latter; norms always float64.
    scaler
        What scales the loss under mixed precision: gradients are divided by its factor.
    budget
        Largest share of the training's time that sampling may take, 0.01 for one percent: where it would take more,
        ``every`` grows, and the run says so. None for any share.
    segment
        ``"disk"``: a new file every 64 MB. ``"store"``: every 8 MB or 10 seconds, for object stores, which show a file
        when it is complete.

    Raises
    ------
    RunError
        If an argument is out of range, or the model has no recurrent layer.
    """
    return Recorder(
        model,
        path_of("folder", folder, RunError),
        every,
        sequences=sequences,
        ranks=ranks,
        dtype=dtype,
        scaler=scaler,
        budget=budget,
        segment=segment,
    )


class Recorder:
    """Records one process of a training; made by :func:`watch`, whose parameters it takes.

    Parameters
    ----------
    about
        What else ``run.json`` says of the run, by key.
    first
        Number of the first step, where a training goes back to a step that it has recorded already.
    updates_later
        Whether the update of a step comes after :meth:`step`, and :meth:`updated` after that.
    """

    def __init__(
        self,
        model: nn.Module,
        folder: Path,
        every: int,
        *,
        sequences: int,
        ranks: str,
        dtype: str,
        scaler: Scaler | None,
        budget: float | None = None,
        segment: str = "disk",
        about: Mapping[str, Any] | None = None,
        first: int | None = None,
        updates_later: bool = False,
    ) -> None:
        instance("model", model, nn.Module, RunError, "Give a torch.nn.Module.")
        every = whole_number("every", every, RunError, least=1)
        sequences = whole_number("sequences", sequences, RunError, least=1)
        one_of("dtype", dtype, _DTYPES, RunError)
        if budget is not None:
            cure = "Give a share of the time, 0.01 for one percent, or None."
            share = number("budget", budget, RunError, cure)
            if not 0 < share <= 1:
                raise wrong("budget", budget, RunError, cure)
            budget = share
        one_of("segment", segment, _SEGMENTS, RunError)
        text("ranks", ranks, RunError, _RANKS)
        if scaler is not None and not callable(getattr(scaler, "get_scale", None)):
            raise wrong("scaler", scaler, RunError, "Give the torch.amp.GradScaler that scales the loss, or None.")
        folder = local(folder)
        rank, world = place_among_processes()
        self._model, self._dtype = _unwrapped(model), dtype
        self.folder = folder
        self._layers = _described(self._model)
        self._process, self._steps, self._next = os.getpid(), 0, 0
        self._pace = Pace(every, 0, budget)
        self._ended = time.perf_counter()
        self._silent, self._sampling, self._reason = 0, False, ""
        self._waiting: list[tuple[int, float, dict[str, Any]]] = []
        self._asked = time.monotonic()
        self._writer: Writer | None = None
        self._warned = self._closed = False
        self._failure: Exception | None = None
        scale: Callable[[], float] | None = None if scaler is None else scaler.get_scale
        self._weights = Weights(self._model, self._layers)
        self._updates_later = updates_later
        self._owed: int | None = None
        self._sampler = Sampler(
            self._model, sequences, dtype, scale=scale, begins=self._weights.remember, failed=self._unsampled
        )
        if not _records(ranks, rank):
            self._closed = True
            return
        card = {
            **(about or {}),
            "format": FORMAT,
            "program": f"LSTM Studio {__version__}",
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "layers": self._layers,
            "every": every,
            "sequences": sequences,
            "dtype": dtype,
            "gradient_dtype": gradient_dtype(dtype),
            "ranks": ranks,
            "world_size": world,
            **({} if budget is None else {"budget": budget}),
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
            before = _steps_before(folder, rank, self._layers)
            self._next = before if first is None else first
            self._pace = Pace(every, self._next, budget)
            self._writer = Writer(folder / rank_folder(rank), *_SEGMENTS[segment])
            _write_once(folder / RUN_FILE, card)
            self._prepare()
        except (OSError, StudioError) as error:
            self._stop(error)
        # A script may end without closing it; this does not keep the model alive until then.
        atexit.register(_close_at_exit, weakref.ref(self))

    @property
    def layers(self) -> list[str]:
        """Attribute paths of the recurrent modules that are recorded; a bare module is called after its kind."""
        return [layer["path"] for layer in self._layers]

    @property
    def failure(self) -> Exception | None:
        """Why nothing more is recorded; None where recording goes on, or was ended."""
        return self._failure

    @property
    def written(self) -> int:
        """How many records the operating system has; not even the end of the process can lose those."""
        return 0 if self._writer is None else self._writer.written

    def step(self, *, step: int | None = None, **scalars: Any) -> None:
        """Record one training step; call it once after each update.

        Parameters
        ----------
        step
            Its number, where the training counts in its own way; by default one more than the last, from 0.
        scalars
            Numbers or tensors of one number: ``loss=loss, accuracy=0.93``.
        """
        if self._closed or os.getpid() != self._process:
            return
        try:
            self._step(self._next if step is None else step, scalars)
        except Exception as error:  # noqa: BLE001 - the training goes on whatever happens here
            self._stop(error)

    def updated(self) -> None:
        """Record how far the update has moved the weights, where it comes after :meth:`step`."""
        if self._owed is None or self._writer is None or self._closed or os.getpid() != self._process:
            return
        try:
            self._writer.put(_PARAMETERS, {"step": self._owed, "values": self._weights.update_norms()})
            self._owed = None
            self._weights.forget()
        except Exception as error:  # noqa: BLE001 - as above
            self._stop(error)

    def log(self, *, step: int | None = None, **scalars: Any) -> None:
        """Record numbers beside those of an update, as of an evaluation; this counts as no step.

        Parameters
        ----------
        step
            To which they belong; by default the last one.
        scalars
            Numbers or tensors of one number.
        """
        if self._closed or self._writer is None or os.getpid() != self._process:
            return
        try:
            self._waiting.append((max(self._next - 1, 0) if step is None else step, time.time(), _row(scalars)))
            self._write_scalars(self._writer)
        except Exception as error:  # noqa: BLE001 - as above
            self._stop(error)

    def event(self, kind: str, **about: Any) -> None:
        """Record that something has happened.

        Parameters
        ----------
        kind
            What.
        about
            More of it, in values that JSON has.
        """
        if self._writer is not None and not self._closed:
            self._writer.event(kind, **about)

    def lags(self, step: int, name: str, found: Mapping[str, Mapping[str, Any]]) -> None:
        """Record gradients by lag that were taken apart from the training step.

        Parameters
        ----------
        step
            Of the training.
        name
            Whose they are.
        found
            Layer → signal → norm for each lag, as ``docs/run-format.md`` describes.
        """
        if self._writer is not None and not self._closed:
            line = Line(f"{LAYER}{name}", STATISTICS)
            self._writer.put(line, {"step": step, "item": 0, "values": {}, "lags": found})

    def close(self) -> None:
        """Write what is waiting and the end of the run, and leave the model as it was."""
        self._close(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close(error)

    def _step(self, step: int, scalars: dict[str, Any]) -> None:
        writer = self._writer
        if writer is None:
            return
        if writer.failure:
            self._stop(OSError(writer.failure))
            return
        began = time.perf_counter()
        row = _row(scalars)
        self._waiting.append((step, time.time(), row))
        if self._sampling:
            self._write_samples(writer, step)
        on_host = all(not isinstance(value, Tensor) or value.device.type == "cpu" for value in row.values())
        if on_host or self._sampling or time.monotonic() - self._asked > _SCALARS_SECONDS:
            self._write_scalars(writer)
        self._steps += 1
        self._next = step + 1
        self._count(writer, began)
        self._prepare()
        self._ended = time.perf_counter()

    def _count(self, writer: Writer, began: float) -> None:
        """Count the step, and take fewer samples from now on where they cost more than they may."""
        within = self._sampler.seconds if self._sampling else 0.0
        if self._pace.took(began - self._ended - within, time.perf_counter() - began + within):
            pace = self._pace
            share = f"{1e3 * pace.cost:.3g} ms beside a step of {1e3 * pace.step:.3g} ms"
            writer.event("every", step=self._next, every=pace.every, reason=f"sampling takes {share}")

    def _prepare(self) -> None:
        """Watch the step that comes, if it is one of those to sample."""
        # Counted by calls: a training that counts in its own way may never come to a multiple.
        self._sampling = self._pace.is_sampled()
        if self._sampling:
            self._sampler.arm()

    def _write_scalars(self, writer: Writer) -> None:
        self._asked = time.monotonic()
        tensors = [value for _, _, row in self._waiting for value in row.values() if isinstance(value, Tensor)]
        found = iter(numbers(tensors))
        for step, wall, row in self._waiting:
            values = {name: next(found) if isinstance(value, Tensor) else value for name, value in row.items()}
            writer.put_row(step, wall, values)
        self._waiting.clear()

    def _write_samples(self, writer: Writer, step: int) -> None:
        samples = self._take()
        parameters = {"step": step, "values": self._weights.norms(updated=not self._updates_later)}
        if self._updates_later:
            self._owed = step
        else:
            self._weights.forget()
        if samples:
            # Not here: the training need not wait for it.
            size = sum(sample.nbytes for sample in samples)
            writer.put_later(Later(partial(records_of, samples, step, self._dtype), size, step))
        writer.put(_PARAMETERS, parameters)
        self._silent = 0 if samples else self._silent + 1
        if self._silent == _SILENT_SAMPLES:
            self._warn(
                f"LSTM Studio records numbers only: {self._reason}"
                if self._reason
                else f"LSTM Studio has seen no call of {', '.join(self.layers)} in {_SILENT_SAMPLES} sampled steps and "
                "records numbers only: is it this model that trains, and is run.step called after each update? "
                "A compiled model has to be watched before it is compiled."
            )
            writer.event("nothing captured", step=step)

    def _take(self) -> list[Sample]:
        try:
            return self._sampler.take()
        except Exception as error:  # noqa: BLE001 - one step that cannot be recovered is no reason to stop
            self._unsampled(error)
            return []

    def _unsampled(self, error: Exception) -> None:
        """Say in the run why a step has no trace."""
        self._reason = _words(error)
        if self._writer is not None:
            self._writer.event("not captured", step=self._next, reason=self._reason)

    def _stop(self, error: Exception) -> None:
        """Record nothing from now on, and say why, once."""
        self._closed, self._failure = True, error
        with suppress(Exception):
            self._sampler.disarm()
        if self._writer is not None:
            with suppress(Exception):
                self._writer.event("stopped", reason=_words(error))
                self._writer.close(reason=_words(error))
        self._warn(f"LSTM Studio stopped recording {self.folder}, and the training goes on: {_words(error)}")

    def _close(self, error: BaseException | None) -> None:
        if self._closed or os.getpid() != self._process:
            return
        self._closed = True
        with suppress(Exception):
            self._sampler.disarm()
        writer = self._writer
        if writer is None:
            return
        try:
            if self._waiting:
                self._write_scalars(writer)
            stopped = error is not None and not isinstance(error, KeyboardInterrupt | SystemExit)
            writer.close(**({"error": _words(error)} if stopped else {}))
        except Exception as failed:  # noqa: BLE001 - as above
            self._warn(f"LSTM Studio could not end the run in {self.folder}: {_words(failed)}")
            return
        if writer.failure:
            self._warn(f"LSTM Studio stopped recording {self.folder}: {writer.failure}")
        elif not self._steps and error is None:
            self._warn(f"LSTM Studio has recorded nothing in {self.folder}: run.step was never called.")

    def _warn(self, words: str) -> None:
        if self._warned:
            return
        self._warned = True
        try:
            warnings.warn(words, RuntimeWarning, stacklevel=4)
        except RuntimeWarning:
            # Warnings are errors here; this one may not end a training.
            sys.stderr.write(f"{words}\n")


def _close_at_exit(recorder: weakref.ref[Recorder]) -> None:
    found = recorder()
    if found is not None:
        found._close(getattr(sys, "last_value", None))


def _words(error: BaseException | None) -> str:
    return str(error) or type(error).__name__


def _row(scalars: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.detach() if isinstance(value, Tensor) else float(value) for name, value in scalars.items()}


def place_among_processes() -> tuple[int, int]:
    """Return the rank of this process and how many there are, without a word to the others."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return _told("RANK", "SLURM_PROCID"), max(_told("WORLD_SIZE", "SLURM_NTASKS"), 1)


def _told(*variables: str) -> int:
    """Return a number that whatever started the processes has set, 0 where nothing did."""
    value = next((os.environ[variable] for variable in variables if variable in os.environ), "")
    return int(value) if value.isdecimal() else 0


def _records(ranks: str, rank: int) -> bool:
    if ranks == "all":
        return True
    wanted = [part.strip() for part in ranks.split(",")]
    if not all(part.isdecimal() for part in wanted):
        raise wrong("ranks", ranks, RunError, _RANKS)
    return rank in {int(part) for part in wanted}


def _unwrapped(model: nn.Module) -> nn.Module:
    """Return the model that others have wrapped, by whose paths its layers are known."""
    while (inner := _WRAPPERS.get(type(model).__name__)) is not None:
        model = model.get_submodule(inner)
    return model


def _described(model: nn.Module) -> list[dict[str, Any]]:
    try:
        modules = recurrent_modules(model)
    except StudioError as error:
        raise RunError(error.found, error.cure) from error
    found = []
    for path, (module, cell) in modules.items():
        sizes = cell.sizes(module)
        about: dict[str, Any] = {"path": path or cell.kind, "kind": cell.kind, "title": cell.title, "module": path}
        about |= {"input_size": sizes.input_size, "hidden_size": sizes.hidden_size, "layers": sizes.layers}
        found.append({**about, "directions": sizes.directions})
    return found


def _steps_before(folder: Path, rank: int, layers: list[dict[str, Any]]) -> int:
    """Return the number of the step that comes next: 0 in a new run.

    Raises
    ------
    RunError
        If the folder holds the run of another model, or one that a later version has begun.
    """
    if not (folder / RUN_FILE).exists():
        return 0
    from lstm_studio.runs.reader import open_run

    run = open_run(folder, rank=rank)
    if run.info.get("layers") != layers:
        raise RunError(f"{folder} holds the run of another model.", "Give this training a folder of its own.")
    done = [steps[-1] for steps, _ in run.scalars.values()]
    return int(max(done)) + 1 if done else 0


def _write_once(path: Path, about: dict[str, Any]) -> None:
    """Write what the run is, unless it is written; nobody ever sees a part of it."""
    if path.exists():
        return
    words = json.dumps(about, indent=2)
    if len(words) > LARGEST_JSON:
        raise RunError(
            f"{path}: the description of {len(about['layers'])} layers is too long.", "Watch a part of them."
        )
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(words, "utf-8")
    part.replace(path)
