"""The trainings of the window: what is planned, which one is shown, and where in it one looks. Evented and Qt-free."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from psygnal import Signal

from lstm_studio.errors import RunError, StudioError
from lstm_studio.runs.format import RUN_FILE
from lstm_studio.session.files import is_seen
from lstm_studio.session.learning import Learning, learning_of
from lstm_studio.session.watchlist import Watchlist
from lstm_studio.training import child as children
from lstm_studio.training.control import Wish, ask
from lstm_studio.training.plan import Plan, class_room
from lstm_studio.training.repeats import REPEATS_FILE, count_of, seed_folder, seeds_of

FIRST_TASK = "temporal-order"
"""The best first demonstration."""
_RATE_SECONDS = 6.0
"""Over so long the speed is measured."""
_MOST_NAMES = 10_000
_PROGRAM = "lstm-studio: "
"""How the messages of the command line begin."""


class Child(Protocol):
    """A training in a process of its own: :class:`~lstm_studio.training.child.Child`."""

    @property
    def folder(self) -> Path:
        """Of its run."""

    @property
    def running(self) -> bool:
        """Whether the process is still there."""

    @property
    def failure(self) -> str:
        """The last lines it wrote, where it ended with an error."""


class Starter(Protocol):
    """What starts a training: :func:`lstm_studio.training.child.start`."""

    def __call__(self, plan: Plan, folder: Path, resume: bool = False, *, seeds: int | None = None) -> Child:
        """Start it."""
        ...


@dataclass(frozen=True, slots=True)
class Series:
    """One comparison over several seeds.

    Parameters
    ----------
    folder
        In which the runs of all seeds lie.
    seeds
        In the order in which they are trained.
    """

    folder: Path
    seeds: tuple[int, ...]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Of the runs, also of those that have not begun."""
        return tuple(str(seed_folder(self.folder, seed)) for seed in self.seeds)


