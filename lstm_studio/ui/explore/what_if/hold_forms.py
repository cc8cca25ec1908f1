"""Forms for what happens inside a network: hold a signal, set a state once, switch units off."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QLineEdit, QSizePolicy, QSlider, QWidget

from lstm_studio.networks.cells import cells
from lstm_studio.networks.signals import Role, Signal
from lstm_studio.session.branches import can_hold
from lstm_studio.session.state import Branch, Result, View
from lstm_studio.ui.explore.layers import ShownLayer, network_names, selected_unit, shown_layers
from lstm_studio.ui.explore.what_if.form import Form, FormError, Place, Steps, step_field, text_field
from lstm_studio.ui.explore.what_if.units_text import ALL, UnreadableUnitsError, parse_units
from lstm_studio.ui.numbers import format_number
from lstm_studio.ui.plots.rows import symmetric_levels
from lstm_studio.ui.theme import HALF_GRID, Theme
from lstm_studio.ui.widgets.number_field import inset
from lstm_studio.ui.widgets.text import label

_NOTCHES = 200
_DECIMALS = 3
_FARTHEST = 1e6
_VALUE_WIDTH = 84


class NetworkForm(Form):
    """A form about the shown layer of one network; which one is asked where there are several."""

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__(theme, title)
        self._network = QComboBox()
        self._network.setAccessibleName("Network")
        self._network_word = self._add_row("In", self._network)
        self._network.activated.connect(self._choose_network)
        self._units = text_field("Units", f"3, 5–8, or {ALL}")

    @property
    def units(self) -> QLineEdit:
        """The field of the units."""
        return self._units

    @property
    def network(self) -> QComboBox:
        """The chooser of the network."""
        return self._network

    def _fill(self, result: Result, view: View) -> None:  # noqa: ARG002 - subclasses begin at its cursor
        names = network_names(result.infos)
        held = [index for index in range(len(result.traces)) if can_hold(result, index)]
        with QSignalBlocker(self._network):
            self._network.clear()
            for index in held:
                self._network.addItem(names[index], index)
        for part in (self._network_word, self._network):
            part.setVisible(len(held) > 1)
        self._choose_network(0)

    def place(self, place: Place) -> None:
        """Begin somewhere else than with the first network and its selected unit."""
        self._network.setCurrentIndex(max(0, self._network.findData(place.network)))
        self._choose_network(0)
        self._units.setText(str(place.unit))

    def _choose_network(self, index: int) -> None:  # noqa: ARG002 - the chooser knows
        """Show the layer of another network."""
        shown = self.shown
        if shown is not None and self._view is not None:
            self._units.setText(str(selected_unit(shown, self._view)))

    @property
    def shown(self) -> ShownLayer | None:
        """The layer that the form is about."""
        number = self._network.currentData()
        if self._result is None or self._view is None or number is None:
            return None
        return next((one for one in shown_layers(self._result, self._view) if one.network == number), None)

    def _layer(self) -> ShownLayer:
        shown = self.shown
        if shown is None:
            raise FormError("Nothing can be held in these networks. Choose a cell that is computed step by step")
        return shown

    def _chosen_units(self, count: int) -> tuple[int, ...]:
        try:
            return parse_units(self._units.text(), count)
        except UnreadableUnitsError as problem:
            raise FormError(str(problem)) from None


class ValueForm(NetworkForm):
    """A form with a signal and a value for it."""

    states_only = False

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__(theme, title)
        self._signal = QComboBox()
        self._signal.setAccessibleName("Signal")
        self._signal.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._slider, self._value = QSlider(Qt.Orientation.Horizontal), QDoubleSpinBox()
        self._slider.setRange(0, _NOTCHES)
        self._slider.setAccessibleName("Value, as a slider")
        self._value.setAccessibleName("Value")
        self._value.setDecimals(_DECIMALS)
        self._value.setSingleStep(0.1)
        self._value.setFixedWidth(_VALUE_WIDTH)
        inset(self._value)
        self._recorded = label(kind="caption")
        self._recorded.setWordWrap(True)
        self._levels = (0.0, 1.0)
        both = QWidget()
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(HALF_GRID + 2)
        row.addWidget(self._slider, 1)
        row.addWidget(self._value)
        self._add_row("Signal", self._signal)
        self._add_row("Units", self._units)
        self._add_row("Value", both)
        self._add_when()
        self._add_wide(self._recorded)
        self._signal.activated.connect(self._choose_signal)
        self._slider.valueChanged.connect(self._slide)
        self._value.valueChanged.connect(self._type)
        self._units.textChanged.connect(self._tell)

    @property
    def signal(self) -> QComboBox:
        """The chooser of the signal."""
        return self._signal

    @property
    def field(self) -> QDoubleSpinBox:
        """The value."""
        return self._value

    @property
    def value(self) -> QDoubleSpinBox:
        """The field of the value."""
        return self._value

    @property
    def slider(self) -> QSlider:
        """The value as a slider."""
        return self._slider

    def place(self, place: Place) -> None:
        """Begin with another signal and at another step than the cursor's too."""
        super().place(place)
        self._signal.setCurrentIndex(max(0, self._signal.findData(place.signal)))
        self._show_step(place.step)
        self._choose_signal(0)

    def _fill(self, result: Result, view: View) -> None:
        self._show_step(min(view.cursor, result.sequence.steps - 1))
        super()._fill(result, view)

    def _choose_network(self, index: int) -> None:
        super()._choose_network(index)
        shown = self.shown
        with QSignalBlocker(self._signal):
            self._signal.clear()
            if shown is not None and self._view is not None:
                for signal in self._signals(shown):
                    self._signal.addItem(signal.label(self._view.labels), signal.name)
        self._choose_signal(0)

    def _signals(self, shown: ShownLayer) -> list[Signal]:
        known = [signal for signal in shown.layer.signals if "." not in signal.name]
        if not self.states_only:
            return known
        states = [signal for signal in known if signal.name in cells()[shown.layer.kind].states]
        return sorted(states, key=lambda signal: signal.role is not Role.LONG_TERM)

    def _choose_signal(self, index: int) -> None:  # noqa: ARG002 - the chooser knows
        """Offer the range of another signal, and a value that will make a difference."""
        values, signal = self._values(), self._chosen()
        if values is None or signal is None:
            return
        finite = values[np.isfinite(values)]
        self._levels = signal.levels or symmetric_levels(float(np.abs(finite).max()) if finite.size else 0.0)
        low, high = self._levels if signal.levels else (-_FARTHEST, _FARTHEST)
        with QSignalBlocker(self._value):
            self._value.setRange(low, high)
            self._value.setSingleStep((self._levels[1] - self._levels[0]) / 20)
        self._value.setValue(self._proposed(signal))
        self._type(self._value.value())
        self._tell()

    def _proposed(self, signal: Signal) -> float:
        recorded = self._now()
        if signal.levels is None or recorded is None:
            return 0.0
        low, high = signal.levels
        return 0.0 if low < 0 < high else high if recorded < (low + high) / 2 else low

    def _chosen(self) -> Signal | None:
        shown, name = self.shown, self._signal.currentData()
        return None if shown is None else next((one for one in self._signals(shown) if one.name == name), None)

    def _values(self) -> np.ndarray[tuple[int, ...], np.dtype[np.floating]] | None:
        shown, signal = self.shown, self._chosen()
        if shown is None or signal is None:
            return None
        return shown.trace[f"{shown.layer.prefix}.{signal.name}"]

    def _now(self) -> float | None:
        """Return the recorded value of the first named unit at the first step."""
        values = self._values()
        if values is None:
            return None
        try:
            units = parse_units(self._units.text(), values.shape[1])
        except UnreadableUnitsError:
            return None
        return float(values[min(self._first_step(), len(values) - 1), units[0]])

    def _tell(self) -> None:
        now = self._now()
        step = self._first_step() + 1
        self._recorded.setText("" if now is None else f"Recorded at step {step}: {format_number(now)}")

    def _slide(self, notch: int) -> None:
        low, high = self._levels
        with QSignalBlocker(self._value):
            self._value.setValue(low + (high - low) * notch / _NOTCHES)

    def _type(self, value: float) -> None:
        low, high = self._levels
        with QSignalBlocker(self._slider):
            self._slider.setValue(round((value - low) / (high - low) * _NOTCHES))

    def _branch(self) -> Branch:
        shown, values, signal = self._layer(), self._values(), self._chosen()
        if values is None or signal is None:
            raise FormError("This layer has no such signal. Choose another one")
        at, until = self._span()
        units = self._chosen_units(values.shape[1])
        held = tuple((unit, float(self._value.value())) for unit in units)
        return Branch("", at, until, clamp=((f"{shown.layer.prefix}.{signal.name}", held),), network=shown.network)

    def _add_when(self) -> None:
        raise NotImplementedError

    def _show_step(self, step: int) -> None:
        raise NotImplementedError

    def _first_step(self) -> int:
        raise NotImplementedError

    def _span(self) -> tuple[int, int | None]:
        raise NotImplementedError


