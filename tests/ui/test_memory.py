"""The window leaves nothing behind: what is replaced dies at once, and does not wait for the collector."""

from __future__ import annotations

import ast
import gc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import SIGNAL, QEvent, QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QGridLayout, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from lstm_studio import ui
from lstm_studio.networks.signals import Labels
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.session.session import groups_of
from lstm_studio.session.state import UnitOrder
from lstm_studio.ui.icons import _made
from lstm_studio.ui.panels import PANELS
from lstm_studio.ui.plots.rows import UnitRow, View
from lstm_studio.ui.widgets.layouts import take_widgets
from lstm_studio.ui.window import StudioWindow
from tests.ui.opened import opened_window

# Of the offscreen platform, for every window whose size is limited.
pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")


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
    drawn = 0
    for percent in (150, 200, 100):
        window.scale_text(percent)
        drawn += show_both()
        kept = _made.cache_info()
        assert kept.currsize <= 128
        assert kept.currsize == kept.misses, "those of another size are let go, and none of this size is drawn twice"
    assert drawn > 2 * 128


@pytest.mark.parametrize(
    ("change", "changes"),
    [
        (another_view, 6),
        (another_unit, 3),
        (another_step, 6),
        (other_words, 2),
        (another_theme, 2),
        (another_order, 3),
        (other_cells, 6),
        (another_sequence, 3),
        (another_seed, 3),
        (another_network, 6),
        (another_length, 2),
    ],
)
def test_a_change_leaves_nothing_behind(
    window: StudioWindow, change: Callable[[StudioWindow, int], None], changes: int, qtbot: QtBot
) -> None:
    def go_round() -> int:
        for count in range(changes):
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


def _stands_in_a_field(action: QAction) -> bool:
    return isinstance(action.parent(), QLineEdit)


def test_what_shows_an_action_is_connected_to_it_once(window: StudioWindow) -> None:
    def change() -> list[int]:
        for count in range(2):
            another_theme(window, count)
            for action in actions:
                enabled = action.isEnabled()
                action.setEnabled(not enabled)
                action.setEnabled(enabled)
            QApplication.processEvents()
        window.session.look(theme="light")
        return [action.receivers(SIGNAL("changed()")) for action in actions]

    actions = [
        action
        for action in window.findChildren(QAction)
        # What stands in a field is Qt's button: what it is connected to goes with each change of the theme.
        if not _stands_in_a_field(action)
    ]
    assert len(actions) > 100
    assert change() == change()


def test_the_icons_in_fields_are_connected_once(window: StudioWindow) -> None:
    def change() -> list[int]:
        for count in range(2):
            another_theme(window, count)
        return [action.receivers(SIGNAL("changed()")) for action in actions]

    actions = [action for action in window.findChildren(QAction) if _stands_in_a_field(action)]
    assert len(actions) > 1
    assert change() == change()


def test_a_layout_is_emptied_of_widgets_only() -> None:
    place = QWidget()
    grid = QGridLayout(place)
    inner = QGridLayout()
    labels = [QLabel(), QLabel(), QLabel()]
    for row, words in enumerate(labels):
        grid.addWidget(words, row, row)
    grid.addLayout(inner, 3, 0)
    assert take_widgets(grid) == labels
    assert grid.count() == 1
    assert all(words.parent() is place for words in labels), "as Qt's own removing leaves them"


def test_no_item_is_taken_from_a_layout() -> None:
    # PySide neither deletes what takeAt returns nor lets Python own it: 96 bytes each time, for good.
    taken = [
        f"{path.name}:{call.lineno}"
        for path in Path(ui.__file__).parent.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Attribute) and call.attr == "takeAt"
    ]
    assert taken == []
