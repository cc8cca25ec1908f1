"""What a picture or a playback shall be: size, colours, steps."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSpinBox, QWidget

from lstm_studio.session.encoding import FASTEST_GIF, ffmpeg
from lstm_studio.ui.export.stand_in import LARGEST, SMALLEST
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.theme import DARK, GRID, LIGHT, Theme
from lstm_studio.ui.widgets.dialog import AskingDialog, wide_form
from lstm_studio.ui.widgets.number_field import whole_field
from lstm_studio.ui.widgets.segments import Segments
from lstm_studio.ui.widgets.text import label

WORKSPACE = "workspace"
"""What is exported where no panel is chosen: diagrams and plots."""

_SIZES = ((1200, 800), (1600, 1000), (1920, 1080), (3840, 2160))
_SHARPNESS = {"1": "1×", "2": "2×", "3": "3×"}
_GIF, _MP4 = ".gif", ".mp4"
_WHOLE, _PHASES = "whole", "phases"
_COUNTS = {2: "two", 3: "three", 4: "four"}
_NO_MP4 = "An MP4 needs ffmpeg, which is not installed on this computer"


@dataclass(frozen=True, slots=True)
class PictureWish:
    """What a picture shall be.

    Parameters
    ----------
    what
        :data:`WORKSPACE`, or the key of a panel.
    size
        Width and height in logical pixels; of a panel, its own.
    sharpness
        Pixels of a PNG for each logical one.
    theme
        Its colours.
    """

    what: str
    size: tuple[int, int]
    sharpness: int
    theme: Theme


@dataclass(frozen=True, slots=True)
class PlaybackWish:
    """What a playback shall be: the steps ``first`` … ``last``, 0-based, so many a second, whole or in phases."""

    first: int
    last: int
    rate: float
    size: tuple[int, int]
    theme: Theme
    suffix: str
    in_phases: bool = False


class _Wish(AskingDialog):
    """A form with a size and colours."""

    def __init__(self, title: str, size: tuple[int, int], parent: QWidget) -> None:
        super().__init__(title, "Save…", parent)
        self.form = wide_form()
        self.width_field, self.height_field = (
            _number(name, low, high, value, " px")
            for name, low, high, value in zip(("Width", "Height"), SMALLEST, LARGEST, size, strict=True)
        )
        self.sizes = QComboBox()
        self.sizes.setAccessibleName("Usual sizes")
        self.sizes.addItem("As on the screen", size)
        for usual in _SIZES:
            self.sizes.addItem(f"{usual[0]} × {usual[1]}", usual)
        self.sizes.activated.connect(self._take_size)
        self.colours = Segments("Colours", {LIGHT.name: "Light", DARK.name: "Dark"})
        self.colours.show_choice(LIGHT.name)
        self.words = label(kind="caption")
        for field in (self.width_field, self.height_field):
            field.valueChanged.connect(self._show)

    def add_size(self) -> None:
        """Add the rows for size and colours."""
        size = QHBoxLayout()
        size.setSpacing(GRID)
        size.addWidget(self.width_field, 1)
        size.addWidget(QLabel("×"))
        size.addWidget(self.height_field, 1)
        self.form.addRow("Usual sizes", self.sizes)
        self.form.addRow("Size", size)
        self.form.addRow("Colours", self.colours)

    @property
    def size_wanted(self) -> tuple[int, int]:
        """Width and height in logical pixels."""
        return self.width_field.value(), self.height_field.value()

    @property
    def theme(self) -> Theme:
        """The colours that are wanted."""
        return DARK if self.colours.choice == DARK.name else LIGHT

    def _take_size(self, index: int) -> None:
        width, height = self.sizes.itemData(index)
        self.width_field.setValue(width)
        self.height_field.setValue(height)

    def _show(self) -> None:
        raise NotImplementedError


class PictureDialog(_Wish):
    """Asks what a picture shall be.

    Parameters
    ----------
    views
        What can be exported: key → title and size on the screen. Only :data:`WORKSPACE` takes another size.
    """

    def __init__(self, views: dict[str, tuple[str, tuple[int, int]]], parent: QWidget) -> None:
        super().__init__("Export picture", next(iter(views.values()))[1], parent)
        self._views = views
        self.what = QComboBox()
        self.what.setAccessibleName("View")
        for key, (title, _) in views.items():
            self.what.addItem(title, key)
        self.sharpness = Segments("Sharpness", _SHARPNESS)
        self.sharpness.show_choice("2")
        self.form.addRow("View", self.what)
        self.add_size()
        self.form.addRow("Sharpness", self.sharpness)
        self.lay_out(self.form, self.words)
        self.what.activated.connect(self._choose)
        self.sharpness.chosen.connect(self._show)
        self._choose(0)

    @property
    def wish(self) -> PictureWish:
        """What has been chosen."""
        return PictureWish(str(self.what.currentData()), self.size_wanted, int(self.sharpness.choice), self.theme)

    def _choose(self, _: int) -> None:
        key = str(self.what.currentData())
        own = key != WORKSPACE
        for field in (self.width_field, self.height_field, self.sizes):
            field.setEnabled(not own)
            field.setToolTip("A panel is exported at the size that it has" if own else "")
        width, height = self._views[key][1]
        self.width_field.setMinimum(0 if own else SMALLEST[0])
        self.height_field.setMinimum(0 if own else SMALLEST[1])
        self.width_field.setValue(width)
        self.height_field.setValue(height)
        # The fields tell of no view that has the size of the one before.
        self._show()

    def _show(self) -> None:
        times = int(self.sharpness.choice)
        width, height = (format_count(side * times) for side in self.size_wanted)
        self.words.setText(f"A PNG of {width} × {height} pixels, or an SVG that is sharp at any size.")


class PlaybackDialog(_Wish):
    """Asks what a playback shall be.

    Parameters
    ----------
    steps
        Of the sequence.
    speed
        Steps a second that the window plays at.
    size
        Of the plots on the screen.
    phases
        Of a step; 0 where it has none.
    in_phases
        Whether the window takes them one by one.
    """

    def __init__(
        self,
        steps: int,
        speed: float,
        size: tuple[int, int],
        parent: QWidget,
        *,
        phases: int = 0,
        in_phases: bool = False,
    ) -> None:
        super().__init__("Export playback", size, parent)
        self._phases = phases
        self.first = _number("First step", 1, steps, 1)
        self.last = _number("Last step", 1, steps, steps)
        self.rate = _number("Steps a second", 1, int(FASTEST_GIF), max(1, min(round(speed), int(FASTEST_GIF))), "")
        self.format = Segments("Format", {_GIF: "GIF", _MP4: "MP4"})
        self.format.show_choice(_GIF)
        if ffmpeg() is None:
            self.format.button(_MP4).setEnabled(False)
            self.format.button(_MP4).setToolTip(_NO_MP4)
        self.form.addRow("First step", self.first)
        self.form.addRow("Last step", self.last)
        self.form.addRow("Steps a second", self.rate)
        self.each: Segments | None = None
        if phases:
            choices = {_WHOLE: "Whole", _PHASES: f"In its {_COUNTS.get(phases, phases)} phases"}
            self.each = Segments("Each step", choices)
            self.each.show_choice(_PHASES if in_phases else _WHOLE)
            self.each.chosen.connect(self._show)
            self.form.addRow("Each step", self.each)
        self.form.addRow("Format", self.format)
        self.add_size()
        self.lay_out(self.form, self.words)
        for field in (self.first, self.last, self.rate):
            field.valueChanged.connect(self._show)
        self._show()

    @property
    def wish(self) -> PlaybackWish:
        """What has been chosen."""
        return PlaybackWish(
            self.first.value() - 1,
            self.last.value() - 1,
            float(self.rate.value()),
            self.size_wanted,
            self.theme,
            self.format.choice,
            self._in_phases,
        )

    @property
    def _in_phases(self) -> bool:
        return self.each is not None and self.each.choice == _PHASES

    def _show(self) -> None:
        # No faster than the frames of a GIF may follow each other.
        self.rate.setMaximum(int(FASTEST_GIF) // (self._phases if self._in_phases else 1))
        steps = self.last.value() - self.first.value() + 1
        self.take.setEnabled(steps > 0)
        if steps <= 0:
            self.words.setText("The last step comes before the first one.")
            return
        words = "step" if steps == 1 else "steps"
        phases = f" of {_COUNTS.get(self._phases, self._phases)} phases" if self._in_phases else ""
        self.words.setText(f"{format_count(steps)} {words}{phases} in {steps / self.rate.value():.3g} seconds.")


def _number(name: str, low: int, high: int, value: int, suffix: str = "") -> QSpinBox:
    field = whole_field(name)
    # What it comes to is said with every digit.
    field.setKeyboardTracking(True)
    field.setRange(low, high)
    field.setSuffix(suffix)
    field.setValue(value)
    return field
