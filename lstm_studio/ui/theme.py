"""Colours, type and sizes of the window: one light and one dark theme, from one set of tokens.

Two rules decide every doubtful case: the chrome is grey, colour belongs to data; and colour never stands alone, as each
role also has a letter badge, a line style or a marker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache, cached_property
from types import MappingProxyType

import numpy as np
from cmap import Colormap
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QFont, QFontInfo, QFontMetrics, QGuiApplication, QPalette

from lstm_studio.networks.signals import Role

GRID = 8
HALF_GRID = 4
PANEL_INSET = 12
PLOT_GAP = 5
SECTION_GAP = 8
DOCK_HEADER_HEIGHT = 28
CONTROL_HEIGHT = 26
TRANSPORT_HEIGHT = 32
FOCUS_RING = 2
FOCUS_RING_RULES = (
    f"QTableView {{ border: {FOCUS_RING}px solid transparent; border-radius: 5px; }}"
    "QTableView:focus { border-color: palette(link); }"
)
"""Of the style sheets of lists, which have room for the ring from the start: nothing moves when the focus comes."""
CARD_RADIUS = 6
CONTROL_RADIUS = 5
BADGE_RADIUS = 4
BADGE_SIZE = 16
LABEL_WIDTH = 136
COLOUR_BAR_WIDTH = 8

LEVELS = 255
"""Steps of a colour table; odd, so that zero has an index of its own in a signed map."""
MISSING = 255
"""Index of values that are not a number."""


class Text(Enum):
    """A use of text: size relative to the system's base size, and weight."""

    STEP_NUMBER = (1.85, QFont.Weight.Bold)
    TITLE = (1.0, QFont.Weight.DemiBold)
    BODY = (0.92, QFont.Weight.Normal)
    ACTIVE = (0.92, QFont.Weight.DemiBold)
    ROW_LABEL = (0.88, QFont.Weight.DemiBold)
    SECONDARY = (0.85, QFont.Weight.Normal)
    VALUE = (0.85, QFont.Weight.DemiBold)
    TICK = (0.80, QFont.Weight.Normal)
    TICK_BOLD = (0.80, QFont.Weight.Bold)
    DOCK_HEADER = (0.85, QFont.Weight.Bold)


_SMALLEST_TEXT = 10.0
_DRAWN_AT = 13.0
"""Base size of the text to which all sizes in pixels belong."""


def base_size() -> float:
    """Return the system's base text size in logical pixels."""
    return float(QFontInfo(QGuiApplication.font()).pixelSize())


def font(text: Text, scale: float = 1.0) -> QFont:
    """Return the system font for one use of text, with tabular figures.

    Parameters
    ----------
    text
        What the text is for.
    scale
        The user's font setting, 1 for 100 %. Nothing gets smaller than 10 px.
    """
    ratio, weight = text.value
    made = QFont(QGuiApplication.font())
    made.setPixelSize(round(max(_SMALLEST_TEXT, base_size() * ratio * scale)))
    made.setWeight(weight)
    made.setFeature(QFont.Tag("tnum"), 1)
    if text is Text.DOCK_HEADER:
        made.setCapitalization(QFont.Capitalization.AllUppercase)
        made.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, 0.6)
    return made


def scaled(pixels: float) -> int:
    """Return what so many pixels at 100 % come to beside the text: larger with it, never smaller."""
    return round(pixels * max(1.0, base_size() / _DRAWN_AT))


def transport_height() -> int:
    """Return the height of the buttons in the bar at the bottom: as much as the controls beside them need."""
    return max(TRANSPORT_HEIGHT, scaled(CONTROL_HEIGHT - 2) + 2)


def header_height() -> int:
    """Return the height of a panel's title bar: as much as its text needs, at least :data:`DOCK_HEADER_HEIGHT`."""
    return max(DOCK_HEADER_HEIGHT, QFontMetrics(font(Text.BODY)).height() + 2 * HALF_GRID)


