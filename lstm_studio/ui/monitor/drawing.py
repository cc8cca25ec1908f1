"""From pictures of trainings to pictures of plots: what is drawn, where, and in which words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_studio.networks.signals import (
    CELL_STATE,
    FORGET_GATE,
    HIDDEN_STATE,
    INPUT_GATE,
    OUTPUT_GATE,
    RECURRENT_STATE,
    RESET_GATE,
    UPDATE_GATE,
    Labels,
    Role,
    Signal,
)
from lstm_studio.runs.like import Curve, Status
from lstm_studio.session.monitoring import Monitoring, Overlay
from lstm_studio.session.pictures import RunPicture
from lstm_studio.session.run_words import chance_of, is_held_out, main_loss, planned_steps
from lstm_studio.session.thinning import Thinner
from lstm_studio.ui.numbers import format_count, format_number, format_scientific
from lstm_studio.ui.theme import Theme
from lstm_studio.ui.training_plots.pictures import Band, CurvePicture, LagPicture, Line, Reference
from lstm_studio.ui.training_plots.span import Span, rounded_up

_GATES = (FORGET_GATE, UPDATE_GATE, INPUT_GATE, RESET_GATE, OUTPUT_GATE)
_STATES = {signal.name: signal for signal in (HIDDEN_STATE, CELL_STATE)}
_NAMES = frozenset(signal.name for signal in (*_GATES, HIDDEN_STATE))
_UNTIMED = "this run does not say when its steps were"
_SATURATED = (("above_0.9", "> 0.9", ()), ("below_0.1", "< 0.1", (5.0, 3.0)))
_OUTER, _INNER = 0.18, 0.32
_BANDS = (("quantile_5", "quantile_95", _OUTER), ("quantile_25", "quantile_75", _INNER))
_STRETCHES = 500
"""Of which a curve consists that has been thinned: about one for two pixels."""
_MOST_NORMS = 4
_NORMS = (
    ("norm", "W", "Weight norm", False),
    ("gradient_norm", "∂", "Gradient norm", True),
    ("update_norm", "Δ", "Update norm", True),
)
_UNITS = {"norm": "L2, all weights", "gradient_norm": "L2, log axis", "update_norm": "L2 a step, log axis"}


@dataclass(frozen=True, eq=False, slots=True)
class Tile:
    """A small plot of the selected run.

    Parameters
    ----------
    key
        What it shows, the same for the same thing in every run.
    badge, role
        Before its title.
    title, caption
        What is shown, and in which unit.
    picture
        The curves.
    """

    key: str
    badge: str
    role: Role
    title: str
    caption: str
    picture: CurvePicture


class Drawing:
    """Makes pictures of plots; it remembers the thinned curves, so that only what is new costs anything.

    Parameters
    ----------
    monitoring
        What is shown.
    """

    def __init__(self, monitoring: Monitoring) -> None:
        self._monitoring = monitoring
        self._thinners: dict[tuple[str, str], Thinner] = {}
        self._places: dict[tuple[str, str], tuple[Overlay, NDArray[np.int64], NDArray[np.float64]]] = {}
        self._span: tuple[object, Span] | None = None
        self._tiles: tuple[object, tuple[Tile, ...]] | None = None

    def forget(self) -> None:
        """Forget what is remembered of runs that are followed no longer."""
        addresses = set(self._monitoring.addresses)
        self._thinners = {key: thinner for key, thinner in self._thinners.items() if key[0] in addresses}
        self._places = {key: place for key, place in self._places.items() if key[0] in addresses}
        self._span = self._tiles = None

    # The axis.

    def positions(self, picture: RunPicture, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return where training steps are: at their number, or so many seconds after the first of the run.

        Of a run that does not say when its steps were, they are nowhere on an axis of time: nan.
        """
        if self._monitoring.view.overlay is Overlay.STEP:
            return steps.astype(np.float64)
        known, walls = picture.times
        if not len(known):
            return np.full(len(steps), np.nan)
        return np.asarray(np.interp(steps, known, walls - walls[0]), np.float64)

    def position(self, picture: RunPicture, step: int) -> float:
        """Return where one step is."""
        return float(self.positions(picture, np.array([step]))[0])

    def has_places(self, picture: RunPicture) -> bool:
        """Return whether the steps of a run are anywhere on the axis."""
        return self._monitoring.view.overlay is Overlay.STEP or len(picture.times[0]) > 0

    def span(self) -> Span:
        """Return the axis of all plots: from the first step to the last one of what is drawn, or that is planned."""
        seconds = self._monitoring.view.overlay is Overlay.TIME
        pictures = tuple(self._monitoring.picture(address) for address in self._monitoring.drawn)
        # Asked for several times for each picture, and looks at every curve.
        if self._span is None or self._span[0] != (seconds, pictures):
            self._span = (seconds, pictures), self._span_of(pictures, seconds)
        return self._span[1]

    def _span_of(self, pictures: tuple[RunPicture | None, ...], seconds: bool) -> Span:
        last = 1.0
        for picture in pictures:
            step = -1 if picture is None else picture.last_step
            if picture is None or step < 0:
                continue
            end = self.position(picture, step)
            if not np.isfinite(end):
                continue
            planned = 0 if seconds else planned_steps(picture)
            live = picture.status is Status.RUNNING and not planned
            last = max(last, planned, rounded_up(end) if live else end)
        return Span(0.0, last, seconds)

    def _thin(self, picture: RunPicture, address: str, name: str, curve: Curve) -> tuple[NDArray[np.float64], ...]:
        key = (address, name)
        steps, values = self._thinners.setdefault(key, Thinner(_STRETCHES))(curve)
        # With the same steps the same positions: a curve that has not changed is known by them.
        overlay, kept = self._monitoring.view.overlay, self._places.get(key)
        if kept is None or kept[0] is not overlay or kept[1] is not steps:
            kept = self._places[key] = overlay, steps, self.positions(picture, steps)
        # Nothing that is nowhere may reach the painter, which can crash on it.
        return (kept[2], values) if self.has_places(picture) else (np.zeros(0), np.zeros(0))

    # The curve of every run that is shown.

    def runs(self, theme: Theme) -> CurvePicture:
        """Return one curve for each run that is shown, the selected one in ink and on top."""
        monitoring = self._monitoring
        view = monitoring.view
        lines: list[Line] = []
        references: list[Reference] = []
        words: list[str] = []
        for address in monitoring.drawn:
            picture = monitoring.picture(address)
            named = None if picture is None else self.curve_of(picture)
            if picture is None or named is None or not self.has_places(picture):
                continue
            name, curve = named
            x, y = self._thin(picture, address, f"scalar {name}", curve)
            chosen = address == view.selected
            letter = monitoring.letter(address)
            lines.append(
                Line(
                    f"{letter}, {picture.title}",
                    x,
                    y,
                    theme.ink if chosen else theme.ink3,
                    2.0 if chosen else 1.0,
                    () if chosen else monitoring.dash(address),
                    label=letter if chosen else "",
                    badge=letter,
                )
            )
            words.append(f"run {letter}, {picture.title}: {_course(y)}")
            chance = chance_of(picture, name)
            if chance is not None and all(abs(chance - one.value) > 1e-9 for one in references):
                references.append(Reference(chance, f"chance {format_number(chance, 3)}"))
        title = view.scalar or "loss"
        summary = f"{title} over training {self.span().title}s; {'; '.join(words)}" if words else "Nothing to draw yet"
        return CurvePicture(tuple(lines), references=tuple(references), log=view.log, summary=summary)

    def curve_of(self, picture: RunPicture) -> tuple[str, Curve] | None:
        """Return name and curve of what is drawn of a run."""
        wanted = self._monitoring.view.scalar
        if not wanted:
            return main_loss(picture)
        for group in (picture.scalars, picture.parameters, picture.statistics):
            curve = group.get(wanted)
            if curve is not None and len(curve[0]):
                return wanted, curve
        return None

    # The tiles of the selected run.

    def layers(self) -> tuple[str, ...]:
        """Return the layers of which there are statistics: ``lstm.0``, ``lstm.1``, …."""
        picture = self._monitoring.selected
        if picture is None:
            return ()
        return tuple(dict.fromkeys(parted[0] for name in picture.statistics if (parted := _parted(name)) is not None))

    def tiles(self, theme: Theme, labels: Labels) -> tuple[Tile, ...]:
        """Return the small plots of the selected run, as many as there is something for."""
        monitoring = self._monitoring
        picture = monitoring.selected
        if picture is None or not self.has_places(picture):
            return ()
        view = monitoring.view
        curves = (*picture.statistics.items(), *picture.parameters.items())
        ends = tuple((name, len(steps), _place_of(values)) for name, (steps, values) in curves)
        made_of = (theme, labels, view.selected, view.layer, view.overlay, ends)
        if self._tiles is None or self._tiles[0] != made_of:
            self._tiles = made_of, self._made_tiles(picture, theme, labels)
        return self._tiles[1]

    def _made_tiles(self, picture: RunPicture, theme: Theme, labels: Labels) -> tuple[Tile, ...]:
        monitoring = self._monitoring
        layers = self.layers()
        layer = monitoring.view.layer if monitoring.view.layer in layers else next(iter(layers), "")
        tiles: list[Tile] = []
        if layer:
            tiles += self._gate_tiles(picture, layer, theme, labels)
            tiles += self._bias_tile(picture, layer, theme)
        else:
            tiles += self._histogram_tiles(picture, theme)
        tiles += self._norm_tiles(picture, theme)
        return tuple(tiles)

    def _gate_tiles(self, picture: RunPicture, layer: str, theme: Theme, labels: Labels) -> list[Tile]:
        gates = [signal for signal in _GATES if f"{layer}.{signal.name}.below_0.1" in picture.statistics]
        # Of a network with few gates, or none, its state is what there is to see.
        state = [] if len(gates) > 2 else [HIDDEN_STATE if gates else RECURRENT_STATE]
        spread = [*gates[:1], *(one for one in state if f"{layer}.{one.name}.mean" in picture.statistics)]
        tiles = [self._middle_tile(picture, layer, signal, theme, labels) for signal in spread]
        return [*tiles, *(self._saturation_tile(picture, layer, gate, theme, labels) for gate in gates)]

    def _middle_tile(self, picture: RunPicture, layer: str, signal: Signal, theme: Theme, labels: Labels) -> Tile:
        full, colours = f"{layer}.{signal.name}", theme.roles[signal.role]
        word, kind = ("median", "quantile_50") if _has_quantiles(picture, full) else ("mean", "mean")
        x, middle = self._part(picture, f"{full}.{kind}")
        bands, caption = self._bands(picture, full, colours.mark)
        last = format_number(float(middle[-1])) if len(middle) else ""
        # What it is stands above; beside the plot the word would take the room of the curves, in all the others too.
        line = Line(word, x, middle, colours.mark, 2.0, label=last, label_colour=colours.text)
        title = signal.label(labels)
        summary = f"{title} over the training: {word} {_course(middle)}"
        levels = signal.levels if signal in _GATES else None
        shown = _picture(picture, (line,), summary, bands=bands, levels=levels)
        return Tile(f"mean {signal.name}", signal.badge, signal.role, title, caption, shown)

    def _bands(self, picture: RunPicture, full: str, colour: str) -> tuple[tuple[Band, ...], str]:
        """Return what is recorded of the spread: 90 % and 50 % of the values, or one standard deviation."""
        found = []
        if _has_quantiles(picture, full):
            for low, high, opacity in _BANDS:
                x, lows = self._part(picture, f"{full}.{low}")
                _, highs = self._part(picture, f"{full}.{high}")
                if len(lows) and len(lows) == len(highs):
                    found.append(Band(x, lows, highs, colour, opacity))
            return tuple(found), "median, 50 and 90 %"
        x, mean = self._part(picture, f"{full}.mean")
        _, apart = self._part(picture, f"{full}.deviation")
        if len(apart) and len(apart) == len(mean):
            return (Band(x, mean - apart, mean + apart, colour, _INNER),), "mean ± deviation"
        return (), "mean"

    def _saturation_tile(self, picture: RunPicture, layer: str, gate: Signal, theme: Theme, labels: Labels) -> Tile:
        colours = theme.roles[gate.role]
        lines, words = [], []
        for kind, text, dash in _SATURATED:
            x, y = self._part(picture, f"{layer}.{gate.name}.{kind}")
            if len(y):
                last = f"{text}  {format_number(float(y[-1]))}"
                lines.append(Line(text, x, y, colours.text, 1.5, dash, label=last, label_colour=colours.text))
                words.append(f"share {text} {_course(y)}")
        title = f"{gate.label(labels)} saturated"
        summary = f"{title} over the training: {', '.join(words)}"
        shown = _picture(picture, tuple(lines), summary, levels=(0.0, 1.0))
        return Tile(f"saturated {gate.name}", gate.badge, gate.role, title, "share of values", shown)

    def _bias_tile(self, picture: RunPicture, layer: str, theme: Theme) -> list[Tile]:
        name = forget_bias_name(picture, layer)
        if name is None:
            return []
        colours = theme.roles[Role.FORGET]
        x, y = self._part(picture, name)
        last = format_number(float(y[-1])) if len(y) else ""
        line = Line("bias", x, y, colours.mark, 2.0, label=last, label_colour=colours.text)
        summary = f"Forget bias over the training: {_course(y)}"
        shown = _picture(picture, (line,), summary)
        return [Tile("forget bias", "b", Role.FORGET, "Forget bias", "mean over units", shown)]

    def _histogram_tiles(self, picture: RunPicture, theme: Theme) -> list[Tile]:
        """Return what the histograms of another tool say, by the names that they have there."""
        tiles = []
        for name in [name for name in picture.statistics if name.endswith(".mean")][: 2 * _MOST_NORMS]:
            full = name.removesuffix(".mean")
            x, mean = self._part(picture, name)
            _, apart = self._part(picture, f"{full}.deviation")
            bands = (Band(x, mean - apart, mean + apart, theme.ink3, _INNER),) if len(apart) == len(mean) else ()
            last = format_number(float(mean[-1])) if len(mean) else ""
            line = Line("mean", x, mean, theme.ink2, 2.0, label=last, label_colour=theme.ink2)
            summary = f"{full} over the training: mean {_course(mean)}"
            shown = _picture(picture, (line,), summary, bands=bands)
            tiles.append(Tile(f"histogram {full}", "x", Role.INPUT, full, "mean ± deviation", shown))
        return tiles

    def _norm_tiles(self, picture: RunPicture, theme: Theme) -> list[Tile]:
        tiles = []
        for kind, badge, title, log in _NORMS:
            names = [f"all.{kind}"] if f"all.{kind}" in picture.parameters else []
            names = names or [name for name in picture.parameters if name.endswith(f".{kind}")][:_MOST_NORMS]
            lines = []
            for index, name in enumerate(names):
                x, y = self._part(picture, name)
                if len(y):
                    last = format_scientific(float(y[-1])) if log else format_number(float(y[-1]))
                    text = last if len(names) == 1 else name.removesuffix(f".{kind}").rpartition(".")[2]
                    dash = () if index == 0 else (5.0, 3.0) if index == 1 else (2.0, 3.0)
                    lines.append(Line(name, x, y, theme.ink2, 1.5, dash, label=text, label_colour=theme.ink2))
            if lines:
                summary = f"{title} over the training: {', '.join(_course(line.y) for line in lines)}"
                shown = _picture(picture, tuple(lines), summary, log=log)
                tiles.append(Tile(kind, badge, Role.GRADIENT, title, _UNITS[kind], shown))
        return tiles

    def _part(self, picture: RunPicture, name: str) -> tuple[NDArray[np.float64], ...]:
        """Return (positions, values) of a curve of the selected run; none where it has no such curve."""
        curve = picture.statistics.get(name) or picture.parameters.get(name)
        if curve is None:
            return np.zeros(0), np.zeros(0)
        return self._thin(picture, self._monitoring.view.selected, name, curve)

    # Gradients by lag.

    def lag_signals(self) -> tuple[str, ...]:
        """Return the signals whose gradient by lag is recorded."""
        picture = self._monitoring.selected
        return () if picture is None else tuple(name for name, (steps, _) in picture.lags.items() if len(steps))

    def lag_choices(self, labels: Labels) -> list[tuple[str, str]]:
        """Return each of them in words, and its name."""
        picture = self._monitoring.selected
        if picture is None:
            return []
        choices = []
        for name in self.lag_signals():
            layer, _, state = name.rpartition(".")
            word = _STATES[state].label(labels) if state in _STATES else state.replace("_", " ")
            where = ", held-out" if is_held_out(picture, name) else ""
            choices.append((f"{word} · {layer}{where}", name))
        return choices

    def lag_signal(self) -> str:
        """Return which of them is shown; empty for none."""
        signals = self.lag_signals()
        wanted = self._monitoring.view.signal
        if wanted in signals:
            return wanted
        layer = self._monitoring.view.layer
        here = [name for name in signals if layer and name.startswith(f"{layer}.")]
        return next(iter(here or signals), "")

    def lags(self) -> LagPicture:
        """Return the gradient by lag of the selected run."""
        picture, name = self._monitoring.selected, self.lag_signal()
        if picture is None or not name:
            words = "no gradients by lag in this run" if picture is not None and picture.lacks else _absent(picture)
            return LagPicture(np.zeros(0), np.zeros((0, 1)), words=words, summary=words)
        if not self.has_places(picture):
            return LagPicture(np.zeros(0), np.zeros((0, 1)), words=_UNTIMED, summary=_UNTIMED)
        steps, norms = picture.lags[name]
        spacing = picture.lag_spacing.get(name, 1)
        last = norms[-1][np.isfinite(norms[-1])]
        summary = f"Gradient by lag of {name}, {format_count(len(steps))} records"
        if len(last):
            far = format_count((len(last) - 1) * spacing)
            summary += f"; now {format_scientific(last[0])} at lag 0 and {format_scientific(last[-1])} at lag {far}"
        ended = picture.status is not Status.RUNNING
        until = self.position(picture, picture.last_step) if ended else None
        return LagPicture(
            self.positions(picture, steps), norms, spacing, until=until, words=_absent(picture), summary=summary
        )


