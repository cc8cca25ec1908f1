"""The work behind the window: requests go in, answers come out, whoever runs it decides on which thread.

Everything heavy is imported inside the functions, so that importing this module loads neither torch nor a reader.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_studio.errors import SequenceError, StudioError, TraceError
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.progress import Progress
from lstm_studio.sequences.options import ReadOptions
from lstm_studio.sequences.sequence import Scaling, SequenceSet
from lstm_studio.session.branches import fits, traces_of, with_gradients
from lstm_studio.session.preparing import prepared, with_events
from lstm_studio.session.question import Question
from lstm_studio.session.state import Branch, Match, Result, Second, Setup, Verdicts

if TYPE_CHECKING:
    from lstm_studio.engine.trace import Trace
    from lstm_studio.networks.network import Network
    from lstm_studio.networks.spec import NetworkInfo

MOST_VERDICTS = 1_000
"""Sequences classified for the list in the window; more would keep the worker from the next trace."""

_MOST_NETWORKS = 8
_LEAST_NETWORKS = 3
"""One, its companion, and one to compare with."""
_MOST_WEIGHTS = 512 * 2**20
"""Bytes of weights that are kept, beyond those of the least number of networks."""

_MOST_SPARE = 256 * 2**20
"""Bytes of traces of what-ifs that are not in the setup any more, kept because undo may bring them back."""


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Load torch and run one LSTM and one Adam step, so that the first request after it is fast."""


@dataclass(frozen=True, slots=True)
class Warm:
    """Answer to :class:`WarmUp`: devices found, torch's version and the seconds it took."""

    devices: tuple[str, ...]
    torch_version: str
    seconds: float


@dataclass(frozen=True, slots=True)
class OpenFile:
    """Read a sequence file or folder."""

    path: str
    options: ReadOptions


@dataclass(frozen=True, eq=False, slots=True)
class Opened:
    """Answer to :class:`OpenFile`: the sequences, and the piece length and the scaling that suit them."""

    request: OpenFile
    data: SequenceSet
    piece_length: int | None
    scaling: Scaling = Scaling.NONE


@dataclass(frozen=True, eq=False, slots=True)
class Compute:
    """Trace the networks of a setup; answered with a :class:`~lstm_studio.session.state.Result`."""

    setup: Setup


@dataclass(frozen=True, eq=False, slots=True)
class Judge:
    """Classify every sequence of a result; answered with :class:`~lstm_studio.session.state.Verdicts`."""

    result: Result


@dataclass(frozen=True, eq=False, slots=True)
class Export:
    """Save the traces of a result; answered with :class:`Exported`.

    Parameters
    ----------
    result
        Whose traces.
    path
        Where the first network's trace goes; its suffix is the format. A companion's goes to ``NAME.companion.*``.
    """

    result: Result
    path: str


@dataclass(frozen=True, eq=False, slots=True)
class Answered:
    """Answer to a question: whatever its kind answers."""

    content: Any


@dataclass(frozen=True, slots=True)
class Exported:
    """Answer to :class:`Export`: the files written."""

    paths: tuple[str, ...]


Request = WarmUp | OpenFile | Compute | Judge | Export | Question
Answer = Warm | Opened | Result | Verdicts | Exported | Answered


