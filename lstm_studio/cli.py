"""The command line. Without a command it opens the window.

Exit status: 0 done; 2 an error that the user can put right, told in one message on standard error; 1 a bug, with its
traceback; 130 interrupted with Ctrl-C. Nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import lstm_studio
from lstm_studio.desktop import COMMANDS, draw_offscreen, open_files, require_window
from lstm_studio.errors import StudioError
from lstm_studio.networks.signals import Labels
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.progress import on_terminal
from lstm_studio.runs.export.formats import RunFormat
from lstm_studio.sequences.columns import ColumnRole
from lstm_studio.sequences.options import Missing, ReadOptions
from lstm_studio.sequences.sequence import Scaling
from lstm_studio.session.compute import Computer, Export, Exported
from lstm_studio.session.state import Match, Setup
from lstm_studio.training.options import roles, train

if TYPE_CHECKING:
    from lstm_studio.session.state import Result

SMALLEST_PICTURE, LARGEST_PICTURE = (960, 512), (16_384, 16_384)

app = typer.Typer(
    name="lstm-studio",
    help="A microscope for recurrent networks: step an LSTM and a vanilla RNN through your own sequences.",
    epilog="Without a command, the files named are opened in the window: lstm-studio data.csv checkpoint.pt",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run(arguments: Sequence[str]) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments
        What follows the program's name.

    Returns
    -------
    int
        The exit status.
    """
    words = list(arguments)
    if not words or (words[0] not in COMMANDS and not words[0].startswith("-")):
        words.insert(0, "open")
    try:
        app(words, prog_name="lstm-studio")
    except StudioError as error:
        typer.echo(f"lstm-studio: {error}", err=True)
        return 2
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0
    return 0


@app.command(name="open")
def open_(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE", help="A session; sequences, folders of them, networks; run folders.", show_default=False
        ),
    ] = None,
) -> None:
    """Open the window, with these files in it; the command that runs when none is named."""
    raise typer.Exit(open_files(files or []))


class Precision(StrEnum):
    """Floating-point type of the states."""

    FLOAT32 = "float32"
    FLOAT64 = "float64"


class Theme(StrEnum):
    """The colours of a picture."""

    LIGHT = "light"
    DARK = "dark"


_reading = partial(typer.Option, rich_help_panel="Reading the sequence")
_network = partial(typer.Option, rich_help_panel="The networks")
_computing = partial(typer.Option, rich_help_panel="Computing")
_saving = partial(typer.Option, rich_help_panel="Saving")


@app.command(name="trace")
def trace(
    sequence: Annotated[str, typer.Argument(metavar="SEQUENCE", help="A sequence file, or a folder of them.")],
    *,
    item: Annotated[int, _reading(min=0, help="Which sequence of the file, counted from 0.")] = 0,
    column: Annotated[
        list[str] | None,
        _reading(metavar="NAME=ROLE", help=f"What a column of a table is: {', '.join(ColumnRole)}. Can be repeated."),
    ] = None,
    missing: Annotated[Missing, _reading(help="What becomes of missing values.")] = Missing.REFUSE,
    scaling: Annotated[Scaling, _reading(help="How raw values become network inputs.")] = Scaling.NONE,
    piece_length: Annotated[
        int | None, _reading(min=0, help="Cut long sequences after so many steps, 0 never. Default: as the window.")
    ] = None,
    network: Annotated[str | None, _network(metavar="FILE", help="A checkpoint to trace.")] = None,
    kind: Annotated[str, _network(help="Without a checkpoint: the cell of a new network.")] = "lstm",
    hidden: Annotated[int, _network(min=1, help="Its units per layer and direction.")] = 32,
    layers: Annotated[int, _network(min=1, help="Its stacked layers.")] = 1,
    bidirectional: Annotated[bool, _network("--bidirectional", help="A second pass, backwards in time.")] = False,
    seed: Annotated[int, _network(min=0, help="Seed of its initial weights.")] = 0,
    companion: Annotated[
        str | None, _network(metavar="KIND|FILE", help="A second network beside it: a kind of cell, or a checkpoint.")
    ] = None,
    match: Annotated[Match, _network(help="What a new companion has in common with it.")] = Match.UNITS,
    objective: Annotated[
        str | None, _computing(help="What is differentiated: last-hidden, hidden:STEP:UNIT, next-step or target.")
    ] = None,
    memory: Annotated[
        bool,
        _computing("--memory", help="Also how much of each step survives to the last."),
    ] = False,
    device: Annotated[str, _computing(help="Where: auto, cpu, cuda or mps.")] = "auto",
    dtype: Annotated[Precision, _computing(help="Precision of the states.")] = Precision.FLOAT32,
    out: Annotated[
        Path | None,
        _saving(metavar="FILE", help="Save the trace: .npz, .csv or .safetensors. A companion's goes beside it."),
    ] = None,
    render: Annotated[Path | None, _saving(metavar="FILE", help="Save the Explore view as a picture, .png.")] = None,
    size: Annotated[str, _saving(metavar="WIDTHxHEIGHT", help="Pixels of the picture.")] = "1600x1000",
    theme: Annotated[Theme, _saving(help="Colours of the picture.")] = Theme.LIGHT,
    labels: Annotated[Labels, _saving(help="Vocabulary of the picture.")] = Labels.STANDARD,
    step: Annotated[
        int | None, _saving(min=0, help="The picture shows all up to this step, from 0. Default: the last.")
    ] = None,
) -> None:
    """Run a sequence through a network, and print what every signal did."""
    _check_folder(out)
    _check_folder(render)
    pixels = _pixels(size)
    if render is not None:
        if render.suffix.lower() != ".png":
            raise StudioError(f"{render} cannot be saved: a picture is a PNG file.", "Choose a name that ends in .png.")
        draw_offscreen()
        require_window()
    options = ReadOptions(columns=roles(column or []), missing=missing)
    with on_terminal() as progress:
        from lstm_studio.sequences.opening import open_sequence
        from lstm_studio.sequences.pieces import suggest_piece_length

        data = open_sequence(sequence, options=options, progress=progress)
        setup = Setup(
            data=data,
            item=item,
            scaling=scaling,
            piece_length=suggest_piece_length(data) if piece_length is None else piece_length or None,
            network=NetworkSpec(kind, hidden, layers, bidirectional, seed, network),
            companion=_companion(companion),
            match=match,
            objective=objective,
            memory=memory,
            device=device,
            dtype=dtype.value,
        )
        computer = Computer()
        result = computer.compute(setup, progress)
        steps = result.sequence.steps
        if step is not None and step >= steps:
            raise StudioError(f"--step {step}: the sequence has the steps 0 to {steps - 1}.", "Choose one of them.")
        exported = None if out is None else computer.answer(Export(result, str(out)), progress)
    _report(result)
    if isinstance(exported, Exported):
        for path in exported.paths:
            typer.echo(f"saved {path}")
    if render is not None:
        from lstm_studio.ui.render import render_view

        render_view(render, size=pixels, theme=theme.value, labels=labels.value, step=step, result=result)
        typer.echo(f"saved {render}")


