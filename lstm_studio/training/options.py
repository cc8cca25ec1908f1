"""The command ``lstm-studio train`` as it is typed; importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from lstm_studio.errors import StudioError, is_there
from lstm_studio.progress import on_terminal
from lstm_studio.sequences.columns import ColumnRole
from lstm_studio.sequences.options import Missing
from lstm_studio.sequences.sequence import Scaling
from lstm_studio.tasks.registry import tasks
from lstm_studio.training.plan import NONE, Equal, Goal, Optimiser, Plan, class_room, parsed_parameters

_asking = partial(typer.Option, rich_help_panel="What is learned")
_network = partial(typer.Option, rich_help_panel="The networks")
_learning = partial(typer.Option, rich_help_panel="Learning")
_running = partial(typer.Option, rich_help_panel="The run")


def train(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="TASK|SEQUENCE", help="A teaching task, or a sequence file or folder.", show_default=False
        ),
    ] = None,
    *,
    run: Annotated[Path, _running(metavar="FOLDER", help="Where the run is recorded.", show_default=False)],
    resume: Annotated[
        bool, _running("--resume", help="Go on with the run in FOLDER; --steps may raise its end.")
    ] = False,
    again: Annotated[
        Path | None, _running(metavar="RUN", help="Train once more exactly as this run was; other options change it.")
    ] = None,
    parameters: Annotated[
        list[str] | None,
        _asking("--set", metavar="NAME=VALUE", help="A parameter of the task, as lstm-studio tasks lists them."),
    ] = None,
    goal: Annotated[Goal | None, _asking(help="What is asked of a sequence.")] = None,
    column: Annotated[
        list[str] | None,
        _asking(metavar="NAME=ROLE", help=f"What a column of a table is: {', '.join(ColumnRole)}. Can be repeated."),
    ] = None,
    missing: Annotated[Missing | None, _asking(help="What becomes of missing values.")] = None,
    scaling: Annotated[
        Scaling | None, _asking(help="How raw values become inputs, by the training part alone.")
    ] = None,
    piece_length: Annotated[int | None, _asking(help="Cut sequences into pieces of so many steps, 0 never.")] = None,
    kind: Annotated[str | None, _network(help="The cell of the first network.")] = None,
    companion: Annotated[str | None, _network(metavar="KIND|none", help="The cell of the network beside it.")] = None,
    match: Annotated[Equal | None, _network(help="What the companion has in common with it.")] = None,
    hidden: Annotated[int | None, _network(help="Units per layer of the first network.")] = None,
    layers: Annotated[int | None, _network(help="Stacked layers.")] = None,
    forget_bias: Annotated[
        str | None, _network(metavar="NUMBER|none", help="Bias of forget gates before the first update.")
    ] = None,
    seed: Annotated[int | None, _learning(help="Of weights, batches and held-out sequences.")] = None,
    steps: Annotated[int | None, _learning(help="Updates of the weights.")] = None,
    batch: Annotated[int | None, _learning(help="Sequences in each update.")] = None,
    optimiser: Annotated[Optimiser | None, _learning(help="Adam, or plain gradient descent.")] = None,
    learning_rate: Annotated[float | None, _learning(help="Step size.")] = None,
    clip: Annotated[float | None, _learning(help="Longest gradient, 0 for any.")] = None,
    truncate: Annotated[
        int | None, _learning(help="Steps of time that gradients flow through at most, 0 for all.")
    ] = None,
    device: Annotated[str | None, _learning(help="Where: auto, cpu, cuda or mps.")] = None,
    seeds: Annotated[
        int | None,
        _running(min=1, help="Train once with each of so many seeds, from --seed on, into folders of their own."),
    ] = None,
    evaluate_every: Annotated[int | None, _running(help="Updates between two evaluations.")] = None,
    held_out: Annotated[int | None, _running(help="Sequences in each evaluation.")] = None,
    stop_when_solved: Annotated[
        bool | None, _running(help="Whether to end as soon as the first network has solved the task.")
    ] = None,
) -> None:
    """Train an LSTM and a companion on the same batches, and record the run; watch it in the window while it goes.

    What is not given is the class-room size of the task: trained in under a minute on two cores.
    """
    given: dict[str, Any] = {
        "goal": goal,
        "columns": roles(column) if column else None,
        "missing": missing,
        "scaling": scaling,
        "piece_length": piece_length,
        "kind": kind,
        "companion": "" if companion == NONE else companion,
        "match": match,
        "hidden": hidden,
        "layers": layers,
        "seed": seed,
        "updates": steps,
        "batch": batch,
        "optimiser": optimiser,
        "learning_rate": learning_rate,
        "clip": clip,
        "truncate": truncate,
        "device": device,
        "evaluate_every": evaluate_every,
        "held_out": held_out,
        "stop_when_solved": stop_when_solved,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    if forget_bias is not None:
        changes["forget_bias"] = _number(forget_bias)
    texts = _pairs(parameters or [])
    from lstm_studio.training import command

    if resume:
        if what is not None or again is not None or texts or seeds is not None or set(changes) - {"updates"}:
            raise StudioError("--resume goes on with a run as it is.", "Beside --run and --steps, give nothing.")
        before, seeds = command.plan_to_resume(run)
        plan = replace(before, **changes)
    else:
        plan = _changed(command.plan_of_run(again) if again is not None else None, what, texts, changes)
    with on_terminal() as progress:
        if seeds is None:
            status = command.train(plan, run, progress, resume=resume)
        else:
            status = command.repeat(plan, run, seeds, progress, resume=resume)
    if status:
        raise typer.Exit(status)


def _changed(before: Plan | None, what: str | None, texts: dict[str, str], changes: dict[str, Any]) -> Plan:
    """Return the plan of another run with some changes, or a new one."""
    if before is not None:
        if what is not None:
            raise StudioError(f"--again says already what is learned, not {what!r}.", "Leave one of the two out.")
        if texts:
            parameters = {**before.parameters, **parsed_parameters(before.task, texts)}
            changes = {**changes, "parameters": parameters}
        return replace(before, **changes)
    if what is None:
        raise StudioError("What is to be trained?", f"Name a sequence file, or a task: {', '.join(tasks())}.")
    if what in tasks():
        usual = class_room(what)
        return replace(usual, parameters={**usual.parameters, **parsed_parameters(what, texts)}, **changes)
    if not is_there(Path(what), StudioError):
        raise StudioError(
            f"{what!r} is neither a task nor a file.", f"Name a sequence file, or a task: {', '.join(tasks())}."
        )
    if texts:
        raise StudioError("--set is for tasks, not for files.", "Leave it out.")
    return Plan(sequence=str(Path(what).absolute()), **changes)


def _pairs(words: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not (name and sign):
            raise StudioError(f"--set {word} sets nothing.", "Write NAME=VALUE.")
        pairs[name] = value
    return pairs


def roles(words: Sequence[str]) -> dict[str, ColumnRole]:
    """Return the roles that ``--column NAME=ROLE`` gives to columns.

    Raises
    ------
    StudioError
        If a word gives none.
    """
    found = {}
    for word in words:
        name, _, role = word.rpartition("=")
        if not name or role not in set(ColumnRole):
            raise StudioError(f"--column {word} names no role.", f"Write NAME=ROLE; roles are {', '.join(ColumnRole)}.")
        found[name] = ColumnRole(role)
    return found


def _number(word: str) -> float | None:
    if word == NONE:
        return None
    try:
        return float(word)
    except ValueError:
        raise StudioError(f"--forget-bias is {word!r}.", f"Give a number, or {NONE}.") from None
