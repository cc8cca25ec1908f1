"""The window leaves nothing behind: what is replaced dies at once, and does not wait for the collector."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lstm_studio.networks.signals import Labels
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.session.session import groups_of
from lstm_studio.session.state import UnitOrder
from lstm_studio.ui.icons import _made
from lstm_studio.ui.panels import PANELS
from lstm_studio.ui.plots.rows import UnitRow, View
from lstm_studio.ui.window import StudioWindow
from tests.ui.opened import opened_window

# Of the offscreen platform, for every window whose size is limited.
pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")

ROUND = 6
"""Changes after which each of those below is back where it was."""


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[StudioWindow]:
    with opened_window() as opened:
        for panel in PANELS:
            opened.show_panel(panel.key, True)
        yield opened


def another_view(window: StudioWindow, count: int) -> None:
    rows = [row for row in window.workspace.stack.state.rows if isinstance(row, UnitRow)]
    window.session.choose_plot_view(rows[count % 2].key, list(View)[count % 3])


def another_unit(window: StudioWindow, count: int) -> None:
    window.session.select_unit(groups_of(window.session.result)[0], count % 3)


def another_step(window: StudioWindow, count: int) -> None:
    window.session.look(cursor=count % 3, reveal_all=bool(count % 2))


def other_words(window: StudioWindow, count: int) -> None:
    window.session.look(labels=list(Labels)[count % 2])


def another_theme(window: StudioWindow, count: int) -> None:
    window.session.look(theme=("light", "dark")[count % 2])


def another_order(window: StudioWindow, count: int) -> None:
    window.session.look(order=list(UnitOrder)[count % 3])


def other_cells(window: StudioWindow, count: int) -> None:
    window.session.look(diagram=bool(count % 2), four_phases=count % 3 == 0)


def another_sequence(window: StudioWindow, count: int) -> None:
    window.session.change("Choose a sequence", item=count % 3)


def another_seed(window: StudioWindow, count: int) -> None:
    window.session.change("Change the seed", network=NetworkSpec("lstm", 4, seed=count % 3))


def another_network(window: StudioWindow, count: int) -> None:
    layers, both = (1, 2)[count % 2], count % 3 == 0
    network = NetworkSpec("lstm", (4, 6, 8)[count % 3], layers, bidirectional=both)
    window.session.change("Change the network", network=network)


def another_length(window: StudioWindow, count: int) -> None:
    session = window.session
    if count % 2:
        session.remove_event()
    else:
        session.add_event((0.0,) * session.result.sequence.features)


def test_icons_are_kept_for_both_themes_but_not_for_every_size_of_text(window: StudioWindow) -> None:
    def show_both() -> int:
        for theme in ("dark", "light"):
            window.session.look(theme=theme)
            QApplication.processEvents()
        return _made.cache_info().misses

    made = show_both()
    assert show_both() == made, "drawn again, they would be laid out again and copied into Qt's own cache"
    for percent in (125, 150, 175, 200, 100):
        window.scale_text(percent)
        show_both()
    kept = _made.cache_info()
    assert kept.misses - made > 2 * 128
    assert kept.currsize <= 128


@pytest.mark.parametrize(
    "change",
    [
        another_view,
        another_unit,
        another_step,
        other_words,
        another_theme,
        another_order,
        other_cells,
        another_sequence,
        another_seed,
        another_network,
        another_length,
    ],
)
def test_a_change_leaves_nothing_behind(
    window: StudioWindow, change: Callable[[StudioWindow, int], None], qtbot: QtBot
) -> None:
    def go_round() -> int:
        for count in range(ROUND):
            change(window, count)
            qtbot.waitUntil(lambda: not window.session.waiting and not window.runner.busy)
            QApplication.processEvents()
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        return len(window.findChildren(QObject))

    objects = go_round()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        assert go_round() == objects
        gc.collect()
        # A picture that waits for the collector scatters what is allocated meanwhile, and the process grows by that.
        waited = Counter(type(thing) for thing in gc.garbage)
        assert {kind.__name__ for kind in waited if kind.__module__.startswith(("lstm_studio", "PySide6"))} == set()
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
