"""What leaves the window: pictures of any size, playbacks, reports, the clipboard."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lstm_studio.networks.signals import Phase
from lstm_studio.session.compute import Computer
from lstm_studio.session.encoding import WritePlayback, ffmpeg
from lstm_studio.ui import dialogs
from lstm_studio.ui.commands.export import ExportCommands
from lstm_studio.ui.export.dialogs import WORKSPACE, PictureDialog, PictureWish, PlaybackDialog
from lstm_studio.ui.export.stand_in import SMALLEST, StandIn
from lstm_studio.ui.icons import icon_pixmap
from lstm_studio.ui.plots.header import VIEW_ICONS, RowHeader
from lstm_studio.ui.plots.heat_item import HeatItem
from lstm_studio.ui.plots.rows import View
from lstm_studio.ui.theme import DARK, LIGHT, Theme
from lstm_studio.ui.window import StudioWindow
from tests.ui.opened import opened_window

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[StudioWindow]:
    with opened_window(computer=Computer()) as opened:
        yield opened


def exports(window: StudioWindow) -> ExportCommands:
    return next(group for group in window.commands.groups if isinstance(group, ExportCommands))


def notices(window: StudioWindow) -> list[str]:
    return [notice.found for notice in window.stage.notices.notices]


def test_a_picture_has_the_size_colours_and_step_that_were_asked_for(window: StudioWindow, tmp_path: Path) -> None:
    for theme, name in ((LIGHT, "light.png"), (DARK, "dark.png")):
        exports(window).save_picture(PictureWish(WORKSPACE, (900, 700), 2, theme), tmp_path / name)
    light, dark = (QImage(str(tmp_path / name)) for name in ("light.png", "dark.png"))
    assert (light.width(), light.height()) == (1800, 1400)
    assert light.pixelColor(3, 3).name().upper() == LIGHT.panel
    assert dark.pixelColor(3, 3).name().upper() == DARK.panel
    window.session.move_cursor(3)
    exports(window).save_picture(PictureWish(WORKSPACE, (900, 700), 2, LIGHT), tmp_path / "early.png")
    assert QImage(str(tmp_path / "early.png")) != light


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_icons_in_a_picture_are_as_sharp_as_the_picture(window: StudioWindow, theme: Theme) -> None:
    with StandIn(window.session, (900, 700), theme) as stand_in:
        stack = stand_in._workspace.stack
        button = next(
            header.view_button for row in stack.state.rows if (header := stack.row_header(row.key)).view_button
        )
        assert button is not None
        image, side = stand_in.draw(3.0), button.iconSize().width()
        image.setDevicePixelRatio(1.0)
        corner = button.mapTo(stand_in._workspace, button.rect().center()) - QPoint(side // 2, side // 2)
        shown = image.copy(QRect(corner * 3, QSize(3 * side, 3 * side)))
        # The same lines drawn at that size, on the same ground.
        wanted = QImage(shown.size(), shown.format())
        wanted.fill(QColor(theme.panel))
        painter = QPainter(wanted)
        painter.drawPixmap(0, 0, icon_pixmap(VIEW_ICONS[View.HEAT], theme.ink2, 3 * side))
        painter.end()
        off = [
            abs(shown.pixelColor(x, y).lightness() - wanted.pixelColor(x, y).lightness())
            for x in range(3 * side)
            for y in range(3 * side)
        ]
        assert max(off) < 40
        assert sum(value > 4 for value in off) < 0.1 * len(off)


def test_curves_and_symbols_in_a_picture_have_as_many_pixels_as_the_picture(window: StudioWindow) -> None:
    with StandIn(window.session, (900, 700), LIGHT) as stand_in:
        stack = stand_in._workspace.stack
        for ratio in (2.0, 1.0):
            image = stand_in.draw(ratio).convertToFormat(QImage.Format.Format_Grayscale8)
            image.setDevicePixelRatio(1.0)
            for key in ("input", "gradient"):
                item = stack.row_item(key)
                corner = stack.mapTo(stand_in._workspace, item.scenePos().toPoint())
                size = QSize(round(item.scale_of_time.width), round(item.height))
                row = image.copy(QRect(corner * ratio, size * ratio))
                lines = np.frombuffer(row.constBits(), np.uint8).reshape(row.height(), row.bytesPerLine())
                pairs = lines[: row.height() // 2 * 2, : row.width() // 2 * 2].reshape(row.height() // 2, 2, -1, 2)
                # Enlarged from one pixel, all four would be equal.
                uneven = int((np.ptp(pairs, axis=(1, 3)) > 30).sum())
                assert uneven > 100, f"{key} at {ratio}: {uneven}"


def test_the_smallest_and_the_largest_picture_have_their_size(window: StudioWindow) -> None:
    for size in (SMALLEST, (4000, 3000)):
        with StandIn(window.session, size, LIGHT) as stand_in:
            image = stand_in.draw()
            assert (image.width(), image.height()) == size


def test_a_picture_leaves_the_window_as_it_is(window: StudioWindow, tmp_path: Path) -> None:
    before, widgets = window.grab().toImage(), len(QApplication.allWidgets())
    exports(window).save_picture(PictureWish(WORKSPACE, (900, 700), 1, DARK), tmp_path / "a.png")
    QApplication.processEvents()
    assert window.grab().toImage() == before
    assert len(QApplication.allWidgets()) == widgets


def test_an_svg_has_text_and_curves_as_such(window: StudioWindow, tmp_path: Path) -> None:
    path = tmp_path / "view.svg"
    exports(window).save_picture(PictureWish(WORKSPACE, (900, 700), 1, LIGHT), path)
    root = ET.parse(path).getroot()  # noqa: S314 - written a line above
    assert root.get("viewBox") == "0 0 900 700"
    # A browser takes 96 pixels for an inch.
    shown = [float(root.attrib[side].removesuffix("mm")) / 25.4 * 96 for side in ("width", "height")]
    assert shown == pytest.approx([float(edge) for edge in root.attrib["viewBox"].split()[2:]], rel=1e-3)
    words = " ".join("".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text"))
    assert "Forget gate" in words
    assert len(list(root.iter("{http://www.w3.org/2000/svg}path"))) > 5
    # Of the plots, only heat maps are pictures; symbols are text.
    with StandIn(window.session, (900, 700), LIGHT) as stand_in:
        stack = stand_in._workspace.stack
        wide = int(stack.row_item("gradient").scale_of_time.width)
        heat = sum(isinstance(stack.row_item(row.key), HeatItem) for row in stack.state.rows)
    images = [image.get("width") for image in root.iter("{http://www.w3.org/2000/svg}image")]
    assert images.count(str(wide)) == heat > 0
    symbols = window.session.result.sequence.symbols
    assert symbols is not None
    assert set(symbols[: window.session.view.cursor + 1]) <= set(words.split())


def test_a_panel_is_exported_at_its_own_size(window: StudioWindow, tmp_path: Path) -> None:
    panel = window.panel("step")
    for suffix in ("png", "svg"):
        path = tmp_path / f"panel.{suffix}"
        exports(window).save_picture(PictureWish("step", (1, 1), 1, LIGHT), path)
        assert path.stat().st_size > 1_000
    assert QImage(str(tmp_path / "panel.png")).size() == panel.size()


def test_the_dialog_offers_what_is_seen_and_saves(
    window: StudioWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "view.png"
    monkeypatch.setattr(dialogs, "ask_save", lambda *_: str(path))
    window.command_actions["file.export-picture"].trigger()
    dialog = window.findChild(PictureDialog)
    assert dialog is not None
    offered = [dialog.what.itemData(index) for index in range(dialog.what.count())]
    assert offered[0] == WORKSPACE
    assert {"sequence", "networks", "step"} < set(offered)
    dialog.width_field.setValue(1000)
    dialog.height_field.setValue(600)
    assert "2,000 × 1,200" in dialog.words.text()
    QTest.mouseClick(dialog.take, Qt.MouseButton.LeftButton)
    assert QImage(str(path)).width() == 2000
    assert notices(window) == [f"Saved {path}."]


def test_dialogs_die_when_they_are_closed(window: StudioWindow) -> None:
    for key, kind in (("file.export-picture", PictureDialog), ("file.export-playback", PlaybackDialog)):
        window.command_actions[key].trigger()
        dialog = window.findChild(kind)
        assert dialog is not None
        dialog.reject()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        assert window.findChild(kind) is None


@pytest.mark.parametrize("name", ["no folder/view.png", "no folder/view.svg", "view.xyz"])
def test_a_picture_that_cannot_be_written_says_so(
    window: StudioWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setattr(dialogs, "ask_save", lambda *_: str(tmp_path / name))
    window.command_actions["file.export-picture"].trigger()
    dialog = window.findChild(PictureDialog)
    assert dialog is not None
    dialog.accept()
    assert str(tmp_path / name) in notices(window)[-1]


def play_to(window: StudioWindow, monkeypatch: pytest.MonkeyPatch, path: Path, first: int, last: int) -> None:
    monkeypatch.setattr(dialogs, "ask_save", lambda *_: str(path))
    window.command_actions["file.export-playback"].trigger()
    dialog = window.findChild(PlaybackDialog)
    assert dialog is not None
    dialog.first.setValue(first)
    dialog.last.setValue(last)
    dialog.rate.setValue(10)
    dialog.width_field.setValue(641)
    dialog.height_field.setValue(481)
    dialog.format.show_choice(path.suffix)
    dialog.accept()


def test_a_gif_has_one_frame_for_each_step(
    window: StudioWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "play.gif"
    play_to(window, monkeypatch, path, 3, 8)
    qtbot.waitUntil(lambda: bool(notices(window)), timeout=20_000)
    assert notices(window) == [f"Saved {path}."]
    with Image.open(path) as image:
        assert (image.size, getattr(image, "n_frames", 1), image.info["duration"]) == ((641, 481), 6, 100)
        frames = []
        for index in range(6):
            image.seek(index)
            frames.append(np.asarray(image.convert("RGB")).copy())
    assert all((before != after).any() for before, after in pairwise(frames))


@pytest.mark.skipif(ffmpeg() is None, reason="ffmpeg is not installed")
def test_an_mp4_has_the_steps_at_their_rate(
    window: StudioWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "play.mp4"
    play_to(window, monkeypatch, path, 1, 10)
    qtbot.waitUntil(lambda: bool(notices(window)), timeout=30_000)
    assert notices(window) == [f"Saved {path}."]
    probe = shutil.which("ffprobe")
    assert probe is not None
    entries = "stream=width,height,nb_read_frames,r_frame_rate"
    command = [probe, "-v", "error", "-count_frames", "-show_entries", entries, "-of", "csv=p=0", str(path)]
    # 4:2:0 has an even number of pixels each way.
    assert subprocess.check_output(command, text=True).strip() == "642,482,10/1,10"


def test_a_playback_takes_each_step_in_its_phases_where_these_are_shown(
    window: StudioWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "play.gif"
    window.session.show_phases(True)
    play_to(window, monkeypatch, path, 3, 4)
    qtbot.waitUntil(lambda: bool(notices(window)), timeout=20_000)
    theme = window.appearance.in_my_maps(LIGHT)
    with Image.open(path) as image:
        # Ten steps a second in four phases each: 25 ms a phase, in whole hundredths.
        assert getattr(image, "n_frames", 1) == 8
        frames, durations = [], []
        for index in range(8):
            image.seek(index)
            durations.append(image.info["duration"])
            frames.append(np.asarray(image.convert("RGB")).astype(int))
    assert sum(durations) == 200
    assert set(durations) == {20, 30}
    with StandIn(window.session, (641, 481), theme) as stand_in:
        for index, (step, phase) in enumerate((step, phase) for step in (2, 3) for phase in Phase):
            stand_in.show_step(step, phase)
            wanted = stand_in.frame().astype(int)
            nearest = min(range(8), key=lambda place: abs(frames[place] - wanted).sum())
            assert nearest == index
        stand_in.show_step(3)
        whole = stand_in.frame()
        assert (whole != wanted).any(), "what rests in a phase is dimmed"
    assert window.session.view.phase is Phase.FORGET, "the window stays as it is"


def test_the_dialog_offers_phases_where_there_are_some(window: StudioWindow) -> None:
    dialog = PlaybackDialog(20, 30.0, (800, 600), window, phases=4, in_phases=True)
    each = dialog.each
    assert each is not None
    assert each.isVisibleTo(dialog)
    assert dialog.wish.in_phases
    before = dialog.wish
    # Fifty frames a second are as many as browsers show of a GIF.
    assert dialog.rate.value() == 12
    assert dialog.words.text() == "20 steps of four phases in 1.67 seconds."
    each.button("whole").click()
    assert dialog.wish == replace(before, in_phases=False)
    dialog.rate.setValue(50)
    assert dialog.words.text() == "20 steps in 0.4 seconds."
    none = PlaybackDialog(20, 4.0, (800, 600), window)
    assert not none.wish.in_phases
    assert none.each is None
    for made in (dialog, none):
        made.deleteLater()


def test_without_ffmpeg_the_dialog_says_why_there_is_no_mp4(
    window: StudioWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lstm_studio.ui.export.dialogs.ffmpeg", lambda: None)
    dialog = PlaybackDialog(20, 4.0, (800, 600), window)
    button = dialog.format.button(".mp4")
    assert not button.isEnabled()
    assert "ffmpeg" in button.toolTip()
    dialog.first.setValue(9)
    dialog.last.setValue(5)
    assert not dialog.take.isEnabled()


def test_a_playback_that_cannot_be_written_says_so_and_draws_no_more(
    window: StudioWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    play_to(window, monkeypatch, tmp_path / "no folder" / "play.gif", 1, 20)
    qtbot.waitUntil(lambda: bool(notices(window)), timeout=20_000)
    assert "cannot be written" in notices(window)[0]
    qtbot.waitUntil(lambda: exports(window)._playback is None, timeout=5_000)


def test_the_window_computes_while_a_playback_is_written(window: StudioWindow, qtbot: QtBot, tmp_path: Path) -> None:
    # Its frames never come: it is being written for as long as nobody cancels it.
    question = WritePlayback(str(tmp_path / "play.gif"), np.zeros((4, 4, 3), np.uint8), 9, 4.0)
    window.session.ask(question)
    qtbot.waitUntil(lambda: bool(list(tmp_path.iterdir())))
    window.session.change("Show sequence 2", item=1)
    qtbot.waitUntil(lambda: window.session.result.setup.item == 1, timeout=30_000)
    qtbot.waitUntil(lambda: window.runner.busy)
    assert (question.frames.closed, window.runner.idle) == (False, False)
    window.runner.cancel()
    qtbot.waitUntil(lambda: window.runner.idle and not window.runner.busy)
    assert (question.frames.closed, window.runner.idle) == (True, True)
    assert list(tmp_path.iterdir()) == []


def test_cancelling_leaves_no_file(
    window: StudioWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    play_to(window, monkeypatch, tmp_path / "play.gif", 1, 20)
    qtbot.wait(50)
    window.runner.cancel()
    qtbot.waitUntil(lambda: exports(window)._playback is None, timeout=5_000)
    assert list(tmp_path.iterdir()) == []


def test_the_report_is_one_page_with_the_numbers(
    window: StudioWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    monkeypatch.setattr(dialogs, "ask_save", lambda *_: str(path))
    window.command_actions["file.export-report"].trigger()
    qtbot.waitUntil(lambda: bool(notices(window)), timeout=20_000)
    page = path.read_text(encoding="utf-8")
    assert "data:image/png;base64," in page
    # Nothing is fetched from elsewhere.
    assert "http" not in page.split("<body>")[0].replace("http-equiv", "")
    result = window.session.result
    assert result.infos[0].fingerprint in page
    layer = result.traces[0].layers[0]
    assert f"{result.traces[0][f'{layer.prefix}.cell_state'][2, 0]:.4g}" in page


def test_the_report_says_in_words_what_its_picture_shows(
    window: StudioWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    monkeypatch.setattr(dialogs, "ask_save", lambda *_: str(path))
    window.session.move_cursor(7)
    window.command_actions["file.export-report"].trigger()
    qtbot.waitUntil(lambda: bool(notices(window)), timeout=20_000)
    said = re.search(r'<img alt="([^"]*)"', path.read_text(encoding="utf-8"))
    assert said is not None
    headers = window.workspace.stack.findChildren(RowHeader)
    assert len(headers) >= 6
    for header in headers:
        assert f"{header.accessibleName()}: " in said[1]
    forget = window.session.result.traces[0]["lstm.0.forget_gate"]
    assert f"unit 0 at step 8: {forget[7, 0]:.2f}" in said[1]


def test_the_picture_is_on_the_clipboard(window: StudioWindow) -> None:
    window.command_actions["edit.copy-picture"].trigger()
    image = QGuiApplication.clipboard().image()
    assert image.width() == 2 * window.workspace.width()