class Trainings:
    """Starts trainings, follows the one that is shown, and remembers at which of its snapshots one looks.

    Reads nothing itself: pictures come from the watch list. Whoever owns it calls :meth:`look` a few times a second
    while :attr:`waiting`.

    Parameters
    ----------
    watchlist
        Where runs are followed.
    folder
        Where new runs are kept.
    start
        What starts a training.
    """

    plan_changed = Signal(Plan)
    changed = Signal()
    """There is something new of the training that is shown, or another one is shown."""
    selected = Signal()
    """Another snapshot is looked at."""
    failed = Signal(StudioError)

    def __init__(self, watchlist: Watchlist, folder: Path, start: Starter = children.start) -> None:
        self._watchlist = watchlist
        self._start = start
        self.folder = folder
        """Where new runs are kept."""
        self._plan = class_room(FIRST_TASK)
        self._shown = ""
        self._learning: Learning | None = None
        self._chosen: int | None = None
        self._children: dict[str, Child] = {}
        self._wishes: dict[str, Wish] = {}
        self._pace: deque[tuple[float, int]] = deque()
        self._series: Series | None = None
        self._others: dict[str, Learning] = {}
        self._keeps_up = False
        self._read: tuple[Mapping[str, Any], Plan | None] | None = None
        watchlist.pictured.connect(self._on_pictured)

    # The plan.

    @property
    def plan(self) -> Plan:
        """What the next training is to be."""
        return self._plan

    def change(self, **changes: Any) -> bool:
        """Change fields of the plan; one that cannot be is refused with a message, and everything stays as it was.

        Returns
        -------
        bool
            Whether the plan is as asked for.
        """
        try:
            plan = replace(self._plan, **changes)
        except StudioError as error:
            self.failed.emit(error)
            return False
        self.propose(plan)
        return True

    def propose(self, plan: Plan) -> None:
        """Make another plan the one of the next training."""
        if plan != self._plan:
            self._plan = plan
            self.plan_changed.emit(plan)

    def propose_shown(self) -> None:
        """Make the plan of the training that is shown the one of the next training."""
        plan = self._proposed
        if plan is not None:
            self.propose(plan)

    @property
    def shape(self) -> tuple[int, int] | None:
        """Features and answers of the sequences to be learned, where the training that is shown has told them."""
        learning, sequence = self._learning, self._plan.sequence
        return learning.shape if learning is not None and learning.recipe.get("sequence") == sequence else None

    @property
    def differs(self) -> bool:
        """Whether the plan is another one than that of the training that is shown."""
        shown = self._proposed
        return shown is not None and shown != self._plan

    @property
    def _proposed(self) -> Plan | None:
        """The plan of the training that is shown; of a series, with its first seed."""
        plan = self.shown_plan
        return plan if plan is None or self._series is None else replace(plan, seed=self._series.seeds[0])

    @property
    def shown_plan(self) -> Plan | None:
        """The plan of the training that is shown; None where there is none that this version understands."""
        if self._learning is None:
            return None
        training = self._learning.picture.training
        if self._read is None or self._read[0] is not training:
            try:
                self._read = training, Plan.from_training(training)
            except StudioError:
                self._read = training, None
        return self._read[1]

    # What is shown.

    @property
    def shown(self) -> str:
        """Address of the training that is shown; empty for none."""
        return self._shown

    @property
    def learning(self) -> Learning | None:
        """What it shows now; None before anything of it has been read."""
        return self._learning

    @property
    def beginning(self) -> bool:
        """Whether a training has been started of which nothing is to be seen yet."""
        return self._learning is None and self._process_of(self._shown) in self._children

    @property
    def series(self) -> Series | None:
        """The comparison over several seeds to which the training that is shown belongs."""
        return self._series

    @property
    def others(self) -> Mapping[str, Learning]:
        """Address → how the training is, of every seed of the series that has begun."""
        return MappingProxyType(self._others)

    def _process_of(self, address: str) -> str:
        """Return the folder of the process that trains a run: that of its series, where it has one."""
        series = self._series
        return str(series.folder) if series is not None and address in series.addresses else address

    @property
    def error(self) -> StudioError | None:
        """Why the training that is shown cannot be shown."""
        followed = self._watchlist.followed.get(self._shown)
        if followed is not None and followed.picture is not None and self._learning is None:
            return RunError(
                f"{self._shown} is no training of LSTM Studio's own.", "Monitor shows the runs of any script."
            )
        return None if followed is None else followed.error

    def show(self, address: str) -> None:
        """Show a training, from the live edge; its plan becomes that of the next one.

        Parameters
        ----------
        address
            Of a run, or of a folder with a comparison over several seeds.
        """
        series = None if self._series is not None and address in self._series.addresses else _series_at(address)
        if series is not None:
            self._show_series(series)
            if address == str(series.folder):
                address = self._newest or series.addresses[0]
        elif self._series is not None and address not in self._series.addresses:
            self._series, self._others = None, {}
        self._keeps_up = False
        self._show(address)

    def leave(self) -> None:
        """Show no training; one that runs goes on, and can be shown again."""
        self._series, self._others = None, {}
        self._keeps_up = False
        self._show("")

    def _show_series(self, series: Series) -> None:
        self._series, self._others = series, {}
        self._watchlist.add(address for address in series.addresses if is_seen(Path(address) / RUN_FILE))

    @property
    def _newest(self) -> str:
        """The seed of the series that has begun last; empty for none."""
        addresses = () if self._series is None else self._series.addresses
        return next((address for address in reversed(addresses) if address in self._watchlist.followed), "")

    def _show(self, address: str) -> None:
        if address == self._shown:
            return
        self._shown, self._chosen, self._learning = address, None, None
        self._pace.clear()
        if address and (self._process_of(address) not in self._children or is_seen(Path(address) / RUN_FILE)):
            self._watchlist.add([address])
        self._take_picture()
        self.changed.emit()

    def _on_pictured(self, addresses: frozenset[str]) -> None:
        ours = set() if self._series is None else addresses.intersection(self._series.addresses)
        for address in ours:
            followed = self._watchlist.followed.get(address)
            learning = None if followed is None or followed.picture is None else learning_of(followed.picture)
            if learning is not None:
                self._others[address] = learning
        if self._shown in addresses:
            self._take_picture()
        if self._shown in addresses or ours:
            self.changed.emit()

    def _take_picture(self) -> None:
        followed = self._watchlist.followed.get(self._shown)
        if followed is None or followed.picture is None:
            return
        first = self._learning is None
        self._learning = learning_of(followed.picture)
        if self._learning is None:
            return
        now = time.monotonic()
        if self._learning.running and not self._learning.paused:
            self._pace.append((now, self._learning.done))
            while len(self._pace) > 2 and now - self._pace[0][0] > _RATE_SECONDS:
                self._pace.popleft()
        else:
            self._pace.clear()
        plan = self._proposed
        if first and plan is not None:
            self.propose(plan)

    @property
    def rate(self) -> float:
        """Updates a second, lately; 0 where that is not known."""
        if len(self._pace) < 2:
            return 0.0
        (begin, first), (end, last) = self._pace[0], self._pace[-1]
        return max(0.0, (last - first) / (end - begin)) if end > begin else 0.0

    # Where in it one looks.

    @property
    def following(self) -> bool:
        """Whether the newest snapshot is looked at, whichever that is."""
        return self._chosen is None

    @property
    def step(self) -> int | None:
        """The update of the snapshot that is looked at; None where there is none."""
        snapshots = () if self._learning is None else self._learning.snapshots
        if not snapshots:
            return None
        return snapshots[-1] if self._chosen is None else min(snapshots, key=self._distance)

    def _distance(self, snapshot: int) -> int:
        return abs(snapshot - (self._chosen or 0))

    def select(self, step: int) -> None:
        """Look at the snapshot nearest to an update; no longer follow the newest one."""
        self._choose(step)

    def follow(self, on: bool = True) -> None:
        """Look at the newest snapshot, and at each that comes; or stay where one is."""
        self._choose(None if on else self.step)

    def move(self, by: int) -> None:
        """Go so many snapshots on, or back."""
        snapshots = () if self._learning is None else self._learning.snapshots
        here = self.step
        if here is not None:
            place = snapshots.index(here) + by
            self._choose(snapshots[max(0, min(place, len(snapshots) - 1))])

    def _choose(self, step: int | None) -> None:
        before = self.step, self._chosen
        self._chosen = step
        if (self.step, self._chosen) != before:
            self.selected.emit()

    # Starting, pausing, stopping.

    def begin(self, plan: Plan | None = None, seeds: int | None = None) -> bool:
        """Start a training by the plan, or by another one, and show it; return whether it could be started."""
        plan = plan or self._plan
        folder = self._new_folder(plan, seeds)
        series = None if seeds is None else Series(folder, seeds_of(plan, seeds))
        return self._launch(plan, folder, series, resume=False)

    def resume(self) -> bool:
        """Go on with the training that is shown, after it has ended."""
        plan = self.shown_plan
        if plan is None or self._learning is None or self._learning.running:
            return False
        address, self._shown = self._shown, ""
        return self._launch(plan, Path(self._process_of(address)), self._series, resume=True)

    def restart(self) -> bool:
        """Begin the training that is shown anew, in another run."""
        plan, series = self._proposed, self._series
        if plan is None:
            return False
        self.stop()
        self.propose(plan)
        return self.begin(plan, None if series is None else len(series.seeds))

    def _launch(self, plan: Plan, folder: Path, series: Series | None, *, resume: bool) -> bool:
        try:
            started = self._start(plan, folder, resume, seeds=None if series is None else len(series.seeds))
        except StudioError as error:
            self.failed.emit(error)
            return False
        address = str(folder)
        self._children[address] = started
        self._wishes[address] = Wish.RUN
        self._series, self._others, self._keeps_up = series, {}, series is not None
        if series is not None:
            self._show_series(series)
            address = self._newest or series.addresses[0]
        self._show(address)
        return True

    def _new_folder(self, plan: Plan, seeds: int | None) -> Path:
        what = plan.task or Path(plan.sequence).stem
        which = f"seed-{plan.seed}" if seeds is None else f"seeds-{plan.seed}-{plan.seed + seeds - 1}"
        name = f"{date.today().isoformat()}-{_plain(what)}-{which}"
        taken = (self.folder / (name if count == 1 else f"{name}-{count}") for count in range(1, _MOST_NAMES))
        return next(folder for folder in taken if not is_seen(folder))

    @property
    def wish(self) -> Wish:
        """What was last asked of the training that is shown."""
        return self._wishes.get(self._process_of(self._shown), Wish.RUN)

    @property
    def _is_training(self) -> bool:
        """Whether what is shown is known to be a training: nothing is written into other folders."""
        return self.beginning or self._learning is not None

    def pause(self) -> None:
        """Ask the training that is shown to wait."""
        if self._is_training:
            self._ask(self._shown, Wish.PAUSE)

    def go_on(self) -> None:
        """Ask it to go on."""
        if self._is_training:
            self._ask(self._shown, Wish.RUN)

    def stop(self) -> None:
        """Ask it to end in order."""
        if self.beginning or (self._learning is not None and self._learning.running):
            self._ask(self._shown, Wish.STOP)

    def stop_all(self) -> None:
        """Ask everything that was started here, and still runs, to end in order."""
        for address in self.unfinished:
            self._ask(address, Wish.STOP)

    def _ask(self, address: str, wish: Wish) -> None:
        if not address:
            return
        # The seeds of a series are trained by one process, which is asked by its own folder.
        address = self._process_of(address)
        try:
            ask(Path(address), wish)
        except OSError as error:
            self.failed.emit(
                RunError(
                    f"{address} cannot be written ({error.strerror or error}).", "Check the folder of the training."
                )
            )
            return
        self._wishes[address] = wish
        self.changed.emit()

    # Processes.

    @property
    def unfinished(self) -> tuple[str, ...]:
        """The trainings that were started here, and still run."""
        return tuple(address for address, one in self._children.items() if one.running)

    @property
    def waiting(self) -> bool:
        """Whether something is to be expected of a process that was started here."""
        return bool(self._children)

    def look(self) -> None:
        """See which of the trainings that were started have begun to record, and which have ended."""
        for address, one in [*self._children.items()]:
            runs: tuple[str, ...] = (address,)
            if self._series is not None and address == str(self._series.folder):
                runs = self._series.addresses
            begun = [run for run in runs if run not in self._watchlist.followed and is_seen(Path(run) / RUN_FILE)]
            self._watchlist.add(begun)
            if self._keeps_up and self._newest:
                self._show(self._newest)
            if one.running:
                continue
            del self._children[address]
            failure = one.failure
            if failure:
                self.failed.emit(_told(address, failure))
            self.changed.emit()

    def close(self) -> None:
        """Listen to the watch list no longer."""
        self._watchlist.pictured.disconnect(self._on_pictured)


