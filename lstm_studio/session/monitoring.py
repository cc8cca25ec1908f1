"""Which of the followed trainings are shown and how: chosen, cursor, alarms. Evented and Qt-free."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from psygnal import Signal

from lstm_studio.runs.like import Status
from lstm_studio.session.alarms import Alarm, AlarmWatch, Thresholds, muted_out
from lstm_studio.session.pictures import Followed, RunPicture
from lstm_studio.session.run_words import main_loss, network_words
from lstm_studio.session.watchlist import Watchlist

MOST_SHOWN = 8
"""So many runs are shown at first; more of them can be, but curves are then hard to tell apart."""
_DASHES: tuple[tuple[float, ...], ...] = ((), (7, 3), (2, 3), (9, 3, 2, 3), (4, 2), (12, 4), (7, 2, 2, 2, 2, 2))
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Overlay(StrEnum):
    """What curves of several runs have in common: their steps, or the time since each began."""

    STEP = "step"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class MonitorView:
    """How the trainings are looked at.

    Parameters
    ----------
    selected
        Address of the run whose gates and norms are shown; empty for none.
    shown
        Addresses of the runs whose curves are drawn beside it.
    scalar
        Which curve of theirs; empty for the loss of each.
    log
        Whether its axis is logarithmic.
    overlay
        What is laid upon each other.
    layer
        Prefix of the layer whose gates are shown; empty for the first.
    signal
        Name of the signal whose gradient by lag is shown; empty for the first.
    step
        Training step under the cursor; None for the last one, as it comes.
    item
        Which of the sampled sequences opens in Explore.
    words
        What the list is filtered by.
    """

    selected: str = ""
    shown: frozenset[str] = frozenset()
    scalar: str = ""
    log: bool = True
    overlay: Overlay = Overlay.STEP
    layer: str = ""
    signal: str = ""
    step: int | None = None
    item: int = 0
    words: str = ""


class Monitoring:
    """What the Monitor workspace shows of a watch list.

    Parameters
    ----------
    watchlist
        What is followed; its pictures are what is drawn.
    thresholds
        When there are alarms.
    """

    view_changed = Signal(MonitorView, MonitorView)
    """The view after and before."""
    pictured = Signal(frozenset)
    """Addresses of which there is something new to draw."""
    listed = Signal(tuple)
    """All addresses."""
    alarms_changed = Signal(tuple)

    def __init__(self, watchlist: Watchlist, thresholds: Thresholds | None = None) -> None:
        self._watchlist = watchlist
        self._view = MonitorView()
        self._places: dict[str, int] = {}
        self._thresholds = thresholds or Thresholds()
        self._watches: dict[str, AlarmWatch] = {}
        self._found: dict[str, tuple[Alarm, ...]] = {}
        self._muted: frozenset[tuple[str, str, str]] = frozenset()
        self._alarms: tuple[Alarm, ...] = ()
        watchlist.changed.connect(self._on_changed)
        watchlist.pictured.connect(self._on_pictured)
        self._on_changed(watchlist.addresses)
        self._on_pictured(frozenset(watchlist.addresses))

    # What is followed.

    @property
    def watchlist(self) -> Watchlist:
        """What is followed."""
        return self._watchlist

    @property
    def addresses(self) -> tuple[str, ...]:
        """What is followed, in the order in which it was added."""
        return self._watchlist.addresses

    @property
    def followed(self) -> Mapping[str, Followed]:
        """Address → how it was when it was last looked at."""
        return self._watchlist.followed

    def picture(self, address: str) -> RunPicture | None:
        """Return the newest picture of a run, or None."""
        followed = self._watchlist.followed.get(address)
        return None if followed is None else followed.picture

    @property
    def selected(self) -> RunPicture | None:
        """The newest picture of the selected run."""
        return self.picture(self._view.selected)

    def letter(self, address: str) -> str:
        """Return the letter by which a run is known; it keeps it."""
        place = self._places.get(address, 0)
        letter = _LETTERS[place % len(_LETTERS)]
        return letter if place < len(_LETTERS) else f"{_LETTERS[place // len(_LETTERS) - 1]}{letter}"

    def dash(self, address: str) -> tuple[float, ...]:
        """Return dashes and gaps of a run's curves in pixels; none for a solid line."""
        return _DASHES[self._places.get(address, 0) % len(_DASHES)]

    def matches(self, address: str) -> bool:
        """Return whether a run is one that the list is filtered for: by name, status, kind or setting."""
        words = self._view.words.casefold().split()
        if not words:
            return True
        text = self._text_of(address).casefold()
        return all(word in text for word in words)

    def _text_of(self, address: str) -> str:
        followed = self._watchlist.followed.get(address)
        picture = None if followed is None else followed.picture
        if picture is None:
            return f"{address} waiting"
        status = "live running" if picture.status is Status.RUNNING else picture.status.value
        return f"{picture.title} {address} {status} {network_words(picture)} {_settings_of(picture)}"

    # How it is looked at.

    @property
    def view(self) -> MonitorView:
        """How it is looked at."""
        return self._view

    def look(self, **changes: Any) -> None:
        """Change fields of the view."""
        before, after = self._view, replace(self._view, **changes)
        if after != before:
            self._view = after
            self.view_changed.emit(after, before)

    def select(self, address: str) -> None:
        """Select a run; its curves are then shown, and the cursor is at its last step."""
        if address not in self._places or address == self._view.selected:
            return
        shown = self._view.shown | {address}
        self.look(selected=address, shown=shown, step=None, item=0, layer="", signal="")

    def show(self, address: str, on: bool) -> None:
        """Draw the curves of a run, or not; those of the selected one are always drawn."""
        if address == self._view.selected and not on:
            return
        self.look(shown=self._view.shown | {address} if on else self._view.shown - {address})

    @property
    def drawn(self) -> tuple[str, ...]:
        """The runs whose curves are drawn, the selected one last, so that it lies on top."""
        shown = [address for address in self.addresses if address in self._view.shown]
        return tuple(sorted(shown, key=lambda address: address == self._view.selected))

    # The cursor.

    @property
    def steps(self) -> Sequence[int]:
        """The steps of the selected run that the cursor goes through: those with a trace, else those with anything."""
        picture = self.selected
        if picture is None:
            return ()
        if picture.steps:
            return picture.steps
        for curves in (picture.lags, picture.statistics):
            for steps, _ in curves.values():
                if len(steps):
                    return _Steps(steps)
        loss = main_loss(picture)
        return () if loss is None else _Steps(loss[1][0])

    @property
    def following(self) -> bool:
        """Whether the cursor goes along with what is new."""
        return self._view.step is None

    @property
    def place(self) -> int | None:
        """Index among :attr:`steps` of the one under the cursor; None where there are none."""
        steps = self.steps
        if not len(steps):
            return None
        if self._view.step is None:
            return len(steps) - 1
        return nearest_step(steps, self._view.step)

    @property
    def step(self) -> int | None:
        """The training step under the cursor."""
        place = self.place
        return None if place is None else int(self.steps[place])

    def go_to(self, step: int) -> None:
        """Put the cursor on the recorded step nearest to this one."""
        steps = self.steps
        if len(steps):
            self.look(step=int(steps[nearest_step(steps, step)]))

    def go_to_place(self, place: int) -> None:
        """Put the cursor on one of :attr:`steps` by its index."""
        steps = self.steps
        if len(steps):
            self.look(step=int(steps[max(0, min(place, len(steps) - 1))]))

    def move(self, by: int) -> None:
        """Move the cursor by so many recorded steps."""
        place = self.place
        if place is not None:
            self.go_to_place(place + by)

    def follow(self, on: bool = True) -> None:
        """Let the cursor go along with what is new, or stay where it is."""
        self.look(step=None if on else self.step)

    # Alarms.

    @property
    def thresholds(self) -> Thresholds:
        """When there are alarms."""
        return self._thresholds

    def use_thresholds(self, thresholds: Thresholds) -> None:
        """Have alarms at other values; every run is looked at anew."""
        if thresholds != self._thresholds:
            self._thresholds = thresholds
            self._watches.clear()
            self._look_at(self.addresses)

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """All alarms but those that are muted, by run."""
        return self._alarms

    @property
    def muted(self) -> int:
        """How many alarms there would be, were they not muted."""
        return sum(map(len, self._found.values())) - len(self._alarms)

    def mute(self, alarm: Alarm) -> None:
        """Say no more of an alarm."""
        self._muted |= {alarm.key}
        self._tell_alarms()

    def unmute(self) -> None:
        """Say everything again."""
        self._muted = frozenset()
        self._tell_alarms()

    def tick(self) -> None:
        """Look whether a run has fallen silent; to be called about every second."""
        live = [address for address in self.addresses if _is_live(self.picture(address))]
        self._look_at(live)

    def _look_at(self, addresses: Sequence[str]) -> None:
        for address in addresses:
            followed = self._watchlist.followed.get(address)
            if followed is not None:
                watch = self._watches.setdefault(address, AlarmWatch(self._thresholds))
                self._found[address] = watch.look(followed)
        self._tell_alarms()

    def _tell_alarms(self) -> None:
        every = (alarm for address in self.addresses for alarm in self._found.get(address, ()))
        alarms = muted_out(every, self._muted)
        if alarms != self._alarms:
            self._alarms = alarms
            self.alarms_changed.emit(alarms)

    # What the watch list tells.

    def _on_changed(self, addresses: tuple[str, ...]) -> None:
        new = [address for address in addresses if address not in self._places]
        for address in new:
            self._places[address] = 1 + max(self._places.values(), default=-1)
        gone = self._found.keys() - set(addresses)
        for address in gone:
            del self._found[address]
            self._watches.pop(address, None)
        shown = {address for address in self._view.shown if address in addresses}
        shown |= set(new[: max(0, MOST_SHOWN - len(shown))])
        selected = self._view.selected if self._view.selected in addresses else ""
        if not selected and addresses:
            selected = addresses[0]
        self.listed.emit(addresses)
        moved = {} if selected == self._view.selected else {"step": None, "item": 0, "layer": "", "signal": ""}
        self.look(selected=selected, shown=frozenset(shown | ({selected} if selected else set())), **moved)
        self._tell_alarms()

    def _on_pictured(self, addresses: frozenset[str]) -> None:
        self._look_at([address for address in self.addresses if address in addresses])
        self.pictured.emit(addresses)


