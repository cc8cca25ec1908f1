"""A session in one file that opens identically anywhere: sequences, weights, traces, setup, view, notes and layout.

The layout of the file is described in ``docs/session-format.md``. Importing this module loads neither torch nor a
reader, and nothing in a file is ever run or used as a path.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from lstm_studio.engine.storage import pack_trace, unpack_trace
from lstm_studio.engine.trace import Trace
from lstm_studio.errors import SequenceError, StudioError, TraceError
from lstm_studio.networks.spec import NetworkInfo, NetworkSpec
from lstm_studio.sequences.sequence import Sequence, SequenceSet
from lstm_studio.sequences.storage import pack_set, unpack_set
from lstm_studio.sequences.tensors import texts_of, with_texts
from lstm_studio.session.archive import DAMAGE, Parts, read_parts, write_parts
from lstm_studio.session.files import SESSION_SUFFIX, is_folder
from lstm_studio.session.plain import NotPlainError, from_plain, good_fields, to_plain
from lstm_studio.session.preparing import prepared, with_events
from lstm_studio.session.session import Session
from lstm_studio.session.sound import sound_item, sound_layout, sound_remarks, sound_setup, sound_view
from lstm_studio.session.state import Remarks, Result, Setup, Verdicts, View

SUFFIX = SESSION_SUFFIX
FORMAT = "lstm-studio-session"
VERSION = 1
"""Of the layout; raised when something that was there changes its meaning. What is only added needs no new version."""

_DESCRIPTION, _COPY = "session.json", "session-copy.json"
_SEQUENCES = "sequences.safetensors"
_NETWORK, _TRACE = "networks/{}.safetensors", "traces/{}.safetensors"
_ORIGIN = "lstm_studio.origin"
"""Where the weights of a network were read from before they came into a session; only said, never opened."""

_LONGEST_DESCRIPTION = 1 << 26
"""Bytes."""

_CURE = "Ask for the file again, or open an older one."


class SessionFileError(StudioError):
    """A session could not be written or read."""


@dataclass(frozen=True, eq=False, slots=True)
class Contents:
    """A session as a file holds it.

    Parameters
    ----------
    setup, view, remarks
        As in :class:`~lstm_studio.session.session.Session`.
    result
        What is on the screen; None where it has to be computed first.
    verdicts
        How the networks classify the sequences, where that is known.
    layout
        What the window wants to find again: texts, numbers and truth values, nested.
    title
        Of what is shown.
    problems
        What of a damaged file could not be read and what stands in its place, one sentence each.
    """

    setup: Setup
    result: Result | None
    view: View = field(default_factory=View)
    remarks: Remarks = field(default_factory=Remarks)
    verdicts: Verdicts | None = None
    layout: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    title: str = ""
    problems: tuple[str, ...] = ()


def contents_of(session: Session, layout: Mapping[str, Any] | None = None) -> Contents:
    """Return what a session is now; all of it is frozen, so it can be written while the session goes on."""
    # A result that is not the wanted setup's would contradict it.
    result = None if session.waiting else session.result
    return Contents(
        setup=session.setup,
        result=result,
        view=session.view,
        remarks=session.remarks,
        verdicts=None if result is None else session.verdicts,
        layout=layout or {},
        title=session.result.sequences.title,
    )


# Writing.


def write_session(contents: Contents, path: Path) -> None:
    """Write a session to a file, which is replaced whole or not at all.

    Raises
    ------
    StudioError
        If it cannot be written, or a network of it cannot be read any more.
    """
    if path.suffix.lower() != SUFFIX:
        raise SessionFileError(f"{path.name} does not end in {SUFFIX}.", "Choose a name that does.")
    write_parts(path, _parts(contents))


def _parts(contents: Contents) -> Iterator[tuple[str, bytes]]:
    setup, result = contents.setup, contents.result
    weights = _weights(setup, result)
    networks = {checkpoint: _NETWORK.format(index) for index, checkpoint in enumerate(weights)}
    traces = _traces_of(result)
    description = {
        "format": FORMAT,
        "version": VERSION,
        "title": contents.title,
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
        "setup": _pointing(to_plain(_with_sizes(setup, result), frozenset({"data"})), networks),
        "view": to_plain(contents.view),
        "remarks": to_plain(contents.remarks),
        "result": None if result is None else _plain_result(result, traces),
        "verdicts": None if contents.verdicts is None else to_plain(contents.verdicts, frozenset({"sequences"})),
        "layout": dict(contents.layout),
    }
    written = json.dumps(description, ensure_ascii=False, indent=1, allow_nan=False).encode()
    # First, so that a file that was cut short has it; and last, for one whose beginning is gone.
    yield _DESCRIPTION, written
    for checkpoint, block in weights.items():
        yield networks[checkpoint], block
    yield _SEQUENCES, pack_set(setup.data)
    for index, trace in enumerate(traces):
        yield _TRACE.format(index), pack_trace(trace)
    yield _COPY, written


def _with_sizes(setup: Setup, result: Result | None) -> Setup:
    """Return a setup that says how large its networks are, for whoever reads it without their weights."""
    if result is None:
        return setup
    sized: dict[str, Any] = {}
    for role, info in zip(("network", "companion"), result.infos, strict=False):
        spec = getattr(setup, role)
        if spec is not None and spec.checkpoint is not None:
            sized[role] = NetworkSpec(
                info.kind, info.hidden_size, info.layers, info.bidirectional, spec.seed, spec.checkpoint
            )
    return replace(setup, **sized)


def _traces_of(result: Result | None) -> list[Trace]:
    """Return every trace of a result once: a branch that changes nothing in a network has the recorded one."""
    if result is None:
        return []
    every = [*result.traces, *(trace for branch in result.branches for trace in branch)]
    if result.second is not None:
        every.append(result.second[0])
    return list({id(trace): trace for trace in every}.values())


def _plain_result(result: Result, traces: list[Trace]) -> dict[str, Any]:
    place = {id(trace): index for index, trace in enumerate(traces)}
    second = result.second
    return {
        "infos": [to_plain(info) for info in result.infos],
        "traces": [place[id(trace)] for trace in result.traces],
        "branches": [[place[id(trace)] for trace in branch] for branch in result.branches],
        "second": None if second is None else {"trace": place[id(second[0])], "info": to_plain(second[1])},
    }


def _specs(setup: Setup) -> tuple[NetworkSpec, ...]:
    second = None if setup.second is None else setup.second.network
    return tuple(spec for spec in (setup.network, setup.companion, second) if spec is not None)


def _weights(setup: Setup, result: Result | None) -> dict[str, bytes]:
    """Return the weights of every network that was read from a checkpoint, by the path of that."""
    traced: dict[str, Trace] = {}
    if result is not None:
        shown = [spec for spec in (setup.network, setup.companion) if spec is not None]
        traced = {str(spec.checkpoint): trace for spec, trace in zip(shown, result.traces, strict=False)}
        if result.second is not None and setup.second is not None and setup.second.network is not None:
            traced.setdefault(str(setup.second.network.checkpoint), result.second[0])
    checkpoints = dict.fromkeys(spec.checkpoint for spec in _specs(setup) if spec.checkpoint is not None)
    return {checkpoint: _block(checkpoint, traced.get(checkpoint)) for checkpoint in checkpoints}


def _block(checkpoint: str, trace: Trace | None) -> bytes:
    """Return the weights with which a network was traced; where it was not, those in its file."""
    network = None if trace is None or trace.origin is None else trace.origin.network
    path = Path(checkpoint)
    if network is None and path.suffix.lower() == ".safetensors":
        try:
            block = path.read_bytes()
            return with_texts(block, {_ORIGIN: checkpoint, **texts_of(block)})
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise SessionFileError(
                f"The weights in {checkpoint} cannot be read any more: {reason}.",
                "Bring the file back, and save again.",
            ) from error
    from lstm_studio.networks.checkpoints import open_network, pack_network
    from lstm_studio.networks.network import Network

    packed = pack_network(network if isinstance(network, Network) else open_network(path))
    return with_texts(packed, {_ORIGIN: _origin_of(path)})


def _origin_of(path: Path) -> str:
    """Return where a network came from before it was part of a session, if it was."""
    if path.suffix.lower() == ".safetensors":
        try:
            with path.open("rb") as file:
                length = file.read(8)
                header = length + file.read(int.from_bytes(length, "little"))
            return texts_of(header).get(_ORIGIN, str(path))
        except (OSError, ValueError, OverflowError, MemoryError):
            return str(path)
    return str(path)


def _pointing(setup: Any, networks: Mapping[str, str]) -> Any:
    """Return a plain setup whose checkpoints are parts of the file."""
    if isinstance(setup, dict):
        return {
            key: networks.get(str(value), value) if key == "checkpoint" else _pointing(value, networks)
            for key, value in setup.items()
        }
    return setup


# Reading.


def read_session(path: Path, folder: Path) -> Contents:
    """Read a session.

    What is damaged is left out, and said in ``problems``; only without sequences there is nothing to open.

    Parameters
    ----------
    path
        The file.
    folder
        Where the weights of its networks are put for as long as the session is open.

    Raises
    ------
    StudioError
        If it is no session, of a later version, or too damaged to show anything.
    """
    if is_folder(path):
        raise SessionFileError(f"{path} is a folder.", f"Open a file in it that ends in {SUFFIX}.")
    parts = read_parts(path)
    if not parts.contents:
        raise SessionFileError(f"{path.name} is no session, or too damaged to be opened.", _CURE)
    return _Reading(path, folder, parts).contents()


@dataclass(frozen=True, slots=True)
class Headline:
    """What a session shows, and when it was saved.

    Parameters
    ----------
    title
        Of its sequences.
    saved
        In universal time.
    notes
        How many there are.
    """

    title: str
    saved: datetime
    notes: int = 0


def headline_of(path: Path) -> Headline:
    """Return the headline of a session without reading the rest.

    Raises
    ------
    StudioError
        If it is no session, or too damaged to be opened.
    """
    try:
        # A description is never long; one that claims to be is not read here.
        with zipfile.ZipFile(path) as archive, archive.open(_DESCRIPTION) as part:
            found = json.loads(part.read(_LONGEST_DESCRIPTION))
        remarks = _object(_object(found).get("remarks"))
        notes = remarks.get("notes")
        title, saved = str(found["title"]), datetime.fromisoformat(found["saved"])
        return Headline(title, saved, len(notes) if isinstance(notes, list) else 0)
    except (*DAMAGE, KeyError, TypeError, RecursionError):
        with tempfile.TemporaryDirectory() as folder:
            contents = read_session(path, Path(folder))
        saved = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return Headline(contents.title, saved, len(contents.remarks.notes))


class _Reading:
    """One file being read; collects what is wrong with it."""

    def __init__(self, path: Path, folder: Path, parts: Parts) -> None:
        self._path, self._folder, self._parts = path, folder, parts
        self._problems: list[str] = []

    def contents(self) -> Contents:
        description = self._description()
        data = self._data(description)
        said = _object(description.get("setup"))
        if description and not said:
            self._problems.append("What was set up is lost; sequences and networks could be saved.")
        setup, as_saved = self._setup(said, data)
        with np.errstate(all="ignore"):
            sequences = prepared(setup)
            setup = sound_item(setup, len(sequences))
            sequence = with_events(setup, sequences)
        result = self._result(description.get("result"), setup, sequences, sequence) if as_saved else None
        view, problems = good_fields(View, description.get("view", {}), "view")
        remarks, more = good_fields(Remarks, description.get("remarks", {}), "remarks")
        layout, wrong = sound_layout(_object(description.get("layout")))
        self._problems += [f"Damaged, and set to what is usual: {problem}." for problem in (*problems, *more, *wrong)]
        if not self._parts.whole and not self._problems:
            self._problems.append("Parts of the file were damaged, but all that it holds could be read.")
        traces = () if result is None else result.traces
        return Contents(
            setup=setup,
            result=result,
            view=sound_view(View(**view), setup, sequence.steps, traces),
            remarks=sound_remarks(Remarks(**remarks), sequences, (setup.item, sequence)),
            verdicts=None if result is None else self._verdicts(description.get("verdicts"), result),
            layout=layout,
            title=str(description.get("title", "")) or data.title,
            problems=tuple(f"{self._path.name}: {problem}" for problem in self._problems),
        )

    def _description(self) -> dict[str, Any]:
        for name in (_DESCRIPTION, _COPY):
            try:
                found = json.loads(self._parts.contents.get(name, b""))
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict) and found.get("format") == FORMAT:
                return self._migrated(found)
        if _SEQUENCES not in self._parts.contents:
            raise SessionFileError(f"{self._path.name} is no session, or too damaged to be opened.", _CURE)
        self._problems.append("The description is lost; sequences and networks could be saved.")
        return {}

    def _migrated(self, description: dict[str, Any]) -> dict[str, Any]:
        version = description.get("version")
        if not isinstance(version, int) or isinstance(version, bool) or version < 0:
            raise SessionFileError(f"{self._path.name} has a version {version!r:.40}.", _CURE)
        if version > VERSION:
            raise SessionFileError(
                f"{self._path.name} was written by a newer LSTM Studio: its layout is {version}, this program reads "
                f"those up to {VERSION}.",
                "Update LSTM Studio.",
            )
        for step in range(version, VERSION):
            try:
                description = MIGRATIONS[step](description)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                raise SessionFileError(
                    f"{self._path.name}, of layout {version}, is damaged ({error!r}).", _CURE
                ) from error
        return description

    def _data(self, description: dict[str, Any]) -> SequenceSet:
        block = self._parts.contents.get(_SEQUENCES)
        try:
            if block is not None:
                data = unpack_set(block, self._path.name)
                if min(map(len, data)) > 0:
                    return data
        except SequenceError as error:
            self._problems.append(error.found)
        return self._traced_alone(description)

    def _traced_alone(self, description: dict[str, Any]) -> SequenceSet:
        """Return the traced sequence, which each trace holds too, where all others are lost."""
        for index in range(len(self._parts.contents)):
            block = self._parts.contents.get(_TRACE.format(index))
            if block is None:
                continue
            try:
                values = unpack_trace(block, self._path.name)["input"].astype("float32")
            except TraceError:
                continue
            names = tuple(f"x{feature + 1}" for feature in range(values.shape[1]))
            self._problems.append("The sequences are lost; the one that was traced could be saved.")
            # The setup that was saved speaks of other sequences.
            kept = {"network", "companion", "match", "memory", "dtype"}
            saved = _object(description.get("setup"))
            description |= {"setup": {key: saved[key] for key in kept & saved.keys()}, "result": None, "remarks": {}}
            return SequenceSet((Sequence(values, names),), title=str(description.get("title", "")))
        raise SessionFileError(f"The sequences in {self._path.name} are lost, and with them all that it shows.", _CURE)

    def _setup(self, plain: dict[str, Any], data: SequenceSet) -> tuple[Setup, bool]:
        """Return the setup with networks that can be built, and whether it is the one that was saved."""
        lost: list[str] = []
        found = self._extracted(plain, lost)
        for name in lost:
            self._problems.append(
                f"The weights of {name} are lost; a new, untrained network of the same size is in its place."
            )
        if "network" not in found and _NETWORK.format(0) in self._parts.contents:
            found["network"] = {"checkpoint": str(self._put(_NETWORK.format(0)))}
        found.pop("data", None)
        fields, problems = good_fields(Setup, found, "setup")
        setup, wrong = sound_setup(Setup(data, **fields), len(data.names))
        problems = (*problems, *wrong)
        self._problems += [f"Damaged, and set to what is usual: {problem}." for problem in problems]
        return setup, bool(plain) and not lost and not problems

    def _extracted(self, plain: Any, lost: list[str]) -> Any:
        """Return a plain setup whose checkpoints are files in the folder; name those whose weights are lost."""
        if not isinstance(plain, dict):
            return plain
        found = {key: self._extracted(value, lost) for key, value in plain.items()}
        part = found.get("checkpoint")
        if part is not None:
            # Whatever path a file names, only its own parts are opened.
            if isinstance(part, str) and part.startswith("networks/") and part in self._parts.contents:
                found["checkpoint"] = str(self._put(part))
            else:
                found["checkpoint"] = None
                lost.append(str(found.get("kind", "a network")))
        return found

    def _put(self, part: str) -> Path:
        """Write the weights of one network to the folder, under the name that they had."""
        block = self._parts.contents[part]
        try:
            origin = texts_of(block).get(_ORIGIN, "")
        except ValueError:
            origin = ""
        stem = re.split(r"[/\\]", origin)[-1].rpartition(".")[0]
        safe = re.sub(r"[^\w .+=-]", "-", stem).strip(" .")[:80] or "network"
        digest = hashlib.sha256(block).hexdigest()[:16]
        path = self._folder / digest / f"{safe}.safetensors"
        try:
            if not path.is_file() or path.stat().st_size != len(block):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(block)
        except OSError as error:
            raise SessionFileError(
                f"The networks of {self._path.name} need room in {self._folder}: {error.strerror or error}.",
                "Make room on the disk.",
            ) from error
        return path

    def _result(self, plain: object, setup: Setup, sequences: SequenceSet, sequence: Sequence) -> Result | None:
        """Return what was on the screen, or None where its traces are lost or not those of the setup."""
        if plain is None:
            return None
        try:
            return self._read_result(_object(plain), setup, sequences, sequence)
        except (StudioError, KeyError, TypeError, IndexError, ValueError) as error:
            self._problems.append(f"What it shows is computed again, as the traces are lost ({_words(error)}).")
            return None

    def _read_result(self, plain: dict[str, Any], setup: Setup, sequences: SequenceSet, sequence: Sequence) -> Result:
        infos = from_plain(tuple[NetworkInfo, ...], plain["infos"], "infos")
        specs = [spec for spec in (setup.network, setup.companion) if spec is not None]
        made: dict[int, Trace] = {}

        def trace_at(index: object) -> Trace:
            if not isinstance(index, int):
                raise NotPlainError(f"trace {index!r:.40}")
            if index not in made:
                made[index] = unpack_trace(self._parts.contents[_TRACE.format(index)], f"trace {index}")
            return made[index]

        traces = tuple(trace_at(index) for index in plain["traces"])
        branches = tuple(tuple(trace_at(index) for index in branch) for branch in plain["branches"])
        if not len(infos) == len(traces) == len(specs) or len(branches) != len(setup.branches):
            raise NotPlainError(f"{len(traces)} traces of {len(specs)} networks")
        for trace in (*traces, *(trace for branch in branches for trace in branch)):
            _check_fit(trace, sequence)
        for trace in traces:
            if trace.provenance.sequence not in {"", sequence.fingerprint}:
                raise NotPlainError("they are of another sequence")
        second = None
        if setup.second is not None:
            described = _object(plain["second"])
            info = from_plain(NetworkInfo, described["info"], "second.info")
            other = sequence if setup.second.item in {None, setup.item} else sequences[setup.second.item or 0]
            traced = trace_at(described["trace"])
            _check_fit(traced, other)
            second = (traced, _sourced(info, setup.second.network or setup.network))
        infos = tuple(_sourced(info, spec) for info, spec in zip(infos, specs, strict=True))
        return Result(setup, sequences, sequence, infos, traces, branches, second)

    def _verdicts(self, plain: object, result: Result) -> Verdicts | None:
        if plain is None:
            return None
        try:
            verdicts = from_plain(Verdicts, plain, "verdicts", {"sequences": result.sequences})
        except NotPlainError:
            return None
        classes, fingerprints = len(result.sequences.classes), tuple(info.fingerprint for info in result.infos)
        for predictions in verdicts.predictions:
            if predictions is not None and not all(0 <= one < classes for one in predictions):
                return None
        fits = verdicts.networks == fingerprints and len(verdicts.predictions) == len(fingerprints)
        return verdicts if fits else None


def _check_fit(trace: Trace, sequence: Sequence) -> None:
    """Raise unless every array of a trace has a row for every step of the sequence."""
    if trace["input"].shape != (sequence.steps, sequence.features):
        raise NotPlainError(f"{trace.steps} steps of {trace['input'].shape[1]} features")
    for name, array in trace.arrays.items():
        if len(array) != sequence.steps:
            raise NotPlainError(f"{name} has {len(array)} steps")


def _sourced(info: NetworkInfo, spec: NetworkSpec) -> NetworkInfo:
    return info if spec.checkpoint is None else replace(info, source=spec.checkpoint)


def _object(plain: object) -> dict[str, Any]:
    return dict(plain) if isinstance(plain, dict) else {}


def _words(error: Exception) -> str:
    if isinstance(error, StudioError):
        return error.found.rstrip(".")
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


# Older layouts.


def _from_0(description: dict[str, Any]) -> dict[str, Any]:
    """Bring the draft of the layout, which had the notes beside the setup and no pins, to the first one."""
    notes = description.pop("notes", [])
    return {**description, "version": 1, "remarks": {"notes": notes}}


MIGRATIONS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = MappingProxyType({0: _from_0})
"""What brings a description of one version to the next."""
