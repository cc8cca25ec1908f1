"""A new picture in Train and in Monitor, beside pyqtgraph drawing the same numbers: what the window's thread needs.

Counted is all that a new picture causes, from its arrival to the last pixel: curves, heat maps, panels, bar and labels.
pyqtgraph draws the same curves and heat maps into as many plots of the same window size, and nothing else; both take
turns, so that a busy machine slows them alike. Target: a frame at 60 a second, 16 ms.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"

from PySide6.QtWidgets import QApplication, QWidget

from lstm_studio.runs.like import Curve, Status
from lstm_studio.session.pictures import Followed, RunPicture
from lstm_studio.session.settings import Settings
from lstm_studio.ui.app import destroy, make_application, make_window
from lstm_studio.ui.theme import LIGHT
from lstm_studio.ui.window import StudioWindow

# It ships without types: by name, the type checker need not look at it.
pyqtgraph: Any = import_module("pyqtgraph")

SIZES = ((1600, 1000), (2560, 1440))
TURNS, FRAME = 30, 16.0
EVALUATIONS, EVERY, LAGS = 400, 50, 50
"""Of a training with a plan: so many evaluations, so far apart, with gradients at so many lags."""
RUNS, RECORDS, SAMPLED = 8, 4000, 50
"""Of Monitor: so many runs of so many records, of which every so many-th was sampled."""
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Grown:
    """A training of which so much can be shown as wanted: views of the same arrays, as those of a run that goes on."""

    address: str
    info: Mapping[str, Any]
    last: int
    scalars: Mapping[str, Curve]
    statistics: Mapping[str, Curve]
    parameters: Mapping[str, Curve]
    lags: Mapping[str, Curve]

    def until(self, step: int) -> RunPicture:
        """Return the training as it was after a step."""

        def cut(curves: Mapping[str, Curve]) -> dict[str, Curve]:
            ends = {name: int(np.searchsorted(steps, step, side="right")) for name, (steps, _) in curves.items()}
            return {name: (steps[: ends[name]], values[: ends[name]]) for name, (steps, values) in curves.items()}

        lags = cut(self.lags)
        sampled, known = next(iter(lags.values()))[0], np.arange(step + 1, dtype=np.int64)
        return RunPicture(
            address=self.address,
            title=self.address,
            status=Status.RUNNING,
            heard_at=time.monotonic(),
            info=self.info,
            layers=("lstm",),
            times=(known, np.asarray(1e9 + 0.1 * known)),
            scalars=cut(self.scalars),
            statistics=cut(self.statistics),
            parameters=cut(self.parameters),
            lags=lags,
            lag_spacing=dict.fromkeys(lags, 1),
            steps=tuple(sampled.tolist()),
            snapshots=tuple(sampled.tolist()),
            events=({"event": "start"},),
            problems=(),
            lacks=(),
        )


def falling(length: int, seed: int) -> Values:
    """Return a loss that falls, with noise."""
    noise = np.random.default_rng(seed).standard_normal(length)
    return np.asarray(1.4 * np.exp(-np.arange(length) / (length / 5)) * np.exp(0.2 * noise) + 1e-4)


def reaching(records: int, seed: int) -> Values:
    """Return gradients that fall with the lag."""
    slope = 0.1 + 0.2 * np.random.default_rng(seed).random((records, 1))
    return np.asarray(10.0 ** (-slope * np.arange(LAGS)))


def planned() -> Grown:
    """Return a training of an LSTM and an RNN, as Train shows it."""
    steps = np.arange(EVALUATIONS, dtype=np.int64) * EVERY
    networks = [
        {"key": key, "kind": kind, "title": title, "hidden_size": 16, "layers": 1, "weights": 1000}
        for key, kind, title in (("lstm", "lstm", "LSTM"), ("rnn", "rnn", "Vanilla RNN"))
    ]
    task = {"name": "temporal-order", "title": "Temporal order", "answers": ["A", "B", "C", "D"], "near": 0.3}
    chance = {"sequences": 256, "loss": 1.386, "accuracy": 0.25, "within": 0.0, "squared_error": 0.75}
    recipe = {"updates": (EVALUATIONS - 1) * EVERY, "evaluate_every": EVERY, "seed": 0}
    training = {"task": task, "chance": chance, "recipe": recipe, "networks": networks, "seed": 0, "held_out": 256}
    scalars, lags = {}, {}
    for place, key in enumerate(("lstm", "rnn")):
        loss = falling(EVALUATIONS, place)
        for name, values in (("loss", loss), ("accuracy", 1 - loss / 2), ("within", 1 - loss / 1.5)):
            scalars[f"{key}.{name}"] = (steps, values)
        lags[f"{key}.0.hidden_state"] = (steps, reaching(EVALUATIONS, place))
    return Grown("planned", {"layers": [], "training": training}, int(steps[-1]), scalars, {}, {}, lags)


def watched(address: str, seed: int) -> Grown:
    """Return a training as ``ls.watch`` records it."""
    steps, sampled = np.arange(RECORDS, dtype=np.int64), np.arange(0, RECORDS, SAMPLED, dtype=np.int64)
    count = len(sampled)
    gates = {
        f"lstm.0.{gate}.{kind}": (sampled, np.clip(falling(count, seed + place), 0, 1))
        for place, gate in enumerate(("forget_gate", "input_gate", "output_gate"))
        for kind in ("mean", "deviation", "below_0.1", "above_0.9")
    }
    norms = {
        f"all.{kind}": (sampled, falling(count, seed + place))
        for place, kind in enumerate(("norm", "gradient_norm", "update_norm"))
    }
    info = {"every": SAMPLED, "layers": [{"path": "lstm", "title": "LSTM", "hidden_size": 128, "layers": 1}]}
    lags = {"lstm.0.hidden_state": (sampled, reaching(count, seed))}
    return Grown(address, info, RECORDS - 1, {"loss": (steps, falling(RECORDS, seed))}, gates, norms, lags)


class Anchor:
    """The same curves and heat maps in pyqtgraph: a plot for each name, as its users advise."""

    def __init__(self, app: QApplication, size: tuple[int, int], plots: Mapping[str, int], columns: int) -> None:
        self._app = app
        self._widget = pyqtgraph.GraphicsLayoutWidget()
        self._widget.setBackground("w")
        self._widget.resize(*size)
        self._widget.show()
        self._curves: dict[str, list[Any]] = {}
        self._images: dict[str, Any] = {}
        for place, (name, count) in enumerate(plots.items()):
            plot = self._widget.addPlot(row=place // columns, col=place % columns)
            plot.setMouseEnabled(False, False)
            plot.hideButtons()
            if count:
                pens = [pyqtgraph.mkPen(58, 155, 216, width=2 if index == 0 else 1) for index in range(count)]
                self._curves[name] = [plot.plot(pen=pen, antialias=True) for pen in pens]
            else:
                self._images[name] = pyqtgraph.ImageItem(axisOrder="row-major", levels=(0, 255))
                self._images[name].setLookupTable(LIGHT.gate_table)
                plot.addItem(self._images[name])
        app.processEvents()

    def show(self, curves: Mapping[str, list[Curve]], maps: Mapping[str, Values]) -> None:
        """Draw other numbers."""
        for name, found in curves.items():
            for item, (steps, values) in zip(self._curves[name], found, strict=True):
                item.setData(steps, values)
        for name, norms in maps.items():
            index = np.clip(255 + np.log10(norms) * 10, 0, 255).astype(np.uint8)
            self._images[name].setImage(np.ascontiguousarray(index.T), autoLevels=False)
        self._app.processEvents()

    def close(self) -> None:
        """Free it."""
        self._widget.close()
        self._widget.deleteLater()


def opened(size: tuple[int, int], workspace: str, grown: list[Grown]) -> StudioWindow:
    """Open a workspace on trainings of which only the beginning is known."""
    window = make_window(settings=Settings(theme="light", hints_read=True))
    window.resize(*size)
    window.show()
    window.show_workspace(workspace)
    # The thread that reads would find none of them.
    window.watchlist.changed.disconnect(window._follower._on_changed)
    window.watchlist.add([one.address for one in grown])
    if workspace == "train":
        window.trainings.show(grown[0].address)
    show(window, [one.until(one.last // 2) for one in grown])
    for _ in range(5):
        QApplication.processEvents()
    return window


def show(window: StudioWindow, pictures: list[RunPicture]) -> None:
    """Have the window show how trainings are."""
    window.watchlist.accept([Followed(picture.address, picture) for picture in pictures])
    QApplication.processEvents()


def timed(work: Callable[[], object]) -> float:
    """Return the milliseconds that this thread is at work for something: those of others are not its own."""
    # What the other one has left to do is not this one's.
    for _ in range(3):
        QApplication.processEvents()
    began = time.thread_time()
    work()
    return 1000 * (time.thread_time() - began)


def report(what: str, size: tuple[int, int], ours: list[float], anchor: list[float]) -> bool:
    """Print both, and return whether ours are within a frame."""
    median, most = float(np.median(ours)), float(np.quantile(ours, 0.95))
    other = float(np.median(anchor))
    print(
        f"{what}, {size[0]} × {size[1]}: {median:.1f} ms, 95 % {most:.1f} ms; pyqtgraph {other:.1f} ms"
        f" (ratio {median / other:.2f}): {'reached' if median < FRAME else 'MISSED'}",
        flush=True,
    )
    return median < FRAME


def train_frames(app: QApplication, size: tuple[int, int]) -> bool:
    """Measure a new evaluation of a training that is shown."""
    training = planned()
    window = opened(size, "train", [training])
    stage: QWidget | None = window.stage.shown
    assert stage is not None
    plots = {"loss": 2, "share": 4, "lstm": 0, "rnn": 0}
    anchor = Anchor(app, (stage.width(), stage.height()), plots, 1)
    ours, others = [], []
    for turn in range(TURNS):
        picture = training.until(training.last // 2 + (turn + 1) * EVERY)
        found, lags = picture.scalars, picture.lags
        curves = {
            "loss": [found[f"{key}.loss"] for key in ("lstm", "rnn")],
            "share": [found[f"{key}.{name}"] for key in ("lstm", "rnn") for name in ("accuracy", "within")],
        }
        maps = {key: lags[f"{key}.0.hidden_state"][1] for key in ("lstm", "rnn")}
        ours.append(timed(partial(show, window, [picture])))
        others.append(timed(partial(anchor.show, curves, maps)))
    anchor.close()
    close(window)
    return report("Train, a new evaluation", size, ours[3:], others[3:])


def monitor_frames(app: QApplication, size: tuple[int, int]) -> bool:
    """Measure a new value of the selected run, and a newly sampled step of it."""
    runs = [watched(f"run {index}", 10 * index) for index in range(RUNS)]
    window = opened(size, "monitor", runs)
    stage: QWidget | None = window.stage.shown
    assert stage is not None
    first = runs[0]
    kinds = [*(name for name in first.statistics if "deviation" not in name), *first.parameters]
    anchor = Anchor(app, (stage.width(), stage.height()), {"loss": RUNS, **dict.fromkeys(kinds, 1), "lags": 0}, 4)
    begin = first.last // 2 // SAMPLED * SAMPLED + 1
    reached = True
    for what, everything in (("a new value", False), ("a newly sampled step", True)):
        ours, others = [], []
        for turn in range(TURNS):
            step = begin + turn * (SAMPLED if everything else 1)
            picture = first.until(step)
            losses = [picture.scalars["loss"], *(run.until(begin).scalars["loss"] for run in runs[1:])]
            curves = {"loss": losses}
            maps = {}
            if everything:
                known = {**picture.statistics, **picture.parameters}
                curves |= {name: [known[name]] for name in kinds}
                maps["lags"] = picture.lags["lstm.0.hidden_state"][1]
            ours.append(timed(partial(show, window, [picture])))
            others.append(timed(partial(anchor.show, curves, maps)))
        reached &= report(f"Monitor, {what}", size, ours[3:], others[3:])
    anchor.close()
    close(window)
    return reached


def close(window: StudioWindow) -> None:
    """Free a window."""
    window.watchlist.changed.connect(window._follower._on_changed)
    destroy(window)


def main() -> int:
    """Measure, print, and return 1 if a frame is missed."""
    app = make_application()
    reached = [measure(app, size) for size in SIZES for measure in (train_frames, monitor_frames)]
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
