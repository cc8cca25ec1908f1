"""Opens whatever a training has written, by its address."""

from __future__ import annotations

from pathlib import Path

from lstm_studio.errors import RunError, is_there
from lstm_studio.runs.format import RUN_FILE
from lstm_studio.runs.like import RunLike
from lstm_studio.runs.logs.metrics import METRICS_FILE, Metrics
from lstm_studio.runs.logs.tensorboard import TensorBoard, is_event_file
from lstm_studio.runs.places import Folder, LocalFolder, UnlistedError
from lstm_studio.runs.reader import Run
from lstm_studio.runs.remote import is_remote, remote_folder

_NAME_IT = "Name the folder given to ls.watch, a folder of TensorBoard, or a metrics.csv."
_DEEPEST = 4
_MOST_FOUND = 1000
_MOST_FOLDERS = 10_000


def open_any(address: str | Path, *, seconds: float | None = None) -> RunLike:
    """Open the training that lies at an address.

    Parameters
    ----------
    address
        A folder that ``ls.watch`` or ``lstm-studio train`` recorded, a folder of TensorBoard, a ``metrics.csv`` or its
        folder. Where these are in one folder, the first of them. Or such an address of another computer, that begins
        with ``ssh://``, ``http://``, ``https://`` or ``s3://``.
    seconds
        To read, about; then ``behind`` says that there is more, for ``refresh``. By default all that is there.

    Raises
    ------
    RunError
        If there is nothing that could be read, or more than one training.
    """
    place, name = _place(address)
    if name.endswith(".csv"):
        return Metrics(place, name, seconds)
    opened = _opened(place, seconds)
    if opened is not None:
        return opened
    found = _below(place)
    if len(found) == 1:
        opened = _opened(found[0], seconds)
    if opened is None:
        told = f"holds {len(found)} trainings" if found else "holds no training"
        cure = f"Name one of them, {found[0].address} for example." if found else _NAME_IT
        raise RunError(f"{place.address} {told}.", cure)
    return opened


def trainings_in(address: str | Path) -> list[str]:
    """Return the address of each training in a folder and in those below; a recorded run has none below it.

    Parameters
    ----------
    address
        As :func:`open_any` takes it.

    Raises
    ------
    RunError
        If there is no such folder, or no training in it.
    """
    place, name = _place(address)
    if name.endswith(".csv"):
        return [str(address)]
    kind = _kind(place)
    found = [*([place] if kind else []), *(_below(place) if kind != RUN_FILE else [])]
    if not found:
        raise RunError(f"{place.address} holds no training.", _NAME_IT)
    return [one.address for one in found]


def _place(address: str | Path) -> tuple[Folder, str]:
    """Return the folder that is meant, and the name of the file where one is."""
    if is_remote(str(address)):
        above, _, name = str(address).rstrip("/").rpartition("/")
        is_file = name == RUN_FILE or is_event_file(name) or name.endswith(".csv")
        return remote_folder(above if is_file else str(address)), name if is_file else ""
    path = Path(address)
    if not is_there(path, RunError):
        raise RunError(f"{path} does not exist.", "Check the name.")
    if path.is_dir():
        return LocalFolder(path), ""
    if path.name != RUN_FILE and not is_event_file(path.name) and path.suffix.lower() != ".csv":
        raise RunError(f"{path} is no training.", _NAME_IT)
    return LocalFolder(path.parent), path.name


def _opened(place: Folder, seconds: float | None) -> RunLike | None:
    kind = _kind(place)
    if kind == RUN_FILE:
        return Run(place, seconds=seconds)
    if kind == METRICS_FILE:
        return Metrics(place, seconds=seconds)
    return TensorBoard(place, seconds) if kind else None


def _kind(place: Folder) -> str:
    """Return the name of the file that says what a folder holds, empty if it holds no training."""
    try:
        names = place.files()
    except UnlistedError:
        # Nobody says what is there; a run can be read without that.
        return RUN_FILE
    except OSError as error:
        raise RunError(f"{place.address} cannot be read ({error.strerror or error}).", "Check the folder.") from error
    if RUN_FILE in names:
        return RUN_FILE
    return next(filter(is_event_file, names), METRICS_FILE if METRICS_FILE in names else "")


def _below(place: Folder) -> list[Folder]:
    """Return the folders below that are trainings, in order; links are not followed."""
    found: list[Folder] = []
    looked = 0
    waiting = [(place, 0)]
    while waiting and len(found) < _MOST_FOUND and looked < _MOST_FOLDERS:
        folder, depth = waiting.pop()
        looked += 1
        try:
            parts = [folder.part(name) for name in sorted(folder.folders(), reverse=True)]
            kind = _kind(folder) if depth else ""
        except (OSError, RunError):
            continue
        if kind:
            found.append(folder)
        if kind != RUN_FILE and depth < _DEEPEST:
            waiting += [(part, depth + 1) for part in parts]
    return found