app.command(name="train")(train)


@app.command(name="runs")
def list_runs(
    folder: Annotated[
        str,
        typer.Argument(
            metavar="FOLDER",
            help="A recorded run, a folder of TensorBoard, a metrics.csv, or a folder of them; also by an address, "
            "ssh://, https:// or s3://.",
            show_default=False,
        ),
    ],
    *,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on telling what comes, until the run has ended.")
    ] = False,
    export: Annotated[
        Path | None,
        _saving(metavar="PATH", help="Write the run for other programs: .parquet, .npz, or a folder for TensorBoard."),
    ] = None,
    export_format: Annotated[
        RunFormat | None, _saving("--format", help="Write it as this, whatever PATH ends in.")
    ] = None,
    force: Annotated[bool, _saving("--force", help="Replace what an earlier export has written there.")] = False,
) -> None:
    """Print what was recorded of trainings: how far each run has come, its numbers and its traces."""
    from rich.console import Console

    from lstm_studio.runs.export.exporting import export_run
    from lstm_studio.runs.listing import details, news_lines, overview, runs_in

    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=200)
    if export is None and (export_format is not None or force):
        raise StudioError("--format and --force are about an export.", "Say where to with --export PATH.")
    if export is not None and follow:
        raise StudioError("A run is followed or exported, not both.", "Leave out --follow or --export.")
    runs, left_out = runs_in(folder)
    many = len(runs) + len(left_out)
    if many > 1 and (export is not None or follow):
        raise StudioError(f"{folder} holds {many} runs.", f"Name the one to {'follow' if follow else 'export'}.")
    if export is not None:
        with on_terminal() as progress:
            exported = export_run(runs[0], export, kind=export_format, force=force, progress=progress)
        typer.echo(f"saved {exported.path}: {exported.about}")
        for words in exported.left_out:
            typer.echo(words)
        return
    console.print(overview(runs))
    for error in left_out:
        typer.echo(f"left out: {error}", err=True)
    for part in details(runs[0]) if many == 1 else ():
        console.print(part)
    if follow:
        for line in news_lines(runs[0]):
            typer.echo(line)


@app.command(name="tasks")
def list_tasks() -> None:
    """Print the teaching tasks: what each shows, its parameters and sizes, its chance line, and when it is solved."""
    from rich.console import Console

    from lstm_studio.tasks.registry import new_task, tasks
    from lstm_studio.training.plan import class_room

    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=200)
    for name in tasks():
        task = new_task(name)
        parameters = ", ".join(f"{key} {value}" for key, value in task.parameters().items()) or "none"
        lines = [
            task.shows,
            f"Parameters: {parameters}",
            f"Class room: {class_room(name).words}",
            f"Chance: {task.chance_words}",
            f"Solved: {task.solved_words}",
            *([f"Caution: {task.caution}"] if task.caution else []),
        ]
        console.print(f"{name}  {task.title}", markup=False, style="bold")
        for line in lines:
            console.print(f"    {line}", markup=False)
        console.print()