@dataclass(frozen=True, slots=True)
class RoleColours:
    """The three colours of a signal role.

    Parameters
    ----------
    mark
        Lines, wires, bars, badges: 3:1 on the panel.
    text
        The role as text: 4.5:1 on panel and sunken.
    wash
        Fill of diagram nodes.
    """

    mark: str
    text: str
    wash: str


@dataclass(frozen=True, eq=False)
class Theme:
    """All colours, as ``"#RRGGBB"``, and the two colour tables.

    ``gate_table`` (0…1, ``gate_map`` of the package cmap) and ``signed_table`` (through the anchors; zero is the
    panel's tone) are (256, 4) uint8 RGBA: 255 levels, and the colour of what is not a number at index 255.
    """

    name: str
    dark: bool
    window: str
    panel: str
    sunken: str
    hover: str
    selected: str
    line: str
    frame: str
    control: str
    grid: str
    ink: str
    ink2: str
    ink3: str
    focus: str
    ok: str
    warning: str
    error: str
    ok_fill: str
    warning_fill: str
    error_fill: str
    cursor: str
    halo: str
    roles: Mapping[Role, RoleColours]
    signed_anchors: tuple[str, ...]
    gate_map: str = "cividis"

    # When first needed: of two themes only one is seen, and the first paint waits for no other.

    @cached_property
    def gate_table(self) -> NDArray[np.uint8]:
        """(256, 4) colours from 0 to 1."""
        # From the map's own stops: asking the map for its colours would load numpy.ma before the first paint. As it
        # does, 256 colours are made of the stops, and each level takes the one in whose share it lies.
        stops = Colormap(self.gate_map).color_stops
        channels = np.array([stop.color.rgba[:3] for stop in stops], np.float64).T * 255
        at = [stop.position for stop in stops]
        colours = np.stack([np.interp(np.linspace(0.0, 1.0, 256), at, channel) for channel in channels], axis=1)
        shares = np.minimum((np.linspace(0.0, 1.0, LEVELS) * 256).astype(np.intp), 255)
        return self._table(colours[shares])

    @cached_property
    def signed_table(self) -> NDArray[np.uint8]:
        """(256, 4) colours through the anchors."""
        positions = np.linspace(0.0, 1.0, LEVELS)
        anchors = np.array([_rgb(anchor) for anchor in self.signed_anchors], np.float64)
        at = np.linspace(0.0, 1.0, len(anchors))
        return self._table(np.stack([np.interp(positions, at, channel) for channel in anchors.T], axis=1))

    def _table(self, levels: NDArray[np.float64]) -> NDArray[np.uint8]:
        table = np.full((256, 4), 255, np.uint8)
        table[:LEVELS, :3] = levels.round()
        table[MISSING, :3] = _rgb(self.error)
        table.flags.writeable = False
        return table

    def on(self, fill: str) -> str:
        """Return white where it reads on ``fill`` (3.2:1, for bold letters), else a near-black."""
        return "#FFFFFF" if contrast("#FFFFFF", fill) >= 3.2 else "#171C22"


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, "relative luminance")."""
    bright, dim = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    channels = (channel / 255 for channel in _rgb(colour))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _roles(grey: RoleColours, **named: RoleColours) -> Mapping[Role, RoleColours]:
    roles = {Role[name.upper()]: colours for name, colours in named.items()}
    return MappingProxyType({role: roles.get(role, grey) for role in Role})


LIGHT = Theme(
    name="light",
    dark=False,
    window="#E9ECEF",
    panel="#FFFFFF",
    sunken="#F5F6F8",
    hover="#E6EAEE",
    selected="#DCE8F8",
    line="#D6DBE1",
    frame="#AEB7C1",
    control="#87929E",
    grid="#E7EAED",
    ink="#171C22",
    ink2="#46505B",
    ink3="#626D78",
    focus="#2A63C4",
    ok="#1B7F4B",
    warning="#8A5A00",
    error="#B3261E",
    ok_fill="#E3F3EA",
    warning_fill="#FFF3D9",
    error_fill="#FBE9E7",
    cursor="#171C22",
    halo="#FFFFFF",
    roles=_roles(
        RoleColours("#3A4450", "#3A4450", "#EDEFF1"),
        forget=RoleColours("#D55E00", "#AD4B00", "#FBEDE3"),
        learn=RoleColours("#009E73", "#00735A", "#E2F3EE"),
        use=RoleColours("#CC79A7", "#9E4378", "#F8ECF3"),
        long_term=RoleColours("#0072B2", "#00639E", "#E2EFF7"),
        short_term=RoleColours("#3A9BD8", "#1A74A8", "#E7F4FC"),
        recurrent=RoleColours("#C98500", "#865D00", "#FCF3DF"),
    ),
    signed_anchors=("#08305F", "#2166AC", "#79B1DA", "#F5F5F3", "#F0A95C", "#C2600C", "#6B2C00"),
)

DARK = Theme(
    name="dark",
    dark=True,
    window="#0F1215",
    panel="#191D22",
    sunken="#14181C",
    hover="#272D34",
    selected="#22344D",
    line="#2C333B",
    frame="#505B66",
    control="#6E7A86",
    grid="#262C33",
    ink="#EBEFF3",
    ink2="#B7C0CA",
    ink3="#8E99A5",
    focus="#7AA7F0",
    ok="#4CC38A",
    warning="#F2C14E",
    error="#FF8A80",
    ok_fill="#17302A",
    warning_fill="#33290F",
    error_fill="#3A1F1E",
    cursor="#FFFFFF",
    halo="#0A0C0E",
    roles=_roles(
        RoleColours("#C9D1D9", "#C9D1D9", "#272D34"),
        forget=RoleColours("#F0803A", "#F5965A", "#33241B"),
        learn=RoleColours("#2DBE95", "#45CCA5", "#17302A"),
        use=RoleColours("#DE97BE", "#E6A9CA", "#32262D"),
        long_term=RoleColours("#4BA3DD", "#6DB8EA", "#182B38"),
        short_term=RoleColours("#8AD0F5", "#8AD0F5", "#1D2F39"),
        recurrent=RoleColours("#F0B429", "#F3C04D", "#33290F"),
    ),
    signed_anchors=("#B8DCF7", "#5BA4DE", "#255F92", "#20252B", "#9A5310", "#EA8F32", "#FFDCA8"),
)


@cache
def palette(theme: Theme) -> QPalette:
    """Return the Qt palette of a theme, with its disabled state.

    The same one each time, by which Qt knows the pictures of controls that it has drawn for it.
    """
    made = QPalette()
    group = QPalette.ColorRole
    colours = {
        group.Window: theme.window,
        group.WindowText: theme.ink,
        group.Base: theme.panel,
        group.AlternateBase: theme.sunken,
        group.Text: theme.ink,
        group.PlaceholderText: theme.ink3,
        group.Button: theme.panel,
        group.ButtonText: theme.ink,
        group.BrightText: theme.error,
        group.ToolTipBase: theme.panel,
        group.ToolTipText: theme.ink,
        group.Highlight: theme.selected,
        group.HighlightedText: theme.ink,
        group.Link: theme.focus,
        group.LinkVisited: theme.focus,
        group.Accent: theme.focus,
        group.Light: theme.hover,
        group.Midlight: theme.line,
        group.Mid: theme.frame,
        group.Dark: theme.control,
        group.Shadow: theme.control,
    }
    for role, colour in colours.items():
        made.setColor(role, QColor(colour))
    for role in (group.WindowText, group.Text, group.ButtonText, group.HighlightedText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.ink3))
    made.setColor(QPalette.ColorGroup.Disabled, group.Button, QColor(theme.sunken))
    return made