class ClampForm(ValueForm):
    """Hold a signal at a value from a step on."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Clamp")

    def _add_when(self) -> None:
        self.steps = Steps()
        self._add_row("Steps", self.steps)
        self.steps.first.valueChanged.connect(self._tell)

    def _show_step(self, step: int) -> None:
        self.steps.show_steps(step, 1 if self._result is None else self._result.sequence.steps)

    def _first_step(self) -> int:
        return self.steps.first.value() - 1

    def _span(self) -> tuple[int, int | None]:
        return self.steps.span()


class StateForm(ValueForm):
    """Set a state once; from there on it is computed again."""

    states_only = True

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Set state")

    def _add_when(self) -> None:
        self.step = step_field("Step")
        self._add_row("At step", self.step)
        self.step.valueChanged.connect(self._tell)

    def _show_step(self, step: int) -> None:
        self.step.setRange(1, 1 if self._result is None else self._result.sequence.steps)
        self.step.setValue(step + 1)

    def _first_step(self) -> int:
        return self.step.value() - 1

    def _span(self) -> tuple[int, int | None]:
        return self.step.value() - 1, self.step.value()


class AblateForm(NetworkForm):
    """Switch units off: their states are held at zero."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Ablate")
        self._steps = Steps()
        self._add_row("Units", self._units)
        self._add_row("Steps", self._steps)
        note = label("Their states are held at zero.", "caption")
        note.setWordWrap(True)
        self._add_wide(note)

    @property
    def steps(self) -> Steps:
        """The fields of the steps."""
        return self._steps

    def _fill(self, result: Result, view: View) -> None:
        super()._fill(result, view)
        self._steps.show_steps(0, result.sequence.steps)

    def _branch(self) -> Branch:
        shown = self._layer()
        at, until = self._steps.span()
        units = self._chosen_units(shown.layer.units)
        return Branch("", at, until, ablate=((shown.layer.prefix, units),), network=shown.network)
