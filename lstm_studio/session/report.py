"""One page that says everything about what is shown: pictures, numbers and settings, in a file that needs no other."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

import lstm_studio
from lstm_studio.engine.trace import Trace
from lstm_studio.networks.spec import NetworkInfo, NetworkSpec
from lstm_studio.progress import Progress
from lstm_studio.resources import resources_folder
from lstm_studio.session.autosave import desks_folder
from lstm_studio.session.question import Question, Tools
from lstm_studio.session.state import Remarks, Result, View
from lstm_studio.session.writing import write_whole

MOST_STEPS = 1_000
"""Steps whose numbers the tables list; the files of "Export numbers" have all."""
_MOST_FEATURES = 8


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers under their heads, as text."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, eq=False, slots=True)
class WriteReport(Question):
    """Write a page about a result; answered with its path.

    Parameters
    ----------
    path
        Of the file, ``.html``.
    result, view, remarks
        What it is about.
    picture
        PNG.
    picture_words
        What the picture shows, for those who do not see it.
    """

    path: str
    result: Result
    view: View
    remarks: Remarks
    picture: bytes
    picture_words: str

    title: ClassVar[str] = "Writing the report"
    about_result: ClassVar[bool] = False

    def answer(self, tools: Tools, progress: Progress) -> str:  # noqa: ARG002 - all numbers are in the result
        """Write the page."""
        import torch

        progress(-1.0, self.title)
        page = report_page(
            self.result,
            self.view,
            self.remarks,
            picture=self.picture,
            picture_words=self.picture_words,
            torch_version=str(torch.__version__),
        )
        write_whole(Path(self.path), page.encode())
        return self.path


def report_page(
    result: Result, view: View, remarks: Remarks, *, picture: bytes, picture_words: str, torch_version: str
) -> str:
    """Return the page as HTML; every text in it is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=FileSystemLoader(resources_folder() / "report"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    facts = [_network_facts(result, index) for index in range(len(result.infos))]
    notes = sorted((note.step + 1, note.text) for note in remarks.notes if note.item == result.setup.item)
    return environment.get_template("report.html.j2").render(
        title=result.sequences.title or "Sequence",
        subtitle=f"Step {view.cursor + 1} of {result.sequence.steps}, "
        + " and ".join(info.title for info in result.infos),
        caption=f"Signals and gradients up to step {view.cursor + 1} of {result.sequence.steps}.",
        picture=base64.b64encode(picture).decode(),
        picture_words=picture_words,
        sequence=_sequence_facts(result),
        networks=[{"title": info.title, "facts": known} for info, known in zip(result.infos, facts, strict=True)],
        network_facts=list(facts[0]),
        notes=notes,
        branches=[
            (branch.name, difference_words(result.traces, traces))
            for branch, traces in zip(result.setup.branches, result.branches, strict=False)
        ],
        tables=list(_tables(result, view)),
        settings=json.dumps(_settings(result), indent=2, ensure_ascii=False),
        version=lstm_studio.__version__,
        torch=torch_version,
        date=dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _sequence_facts(result: Result) -> list[tuple[str, str]]:
    sequence, sequences = result.sequence, result.sequences
    facts = [
        ("Source", sequences.source),
        ("Sequence", f"{result.setup.item + 1} of {len(sequences)}"),
        ("Length", f"{sequence.steps:,} steps"),
        ("Features", ", ".join(sequence.names[:_MOST_FEATURES]) + (" …" if sequence.features > _MOST_FEATURES else "")),
        ("Scaling", sequences.scaling.value),
    ]
    if result.setup.events:
        facts.append(("Added by hand", f"{len(result.setup.events)} at the end"))
    return facts


def _network_facts(result: Result, network: int) -> dict[str, str]:
    info, trace = result.infos[network], result.traces[network]
    made = trace.provenance
    return {
        "Units": f"{info.hidden_size:,}",
        "Layers": f"{info.layers}, in both directions" if info.bidirectional else str(info.layers),
        "Weights": f"{info.parameters:,}",
        "From": _origin(info.source),
        "Fingerprint of the weights": info.fingerprint,
        "Computed on": f"{made.device}, {made.dtype}",
        "Gradients of": made.objective or "not taken",
        "Largest recovery error": f"{made.recovery_error:.2g}",
    }


def _origin(source: str) -> str:
    """Return where a network comes from; not the place on this computer of one that others have, too."""
    path = Path(source)
    if path.is_relative_to(desks_folder()):
        return f"{path.name}, kept in the session"
    return f"{path.name}, a sample of LSTM Studio" if path.is_relative_to(resources_folder()) else source


def _tables(result: Result, view: View) -> Iterator[Table]:
    steps = min(result.sequence.steps, MOST_STEPS)
    limited = "" if steps == result.sequence.steps else f", the first {steps:,} steps"
    first = _input_columns(result, steps)
    norms = [
        (f"{info.title} {name.removeprefix('norm.grad.')}", trace[name])
        for info, trace in zip(result.infos, result.traces, strict=True)
        for name in trace.names
        if name.startswith("norm.grad.") and "preactivation" not in name
    ]
    if norms:
        yield _table(f"Gradient norms at each step{limited}", first, norms, steps)
    for index, trace in enumerate(result.traces):
        for layer in trace.layers:
            unit = view.units.get(f"{index}:{layer.prefix}", 0)
            columns = [
                (signal.label(view.labels), trace[f"{layer.prefix}.{signal.name}"][:, unit])
                for signal in layer.signals
                if "." not in signal.name and f"{layer.prefix}.{signal.name}" in trace
            ]
            yield _table(f"{layer.title}, {layer.prefix}, unit {unit} at each step{limited}", first, columns, steps)


def _input_columns(result: Result, steps: int) -> list[tuple[str, list[str]]]:
    sequence = result.sequence
    if sequence.symbols is not None:
        return [("Input", list(sequence.symbols[:steps]))]
    shown = zip(sequence.names[:_MOST_FEATURES], sequence.values[:steps, :_MOST_FEATURES].T, strict=False)
    return [(name, [f"{value:.4g}" for value in values]) for name, values in shown]


def _table(title: str, first: list[tuple[str, list[str]]], columns: list[tuple[str, Any]], steps: int) -> Table:
    written = [*first, *((head, [f"{value:.4g}" for value in values[:steps]]) for head, values in columns)]
    heads = ("Step", *(head for head, _ in written))
    rows = tuple(
        (str(step + 1), *cells) for step, cells in enumerate(zip(*(cells for _, cells in written), strict=True))
    )
    return Table(title, heads, rows)


def difference_words(recorded: tuple[Trace, ...], changed: tuple[Trace, ...]) -> str:
    """Return where a branch is farthest from what was recorded: signal, unit and step."""
    largest, words = 0.0, "no difference"
    for before, after in zip(recorded, changed, strict=True):
        for layer in before.layers:
            for signal in layer.signals:
                name = f"{layer.prefix}.{signal.name}"
                if "." in signal.name or name not in before or name not in after:
                    continue
                with np.errstate(invalid="ignore"):
                    distance = np.nan_to_num(np.abs(np.asarray(after[name], float) - before[name]))
                if distance.size and distance.max() > largest:
                    largest = float(distance.max())
                    step, unit = np.unravel_index(int(distance.argmax()), distance.shape)
                    words = f"{largest:.4g} in {name}, unit {unit}, at step {step + 1}"
    return words


def _settings(result: Result) -> dict[str, Any]:
    """Return what decides the traces as plain values, without the data themselves.

    Of the networks, what their settings came to: a companion has the size that it has in common with the other.
    """
    setup = result.setup
    specs = {"network": setup.network, "companion": setup.companion}
    infos = iter(result.infos)
    networks = {role: None if spec is None else _network_settings(spec, next(infos)) for role, spec in specs.items()}
    return {
        "sequence": setup.item,
        "scaling": setup.scaling.value,
        "piece_length": setup.piece_length,
        "events": len(setup.events),
        **networks,
        "match": setup.match.value,
        "objective": setup.objective,
        "memory": setup.memory,
        "device": setup.device,
        "dtype": setup.dtype,
        "branches": [branch.name for branch in setup.branches],
    }


def _network_settings(spec: NetworkSpec, info: NetworkInfo) -> dict[str, Any]:
    return {
        "kind": info.kind,
        "hidden_size": info.hidden_size,
        "layers": info.layers,
        "bidirectional": info.bidirectional,
        "seed": spec.seed,
        "checkpoint": None if spec.checkpoint is None else _origin(spec.checkpoint),
    }
