"""Every colour map can be read with any kind of colour vision, and changes data alone."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from lstm_studio.session import settings
from lstm_studio.session.settings import Settings
from lstm_studio.ui.colour_maps import GATE_MAPS, SIGNED_MAPS, with_maps
from lstm_studio.ui.theme import DARK, LEVELS, LIGHT, Theme
from tests.ui.opened import opened_window

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")

# Machado, Oliveira & Fernandes 2009, severity 1, in linear RGB.
_VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def lab(table: NDArray[np.uint8], vision: str) -> NDArray[np.float64]:
    """Return (LEVELS, 3) CIE L*a*b* (D65) as seen with one kind of vision."""
    share = table[:LEVELS, :3] / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ _VISION[vision].T, 0, 1)
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = seen @ matrix.T / np.array([0.9505, 1.0, 1.089])
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    lightness, a, b = 116 * root[:, 1] - 16, 500 * (root[:, 0] - root[:, 1]), 200 * (root[:, 1] - root[:, 2])
    return np.stack([lightness, a, b], axis=1)


@pytest.mark.parametrize(("vision", "gates"), list(product(_VISION, GATE_MAPS)))
def test_between_0_and_1_lightness_rises_steadily(vision: str, gates: str) -> None:
    lightness = lab(with_maps(LIGHT, gates, "blue-orange").gate_table, vision)[:, 0]
    # A neighbour may be darker by less than anyone sees.
    assert np.diff(lightness).min() > -0.5
    assert np.diff(lightness[:: LEVELS // 8]).min() > 3
    assert lightness[-1] - lightness[0] > 60


@pytest.mark.parametrize(("vision", "signed", "theme"), list(product(_VISION, SIGNED_MAPS, (LIGHT, DARK))))
def test_around_0_lightness_says_how_far_and_hue_says_which_side(vision: str, signed: str, theme: Theme) -> None:
    seen = lab(with_maps(theme, "cividis", signed).signed_table, vision)
    middle = LEVELS // 2
    for side in (seen[middle:, 0], seen[middle::-1, 0]):
        away = np.diff(side) * (1 if theme.dark else -1)
        assert away.min() > -0.5
        assert abs(side[-1] - side[0]) > 40
    # A just noticeable difference is about 2.3; the two sides differ by several at a third of the range and beyond.
    for level in (middle // 3, 2 * middle // 3, middle):
        assert np.linalg.norm(seen[middle + level] - seen[middle - level]) > 10


def test_zero_is_the_same_in_every_map_of_a_theme() -> None:
    for theme in (LIGHT, DARK):
        middles = {
            tuple(with_maps(theme, "cividis", signed).signed_table[LEVELS // 2].tolist()) for signed in SIGNED_MAPS
        }
        assert len(middles) == 1


def test_settings_know_the_same_maps() -> None:
    assert tuple(GATE_MAPS) == settings.GATE_MAPS
    assert tuple(SIGNED_MAPS) == settings.SIGNED_MAPS


def test_a_map_is_chosen_by_a_command_and_kept() -> None:
    with opened_window(settings=Settings(theme="light")) as window:
        before = window.workspace.grab().toImage()
        window.command_actions["colours.gates-viridis"].trigger()
        window.command_actions["colours.signed-purple-green"].trigger()
        assert (window.settings.gate_map, window.settings.signed_map) == ("viridis", "purple-green")
        assert window.command_actions["colours.gates-viridis"].isChecked()
        assert window.appearance.theme is with_maps(LIGHT, "viridis", "purple-green")
        assert window.workspace.grab().toImage() != before
        window.command_actions["colours.gates-cividis"].trigger()
        window.command_actions["colours.signed-blue-orange"].trigger()
        assert window.workspace.grab().toImage() == before