class Computer:
    """Answers requests, keeping what the next one is likely to need again: networks built, sequences prepared."""

    def __init__(self) -> None:
        self._networks: dict[tuple[object, ...], Network] = {}
        self._prepared: tuple[SequenceSet, Scaling, int | None, SequenceSet] | None = None
        self._shelves: dict[type[Question], dict[str, Any]] = {}
        self._recorded: _Recorded | None = None
        self._second: tuple[object, tuple[Trace, NetworkInfo]] | None = None

    def answer(self, request: Request, progress: Progress) -> Answer:
        """Return the answer to a request.

        Raises
        ------
        StudioError
            If the user has to put something right.
        Cancelled
            If ``progress`` raised it.
        """
        match request:
            case WarmUp():
                return self._warm_up()
            case OpenFile():
                return self._open(request, progress)
            case Compute():
                return self.compute(request.setup, progress)
            case Judge():
                return self._judge(request.result, progress)
            case Export():
                return _export(request, progress)
            case Question():
                return Answered(request.answer(self, progress))

    def _warm_up(self) -> Warm:
        start = time.perf_counter()
        import torch

        from lstm_studio.engine.devices import available_devices, use_interactive_threads

        use_interactive_threads()
        module = torch.nn.LSTM(2, 2)
        optimiser = torch.optim.Adam(module.parameters())
        module(torch.zeros(3, 2))[0].sum().backward()
        optimiser.step()
        return Warm(available_devices(), str(torch.__version__), time.perf_counter() - start)

    def _open(self, request: OpenFile, progress: Progress) -> Opened:
        from lstm_studio.sequences.opening import open_sequence
        from lstm_studio.sequences.pieces import suggest_piece_length
        from lstm_studio.sequences.scaling import suggest_scaling

        data = open_sequence(request.path, options=request.options, progress=progress)
        return Opened(request, data, suggest_piece_length(data), suggest_scaling(data))

    def compute(self, setup: Setup, progress: Progress) -> Result:
        """Trace the networks of a setup, its what-ifs, and what else it wants to be compared with.

        What the last setup had too is not computed again: another what-if costs its own trace and no other.

        Raises
        ------
        StudioError
            If a checkpoint cannot be read, does not fit the sequences, the trace fails its own check, or a what-if
            holds something in a network in which nothing can be held.
        """
        if setup.recorded is not None:
            from lstm_studio.session.recorded import recorded_result

            found = recorded_result(setup.recorded, progress)
            return replace(found, setup=setup, sequences=setup.data, sequence=setup.data[setup.item])
        progress(0.0, "Preparing the sequences")
        sequences = self._prepare(setup)
        if not 0 <= setup.item < len(sequences):
            raise SequenceError(
                f"There is no sequence {setup.item}: {sequences.title} has {len(sequences)}, counted from 0."
            )
        alone = replace(setup, branches=(), second=None)
        networks = self._build_networks(setup, sequences)
        recorded = self._recorded
        if recorded is None or recorded.result.setup != alone or recorded.networks != networks:
            recorded = self._recorded = _Recorded(self._record(alone, sequences, networks, progress), networks)
        branches = tuple(recorded.branch(branch, progress) for branch in setup.branches)
        recorded.forget_all_but(setup.branches)
        second = None if setup.second is None else self._compare(setup, setup.second, recorded.result, progress)
        return replace(recorded.result, setup=setup, branches=branches, second=second)

    def _record(
        self, setup: Setup, sequences: SequenceSet, networks: tuple[Network, ...], progress: Progress
    ) -> Result:
        """Trace the networks on the shown sequence."""
        from lstm_studio.engine.tracing import trace

        sequence = with_events(setup, sequences)
        infos, traces = [], []
        for index, network in enumerate(networks):
            info = network.info()
            progress((index + 0.5) / len(networks), f"Tracing {info.title}, {info.hidden_size} units")
            infos.append(info)
            traces.append(
                trace(
                    network,
                    sequence,
                    objective=setup.objective,
                    memory=setup.memory,
                    device=setup.device,
                    dtype=setup.dtype,
                )
            )
        return Result(setup, sequences, sequence, tuple(infos), tuple(traces))

    def _compare(self, setup: Setup, second: Second, recorded: Result, progress: Progress) -> tuple[Trace, NetworkInfo]:
        """Trace what else is to be compared with, unless the last request did so already."""
        from lstm_studio.engine.tracing import trace

        sequences = recorded.sequences
        item = setup.item if second.item is None else second.item
        if not 0 <= item < len(sequences):
            raise SequenceError(
                f"There is no sequence {item} to compare with: {sequences.title} has {len(sequences)}, counted from 0."
            )
        sequence = recorded.sequence if item == setup.item else sequences[item]
        network = self._build(second.network or setup.network, sequences)
        info = network.info()
        known = (sequence, network, setup.objective, setup.device, setup.dtype)
        if self._second is None or self._second[0] != known:
            progress(-1.0, f"Tracing {info.title} to compare with")
            arguments: dict[str, Any] = {"device": setup.device, "dtype": setup.dtype}
            try:
                traced = trace(network, sequence, objective=setup.objective, **arguments)
            except TraceError:
                # It may be about a step, a unit, a target or a read-out that this one has not.
                traced = trace(network, sequence, **arguments)
            self._second = (known, (traced, info))
        return self._second[1]

    def _prepare(self, setup: Setup) -> SequenceSet:
        """Scale and cut, unless the last request did so already."""
        if self._prepared is not None:
            data, scaling, length, known = self._prepared
            if data is setup.data and scaling is setup.scaling and length == setup.piece_length:
                return known
        sequences = prepared(setup)
        self._shelves.clear()
        self._prepared = (setup.data, setup.scaling, setup.piece_length, sequences)
        return sequences

    def _build_networks(self, setup: Setup, sequences: SequenceSet) -> tuple[Network, ...]:
        network = self._build(setup.network, sequences)
        if setup.companion is None:
            return (network,)
        matched = _matched(setup.companion, network, setup, len(sequences.names))
        return network, self._build(matched, sequences)

    def _build(self, spec: NetworkSpec, sequences: SequenceSet) -> Network:
        from lstm_studio.networks.network import build

        # A checkpoint that is written again is read again.
        stamp = None
        if spec.checkpoint is not None:
            # What is not there, or may not be read, is refused by its reader.
            with contextlib.suppress(OSError):
                stamp = Path(spec.checkpoint).stat().st_mtime_ns
        features, classes = len(sequences.names), len(sequences.classes)
        key = (spec, features, classes, stamp)
        if key not in self._networks:
            self._networks[key] = build(spec, features, classes)
        # The newest last, so that the oldest is forgotten first.
        network = self._networks[key] = self._networks.pop(key)
        while len(self._networks) > _LEAST_NETWORKS and (
            len(self._networks) > _MOST_NETWORKS or sum(map(_bytes_of, self._networks.values())) > _MOST_WEIGHTS
        ):
            del self._networks[next(iter(self._networks))]
        return network

    def networks_of(self, result: Result) -> tuple[Network, ...]:
        """Return the networks that traced a result, in its order.

        Raises
        ------
        StudioError
            If the traces were recorded, as a network of the same size would be another one.
        """
        if result.setup.recorded is not None:
            from lstm_studio.session.session import WITHOUT_NETWORK

            raise StudioError(*WITHOUT_NETWORK)
        return self._build_networks(result.setup, result.sequences)

    def with_gradients(self, result: Result, place: int, progress: Progress) -> tuple[Trace, ...]:
        """Return the traces of a what-if of a result with gradients, and know them from then on.

        Raises
        ------
        StudioError
            If it has none, or what was recorded cannot be traced again.
        """
        self.compute(result.setup, progress)
        assert self._recorded is not None  # noqa: S101 - compute has just filled it
        return self._recorded.with_gradients(result.setup.branches[place], progress)

    def shelf(self, kind: type[Question]) -> dict[str, Any]:
        """Return what questions of a kind keep for the next one; emptied when other sequences are opened."""
        return self._shelves.setdefault(kind, {})

    def _judge(self, result: Result, progress: Progress) -> Verdicts:
        networks = self.networks_of(result)
        predictions = tuple(_classes(network, result, progress) for network in networks)
        return Verdicts(result.sequences, tuple(info.fingerprint for info in result.infos), predictions)


