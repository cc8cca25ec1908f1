"""Writes a run to a file or folder that other programs open: as a whole, or not at all."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from lstm_studio.errors import RunError
from lstm_studio.progress import Progress, ignore_progress
from lstm_studio.runs.export.contents import Contents
from lstm_studio.runs.export.formats import RunFormat
from lstm_studio.runs.like import RunLike
from lstm_studio.runs.logs.tensorboard import is_event_file


@dataclass(frozen=True, slots=True)
class ExportedRun:
    """What was written.

    Parameters
    ----------
    path
        The file; of TensorBoard the folder.
    about
        How much it holds, in words.
    left_out
        What of the run it does not hold, and why, in sentences.
    """

    path: Path
    about: str
    left_out: tuple[str, ...]


_FILE_FORMATS = {f".{kind}": kind for kind in (RunFormat.PARQUET, RunFormat.NPZ)}
_MANY = {"curve": "curves", "gradient by lag": "gradients by lag", "trace": "traces"}
_MEANT = "Choose a name that ends in .parquet or .npz, or without an ending a folder for TensorBoard."
_REPLACE = "Choose another name, or let it be replaced (--force, force=True)."


def export_run(
    run: RunLike,
    path: str | Path,
    *,
    kind: RunFormat | str | None = None,
    force: bool = False,
    progress: Progress = ignore_progress,
) -> ExportedRun:
    """Write what a run holds now, for other programs.

    Parameters
    ----------
    run
        A recorded run, or the log of another tool.
    path
        Ends in ``.parquet``: one table, with a row for each number. Ends in ``.npz``: arrays. Without an ending: a
        folder that TensorBoard opens, with the curves.
    kind
        ``"tensorboard"``, ``"parquet"`` or ``"npz"``, whatever the path ends in; a file is then called after the run
        where the path is a folder.
    force
        Whether what an export has written there before may be replaced.
    progress
        Told now and then; if it raises, nothing is left behind.

    Raises
    ------
    RunError
        If the path is not one of these, is taken, or cannot be written to.
    """
    path = Path(path)
    try:
        path, wanted = _meant(run, path, kind)
        _check(path, wanted, force=force)
        # On the same disk: then what is whole takes its name at once.
        folder = path if path.is_dir() else path.parent
        with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as place:
            contents, unfinished = _written(run, Path(place), wanted, progress)
            _check(path, wanted, Path(place), force=force)
            if wanted is RunFormat.TENSORBOARD:
                from lstm_studio.runs.export.tensorboard import event_file_name

                _put_in_folder(unfinished, path, event_file_name(contents))
            else:
                unfinished.replace(path)
    except OSError as error:
        raise RunError(
            f"{path!s:.500} cannot be written ({error.strerror or error}).",
            "Choose a folder in which you may write, on a disk with room.",
        ) from error
    return ExportedRun(path, _words(contents, wanted), _left_out(run, contents, wanted))


def _written(run: RunLike, place: Path, wanted: RunFormat, progress: Progress) -> tuple[Contents, Path]:
    """Write the file under a name that says nothing to anybody."""
    unfinished = place / "unfinished"
    match wanted:
        case RunFormat.TENSORBOARD:
            from lstm_studio.runs.export.tensorboard import write_events

            contents = Contents(run, progress, traces=False)
            write_events(contents, unfinished)
        case RunFormat.PARQUET:
            from lstm_studio.runs.export.parquet import SHARE, write_parquet

            contents = Contents(run, progress, share=SHARE)
            write_parquet(contents, unfinished, progress)
        case RunFormat.NPZ:
            from lstm_studio.runs.export.npz import write_npz

            contents = Contents(run, progress)
            write_npz(contents, unfinished)
    return contents, unfinished


def _meant(run: RunLike, path: Path, kind: RunFormat | str | None) -> tuple[Path, RunFormat]:
    """Return where to, and as what."""
    if kind is None:
        wanted = _FILE_FORMATS.get(path.suffix.lower())
        if wanted is None and path.suffix and not path.is_dir():
            raise RunError(f"{path}: a run cannot be exported as {path.suffix}.", _MEANT)
        return path, wanted or RunFormat.TENSORBOARD
    try:
        wanted = RunFormat(kind)
    except ValueError:
        raise RunError(f"A run cannot be exported as {kind!r:.50}.", f"Formats are {', '.join(RunFormat)}.") from None
    if wanted is not RunFormat.TENSORBOARD and path.is_dir():
        name = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in run.title).strip(".-")
        path /= f"{name or 'run'}.{wanted}"
    return path, wanted


def _check(path: Path, wanted: RunFormat, mine: Path | None = None, *, force: bool) -> None:
    """Raise where an export would go nowhere, or over something else; ``mine`` is what it has made there itself."""
    if not path.is_dir() and not path.absolute().parent.is_dir():
        raise RunError(f"{path} cannot be written: there is no folder {path.parent}.", "Create it first.")
    if wanted is not RunFormat.TENSORBOARD:
        if path.is_dir():
            raise RunError(f"{path} is a folder.", _MEANT)
        if not force and (path.exists() or path.is_symlink()):
            raise RunError(f"{path} exists.", _REPLACE)
        return
    if not path.exists():
        return
    if not path.is_dir():
        raise RunError(f"{path} is a file, and TensorBoard's files lie in a folder.", "Choose another name.")
    inside = [entry.name for entry in path.iterdir() if entry != mine]
    others = [name for name in inside if is_event_file(name) and not _is_ours(name)]
    if others:
        raise RunError(f"{path} holds another log of TensorBoard's, which would become one with it.", _MEANT)
    if inside and not force:
        raise RunError(f"{path} is a folder with something in it.", _REPLACE)


def _put_in_folder(file: Path, folder: Path, name: str) -> None:
    """Give a finished event file its place, instead of those of earlier exports."""
    if not folder.exists():
        # The folder is not there before its file is.
        whole = file.with_name("folder")
        whole.mkdir()
        file.rename(whole / name)
        whole.rename(folder)
        return
    earlier = [path for path in folder.iterdir() if _is_ours(path.name)]
    file.replace(folder / name)
    for path in earlier:
        if path.name != name:
            path.unlink()


def _is_ours(name: str) -> bool:
    from lstm_studio.runs.export.tensorboard import EVENT_FILE_END

    return is_event_file(name) and name.endswith(EVENT_FILE_END)


def _words(contents: Contents, wanted: RunFormat) -> str:
    lags = 0 if wanted is RunFormat.TENSORBOARD else contents.lag_count
    counts = ((len(contents.curve_names), "curve"), (lags, "gradient by lag"), (contents.trace_count, "trace"))
    return ", ".join(f"{count} {what if count == 1 else _MANY[what]}" for count, what in counts if count) or "nothing"


def _left_out(run: RunLike, contents: Contents, wanted: RunFormat) -> tuple[str, ...]:
    if wanted is not RunFormat.TENSORBOARD:
        return tuple(f"Left out: {why}" for why in contents.unreadable)
    parts = [f"{len(run.steps)} steps with traces"] if run.steps else []
    parts += ["the gradients by lag"] if contents.lag_count else []
    return (f"Left out: {' and '.join(parts)}, which TensorBoard has no place for.",) if parts else ()
