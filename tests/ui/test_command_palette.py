"""The palette: found by a few letters, done by Return, and nothing that is not possible now."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lstm_studio.networks.signals import Labels
from lstm_studio.ui.command_palette import CommandPalette
from lstm_studio.ui.window import StudioWindow
from tests.ui.opened import opened_window

pytestmark = pytest.mark.qt_log_ignore("does not support")


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[StudioWindow]:
    with opened_window() as opened:
        yield opened


def opened_palette(window: StudioWindow) -> CommandPalette:
    window.header.find_button.click()
    palette = QApplication.activePopupWidget()
    assert isinstance(palette, CommandPalette)
    return palette


def shown(palette: CommandPalette) -> list[str]:
    model = palette.list.model()
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


def test_typing_and_return_do_a_command(window: StudioWindow) -> None:
    palette = opened_palette(window)
    QTest.keyClicks(palette.field, "classroom")
    assert shown(palette) == ["View: Classroom labels"]
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert window.session.view.labels is Labels.CLASSROOM
    assert QApplication.activePopupWidget() is None


def test_every_command_of_the_menus_is_listed_once(window: StudioWindow) -> None:
    palette = opened_palette(window)
    names = shown(palette)
    assert len(names) == len(set(names)) == len(window.commands.infos)
    palette.close()


def test_arrows_skip_what_is_not_possible_now(window: StudioWindow) -> None:
    palette = opened_palette(window)
    QTest.keyClicks(palette.field, "undo")
    assert not window.command_actions["edit.undo"].isEnabled()
    names = shown(palette)
    for _ in range(len(names)):
        current = palette.list.currentIndex()
        assert not current.isValid() or str(current.data()) != "Edit: Undo"
        QTest.keyClick(palette.field, Qt.Key.Key_Down)
    palette.close()


def test_words_that_no_command_has_say_so_and_return_does_nothing(window: StudioWindow) -> None:
    palette = opened_palette(window)
    before = window.session.view
    QTest.keyClicks(palette.field, "zzzz")
    assert not palette.list.isVisible()
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert window.session.view == before
    palette.close()


def test_a_click_does_a_command(window: StudioWindow) -> None:
    palette = opened_palette(window)
    QTest.keyClicks(palette.field, "dark")
    QTest.mouseClick(
        palette.list.viewport(),
        Qt.MouseButton.LeftButton,
        pos=palette.list.visualRect(palette.list.currentIndex()).center(),
    )
    assert window.session.view.theme == "dark"


def test_what_return_would_do_is_said_while_the_keyboard_stays_in_the_field(window: StudioWindow) -> None:
    palette = opened_palette(window)
    said = []
    for words, downs in (("edit undo", 0), ("text", 0), ("text", 1), ("zzzz", 0)):
        palette.field.clear()
        QTest.keyClicks(palette.field, words)
        for _ in range(downs):
            QTest.keyClick(palette.field, Qt.Key.Key_Down)
        assert palette.field.hasFocus()
        said.append(palette.field.accessibleDescription())
    wanted = ("Nothing of this is possible now", "View: Larger text", "View: Smaller text", "No command")
    for words, expected in zip(said, wanted, strict=True):
        assert words.startswith(expected)
    palette.close()


def test_it_changes_its_colours_with_the_system(window: StudioWindow) -> None:
    palette = opened_palette(window)
    for name in ("dark", "light"):
        window.session.look(theme=name)
        theme = window.appearance.theme
        assert theme.name == name
        image = palette.list.viewport().grab().toImage()
        row = palette.list.visualRect(palette.list.currentIndex())
        at = row.topLeft() + QPoint(7, row.height() // 2)
        assert image.pixelColor(at).name().upper() == theme.selected
    palette.close()