def _absent(picture: RunPicture | None) -> str:
    """Return what stands where there are no records: in a run that has ended, none will come."""
    return "no records" if picture is not None and picture.status is not Status.RUNNING else "no records yet"


def _picture(
    run: RunPicture,
    lines: tuple[Line, ...],
    summary: str,
    *,
    bands: tuple[Band, ...] = (),
    levels: tuple[float, float] | None = None,
    log: bool = False,
) -> CurvePicture:
    """Return what a small plot shows, with the part of the training that is still to come."""
    # Where the records end, not the training: what is between two of them is no news to these.
    ends = [float(line.x[-1]) for line in lines if len(line.x)]
    until = max(ends, default=0.0)
    return CurvePicture(lines, bands, log=log, levels=levels, until=until, words=_absent(run), summary=summary)


def _place_of(values: NDArray[np.float64]) -> int:
    """Return where values lie in memory: those of a run that goes on stay where they are."""
    return int(values.__array_interface__["data"][0])


def _has_quantiles(picture: RunPicture, full: str) -> bool:
    """Return whether the quantiles of a signal were recorded all along, and not since it went on in a later version."""
    median, mean = (picture.statistics.get(f"{full}.{kind}") for kind in ("quantile_50", "mean"))
    return median is not None and len(median[0]) >= (0 if mean is None else len(mean[0]))


def forget_bias_name(picture: RunPicture, layer: str) -> str | None:
    """Return the curve that holds the forget bias of a layer: ``lstm.l0.forget_bias`` that of ``lstm.0``."""
    backward = layer.endswith(".reverse")
    path, _, number = layer.removesuffix(".reverse").rpartition(".")
    for name in (f"{path}.l{number}{'_reverse' if backward else ''}.forget_bias", f"{path}.forget_bias"):
        if name in picture.parameters:
            return name
    return None


def _parted(name: str) -> tuple[str, str] | None:
    """Return layer and signal of a statistic; None where it is not one of a recurrent layer."""
    full, _, kind = name.rpartition(".")
    if name.endswith((".below_0.1", ".above_0.9")):
        full, kind = name.rpartition(".")[0].rpartition(".")[0], "share"
    layer, _, signal = full.rpartition(".")
    return (layer, signal) if layer and kind and signal in _NAMES else None


def _course(values: NDArray[np.float64]) -> str:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return "nothing yet"
    return f"from {format_number(float(finite[0]))} to {format_number(float(finite[-1]))}"