def _series_at(address: str) -> Series | None:
    """Return the comparison over several seeds that a folder holds, or of which it is one; None for neither."""
    if not address or "://" in address:
        return None
    for folder in (Path(address), Path(address).parent):
        if is_seen(folder / REPEATS_FILE):
            try:
                plan, count = count_of(folder)
            except StudioError:
                return None
            found = Series(folder, seeds_of(plan, count))
            return found if folder == Path(address) or address in found.addresses else None
    return None


def _told(address: str, failure: str) -> RunError:
    """Return what a training that failed has said: its message with the cure, or where one may look."""
    lines = [line.strip() for line in failure.splitlines() if line.strip()] or [failure]
    said = [place for place, line in enumerate(lines) if line.startswith(_PROGRAM)]
    if said:
        message = " ".join(lines[said[-1] :]).removeprefix(_PROGRAM)
        return RunError(f"The training {Path(address).name} could not go on. {message}")
    log = Path(address) / children.LOG_FILE
    return RunError(f"The training {Path(address).name} has ended with an error: {lines[-1]}", f"{log} has all of it.")


def _plain(text: str) -> str:
    """Return a text as part of the name of a folder on any system."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in text)[:60] or "training"


def folder_of_trainings() -> Path:
    """Return where trainings are kept unless the user says otherwise; it need not exist."""
    from platformdirs import user_documents_path

    return user_documents_path() / "LSTM Studio" / "trainings"