@app.command(name="self-test")
def self_test(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for programs.")] = False
) -> None:
    """Start everything once, offscreen, and say what was seen; exit status 1 if any of it failed."""
    draw_offscreen()
    require_window()
    from lstm_studio.ui.self_test import run_self_test

    report = run_self_test()
    if as_json:
        import json

        result = {
            "version": lstm_studio.__version__,
            "ok": report.ok,
            "checks": [asdict(check) for check in report.checks],
        }
        typer.echo(json.dumps(result, indent=2))
    else:
        for check in report.checks:
            typer.echo(f"{'ok' if check.ok else 'FAILED':7} {check.seconds:5.1f} s  {check.name}: {check.detail}")
    raise typer.Exit(0 if report.ok else 1)


@app.command(name="version")
def version() -> None:
    """Print the versions of everything that decides a result, and the devices PyTorch finds."""
    qt = _version("PySide6_Essentials")
    typer.echo(f"LSTM Studio {lstm_studio.__version__}")
    typer.echo(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    typer.echo(f"PyTorch {_version('torch')}")
    typer.echo(f"Qt {qt}" if qt else "Qt is not installed: the library and the command line work, the window does not")
    # Last, because it loads PyTorch.
    from lstm_studio.engine.devices import available_devices

    typer.echo(f"devices: {', '.join(available_devices())}")


def _version(package: str) -> str:
    # Here, as the window's start would wait for it.
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as version_of

    try:
        return version_of(package)
    except PackageNotFoundError:
        return ""


def _check_folder(path: Path | None) -> None:
    """Refuse before the work what could not be saved after it."""
    if path is not None and not path.absolute().parent.is_dir():
        raise StudioError(f"{path} cannot be saved: there is no folder {path.parent}.", "Create it first.")


def _pixels(size: str) -> tuple[int, int]:
    """Return the width and height of ``--size``."""
    match = re.fullmatch(r"(\d{3,5})x(\d{3,5})", size)
    pixels = (int(match[1]), int(match[2])) if match else (0, 0)
    sides = zip(SMALLEST_PICTURE, pixels, LARGEST_PICTURE, strict=True)
    if not all(smallest <= side <= largest for smallest, side, largest in sides):
        raise StudioError(
            f"--size {size} is not the size of a picture.",
            f"Write WIDTHxHEIGHT, from {_written(SMALLEST_PICTURE)} to {_written(LARGEST_PICTURE)}.",
        )
    return pixels


def _written(pixels: tuple[int, int]) -> str:
    return "x".join(map(str, pixels))


def _companion(wanted: str | None) -> NetworkSpec | None:
    """Return the network that ``--companion`` asks for: a checkpoint if it has a suffix, else a kind of cell."""
    if wanted is None:
        return None
    return NetworkSpec(checkpoint=wanted) if Path(wanted).suffix else NetworkSpec(wanted)


def _report(result: Result) -> None:
    """Print what each network did, as tables."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    # Piped output is read by programs or kept in logs: no line is folded there.
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=200)
    sequence, setup = result.sequence, result.setup
    cut = f", cut after {setup.piece_length} steps" if setup.piece_length is not None else ""
    console.print(
        f"{result.sequences.title}: sequence {setup.item} of {len(result.sequences)}{cut}, "
        f"{sequence.steps} steps × {sequence.features} features",
        markup=False,
    )
    for info, traced in zip(result.infos, result.traces, strict=True):
        console.print()
        console.print(
            f"{info.title}, {info.hidden_size} units, {info.parameters:,} parameters, {info.source}, "
            f"{traced.provenance.device}, {traced.provenance.dtype}; "
            f"recovery error {traced.recovery_error:.1e}, the largest difference from PyTorch's own states",
            markup=False,
        )
        signals = Table("signal", "shape", "smallest", "mean", "largest", box=box.SIMPLE)
        for name, values in traced.arrays.items():
            if not name.startswith(("grad.", "norm.", "jac.")):
                shape = " × ".join(map(str, values.shape))
                signals.add_row(
                    name, shape, *(f"{number:.4g}" for number in (values.min(), values.mean(), values.max()))
                )
        console.print(signals)
        norms = {name: values for name, values in traced.arrays.items() if name.startswith("norm.grad.")}
        if norms:
            gradients = Table(f"gradient of {traced.provenance.objective}", "first step", "last step", box=box.SIMPLE)
            for name, values in norms.items():
                gradients.add_row(name, f"{values[0]:.3e}", f"{values[-1]:.3e}")
            console.print(gradients)
        curves = {name: values for name, values in traced.arrays.items() if name.startswith("jac.")}
        if curves:
            survival = Table("what survives to the last step, log10", "first step", box=box.SIMPLE)
            for name, values in curves.items():
                survival.add_row(name, f"{values[-1 if '.reverse.' in name else 0]:.2f}")
            console.print(survival)