class _Steps(Sequence[int]):
    """The steps of a curve as a sequence, without a copy."""

    def __init__(self, steps: Any) -> None:
        self._steps = steps

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, index: Any) -> Any:
        found = self._steps[index]
        return found if isinstance(index, slice) else int(found)


def nearest_step(steps: Sequence[int], step: int) -> int:
    """Return the index of the step nearest to another one, the earlier of two."""
    right = bisect.bisect_left(steps, step)
    if right == 0:
        return 0
    if right == len(steps) or step - steps[right - 1] <= steps[right] - step:
        return right - 1
    return right


def _is_live(picture: RunPicture | None) -> bool:
    return picture is not None and picture.status is Status.RUNNING


def _settings_of(picture: RunPicture) -> str:
    """Return what a run was started with, as text to look in."""
    parts = []
    for key in ("recipe", "task", "arguments"):
        found = picture.training.get(key)
        if isinstance(found, Mapping):
            parts += [f"{name}={value}" for name, value in found.items() if isinstance(value, str | int | float | bool)]
        elif isinstance(found, list):
            parts += [str(word) for word in found[:100]]
    parts += [f"{key}={picture.info[key]}" for key in ("every", "dtype", "ranks") if key in picture.info]
    return " ".join(part[:80] for part in parts)