def _bytes_of(network: Network) -> int:
    return sum(weights.nbytes for weights in network.module.parameters())


class _Recorded:
    """The recorded traces of the last setup, and the what-ifs computed from them."""

    def __init__(self, result: Result, networks: tuple[Network, ...]) -> None:
        self.result = result
        self.networks = networks
        self._branches: dict[Branch, tuple[Trace, ...]] = {}

    def branch(self, branch: Branch, progress: Progress) -> tuple[Trace, ...]:
        """Return the traces of a what-if; none where it does not fit what is recorded."""
        key = replace(branch, name="")
        if key not in self._branches:
            if not fits(branch, self.result):
                return ()
            progress(-1.0, f"What if: {branch.name}")
            self._branches[key] = traces_of(branch, self.result, self.networks)
        # The newest last, so that the oldest is forgotten first.
        self._branches[key] = self._branches.pop(key)
        return self._branches[key]

    def with_gradients(self, branch: Branch, progress: Progress) -> tuple[Trace, ...]:
        """Return the traces of a what-if with gradients, which they have from then on."""
        traces = with_gradients(self.branch(branch, progress), self.result, self.networks)
        self._branches[replace(branch, name="")] = traces
        return traces

    def forget_all_but(self, wanted: tuple[Branch, ...]) -> None:
        """Keep the traces of these branches, and of others as many as have room."""
        keep = {replace(branch, name="") for branch in wanted}
        room = _MOST_SPARE
        for key in reversed([key for key in self._branches if key not in keep]):
            own = [trace for trace in self._branches[key] if trace not in self.result.traces]
            room -= sum(trace.nbytes for trace in own)
            if room < 0:
                del self._branches[key]


def _classes(network: Network, result: Result, progress: Progress) -> tuple[int, ...] | None:
    """Return the class that a network gives each sequence at its end, or None if it gives none of the set's classes."""
    from lstm_studio.engine.tracing import trace

    info, sequences = network.info(), result.sequences
    if network.readout_kind != "classes" or info.outputs != len(sequences.classes):
        return None
    shown = sequences[:MOST_VERDICTS]
    found = []
    for index, sequence in enumerate(shown):
        progress(index / len(shown), f"Classifying the sequences, {info.title}")
        traced = trace(network, sequence, gradients=False, device=result.setup.device)
        found.append(int(traced["output"][-1].argmax()))
    return tuple(found)


def _export(request: Export, progress: Progress) -> Exported:
    first = Path(request.path)
    paths = (first, first.with_name(f"{first.stem}.companion{first.suffix}"))
    written = []
    for path, trace in zip(paths, request.result.traces, strict=False):
        progress(-1.0, f"Saving {path.name}")
        trace.save(path)
        written.append(str(path))
    return Exported(tuple(written))


def _matched(companion: NetworkSpec, network: Network, setup: Setup, features: int) -> NetworkSpec:
    """Return the companion with the sizes and the seed that the first network gives it."""
    if companion.checkpoint is not None:
        return companion
    info = network.info()
    hidden_size = info.hidden_size
    if setup.match is Match.PARAMETERS:
        from lstm_studio.networks.companion import nearest_hidden_size

        # Of the recurrent layers alone: a companion with initial weights has no read-out.
        hidden_size = nearest_hidden_size(
            companion.kind,
            sum(weights.numel() for weights in network.recurrent.parameters()),
            features,
            info.layers,
            bidirectional=info.bidirectional,
        )
    return replace(
        companion,
        hidden_size=hidden_size,
        layers=info.layers,
        bidirectional=info.bidirectional,
        seed=setup.network.seed,
    )
