from __future__ import annotations

import cmap
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from lstm_studio.networks.signals import Role
from lstm_studio.ui.icons import Icon, icon_path, icon_pixmap, make_icon
from lstm_studio.ui.style_sheet import style_sheet
from lstm_studio.ui.theme import DARK, LEVELS, LIGHT, MISSING, Text, Theme, contrast, font, palette
from lstm_studio.ui.window import StudioWindow
from tests.ui.opened import opened_window, press

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    # The grey that is widely quoted as the lightest with 4.5:1 on white.
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)


@THEMES
def test_text_and_marks_can_be_read(theme: Theme) -> None:
    for ink in (theme.ink, theme.ink2, theme.ink3):
        for ground in (theme.panel, theme.sunken):
            assert contrast(ink, ground) >= 4.5
    for colour in (theme.ok, theme.warning, theme.error, theme.focus):
        assert contrast(colour, theme.panel) >= 4.5
    for role in Role:
        colours = theme.roles[role]
        assert contrast(colours.mark, theme.panel) >= 3.0
        assert contrast(colours.text, theme.panel) >= 4.5
        assert contrast(theme.on(colours.mark), colours.mark) >= 3.2
    assert contrast(theme.cursor, theme.halo) >= 10


@THEMES
def test_gates_take_cividis_in_both_themes(theme: Theme) -> None:
    expected = np.asarray(cmap.Colormap("cividis")(np.linspace(0, 1, LEVELS)))[:, :3] * 255
    assert np.abs(theme.gate_table[:LEVELS, :3] - expected).max() <= 0.5


@THEMES
def test_the_signed_map_goes_through_its_anchors_and_zero_is_in_the_middle(theme: Theme) -> None:
    for place, anchor in enumerate(theme.signed_anchors):
        at = (LEVELS - 1) * place / 6
        if at == int(at):
            colour = QColor(anchor)
            assert theme.signed_table[int(at), :3].tolist() == [colour.red(), colour.green(), colour.blue()]
    middle = QColor(theme.signed_anchors[3])
    assert theme.signed_table[127, :3].tolist() == [middle.red(), middle.green(), middle.blue()]
    assert contrast(theme.signed_anchors[3], theme.panel) < 1.12


@THEMES
def test_the_signed_map_is_symmetric_in_lightness(theme: Theme) -> None:
    lightness = theme.signed_table[:LEVELS, :3].astype(float) @ (0.2126, 0.7152, 0.0722)
    halves = np.diff(lightness[:128]), np.diff(lightness[127:])
    assert np.all(halves[0] * (1 if not theme.dark else -1) >= -1)
    assert np.all(halves[1] * (-1 if not theme.dark else 1) >= -1)


@THEMES
def test_missing_values_have_a_colour_of_their_own(theme: Theme) -> None:
    missing = QColor(theme.error)
    assert theme.gate_table[MISSING, :3].tolist() == [missing.red(), missing.green(), missing.blue()]
    assert theme.gate_table.shape == theme.signed_table.shape == (256, 4)
    assert not theme.gate_table.flags.writeable


@THEMES
def test_the_palette_has_a_disabled_state(theme: Theme, qapp: QApplication) -> None:
    made = palette(theme)
    role = QPalette.ColorRole.ButtonText
    assert made.color(QPalette.ColorGroup.Active, role) == QColor(theme.ink)
    assert made.color(QPalette.ColorGroup.Disabled, role) == QColor(theme.ink3)
    assert made.color(QPalette.ColorRole.Base) == QColor(theme.panel)


def test_fonts_follow_the_system_size_and_the_setting(qapp: QApplication) -> None:
    before = qapp.font()
    try:
        big = qapp.font()
        big.setPixelSize(20)
        qapp.setFont(big)
        assert font(Text.BODY).pixelSize() == 18
        assert font(Text.BODY, 2.0).pixelSize() == 37
        assert font(Text.STEP_NUMBER).pixelSize() == 37
        small = qapp.font()
        small.setPixelSize(8)
        qapp.setFont(small)
        assert font(Text.TICK).pixelSize() == 10
    finally:
        qapp.setFont(before)


@THEMES
def test_the_style_sheet_is_understood_and_reaches_controls(theme: Theme, qapp: QApplication) -> None:
    box = QWidget()
    layout = QVBoxLayout(box)
    button, check, combo, spin = QPushButton("Play"), QCheckBox("Loop"), QComboBox(), QSpinBox()
    button.setProperty("kind", "primary")
    check.setChecked(True)
    for control in (button, check, combo, spin):
        layout.addWidget(control)
    # Qt reports what it cannot parse as a warning, which fails the test.
    box.setStyleSheet(style_sheet(theme))
    box.resize(200, 160)
    image = button.grab().toImage()
    assert image.pixelColor(12, image.height() // 2) == QColor(theme.ink)
    box.deleteLater()


@THEMES
@pytest.mark.parametrize("kind", ["link", "flat"])
@pytest.mark.parametrize("button", [QPushButton, QToolButton])
def test_what_has_no_frame_has_none_either_where_it_is_disabled(
    theme: Theme, kind: str, button: type[QPushButton | QToolButton], qapp: QApplication
) -> None:
    around = QWidget()
    around.setStyleSheet(style_sheet(theme))
    made = button(around)
    made.setText("Compare")
    made.setProperty("kind", kind)
    made.resize(made.sizeHint())
    for on in (True, False):
        made.setEnabled(on)
        picture = around.grab(made.geometry()).toImage()
        edge = {picture.pixelColor(x, 0).name() for x in range(picture.width())}
        assert edge == {picture.pixelColor(1, 1).name()}, "a line along the edge"
    around.deleteLater()


def test_every_icon_is_drawn_inside_its_grid(qapp: QApplication) -> None:
    for icon in Icon:
        bounds = icon_path(icon).controlPointRect()
        assert min(bounds.left(), bounds.top()) >= 0, icon
        assert max(bounds.right(), bounds.bottom()) <= 16, icon
        image = icon_pixmap(icon, "#FF0000", 16, 2.0).toImage()
        assert image.width() == 32
        opaque = sum(image.pixelColor(x, y).alpha() > 128 for x in range(32) for y in range(32))
        assert 16 <= opaque <= 32 * 32 // 2, icon


def test_icons_have_a_disabled_state(qapp: QApplication) -> None:
    made = make_icon(Icon.PLAY, LIGHT)
    normal = made.pixmap(16, 16).toImage().pixelColor(6, 8)
    disabled = made.pixmap(16, 16, made.Mode.Disabled).toImage().pixelColor(6, 8)
    assert (normal, disabled) == (QColor(LIGHT.ink), QColor(LIGHT.ink3))


def test_icons_and_palettes_are_made_once(qapp: QApplication) -> None:
    first, again, other = (make_icon(Icon.PLAY, theme) for theme in (LIGHT, LIGHT, DARK))
    assert first.cacheKey() == again.cacheKey() != other.cacheKey()
    again.addPixmap(icon_pixmap(Icon.PAUSE, LIGHT.ink))
    assert make_icon(Icon.PLAY, LIGHT).cacheKey() == first.cacheKey() != again.cacheKey()
    assert palette(LIGHT).cacheKey() == palette(LIGHT).cacheKey() != palette(DARK).cacheKey()


@pytest.mark.qt_log_ignore("plugin does not support")
def test_icons_in_fields_are_level_with_large_text(qtbot: QtBot) -> None:
    with opened_window() as window:
        window.scale_text(200)
        field = QLineEdit(window)
        field.addAction(make_icon(Icon.SEARCH, LIGHT), QLineEdit.ActionPosition.LeadingPosition)
        field.resize(400, field.sizeHint().height())
        field.show()
        QApplication.processEvents()
        [icon] = field.findChildren(QToolButton)
        assert field.rect().contains(icon.geometry())
        assert abs(icon.geometry().center().y() - field.rect().center().y()) <= 1


@pytest.mark.qt_log_ignore("plugin does not support")
@pytest.mark.parametrize("workspace", ["explore", "train", "monitor"])
def test_icons_grow_with_the_text_and_stay_inside_their_buttons(qtbot: QtBot, workspace: str) -> None:
    with opened_window() as window:
        window.show_workspace(workspace)
        QApplication.processEvents()
        before = {id(button): button.iconSize().width() for button in buttons_with_icons(window)}
        assert len(before) >= 5
        window.scale_text(200)
        qtbot.wait(50)
        grown = [button for button in buttons_with_icons(window) if id(button) in before]
        assert len(grown) >= 5
        for button in grown:
            side = button.iconSize().width()
            assert side == pytest.approx(2 * before[id(button)], rel=0.1), button.accessibleName()
            assert side <= min(button.width(), button.height()) - 4, button.accessibleName()
            assert side in {size.width() for size in button.icon().availableSizes()}, button.accessibleName()
        window.scale_text(80)
        qtbot.wait(50)
        for button in buttons_with_icons(window):
            assert button.iconSize().width() == before.get(id(button), button.iconSize().width())


def buttons_with_icons(window: StudioWindow) -> list[QAbstractButton]:
    """Return those that can be seen, but for the icons in fields, which have their own size."""
    return [
        button
        for button in window.findChildren(QAbstractButton)
        if button.isVisible() and not button.icon().isNull() and not isinstance(button.parent(), QLineEdit)
    ]


@pytest.mark.qt_log_ignore("plugin does not support")
def test_where_a_row_has_one_line_its_button_stays_off_the_ticks(qtbot: QtBot) -> None:
    with opened_window(size=(1600, 620)) as window:
        window.scale_text(200)
        qtbot.wait(50)
        stack, met = window.workspace.stack, 0
        for key in (row.key for row in stack.state.rows):
            header, item = stack.row_header(key), stack.row_item(key)
            button = header.view_button
            if header.lines > 1 or button is None or not header.isVisible():
                continue
            right = button.mapTo(stack, button.rect().topRight()).x()
            for reach in item.reaches():
                met += 1
                assert right < item.scenePos().x() - reach.width, header.accessibleName()
        assert met >= 4


@pytest.mark.qt_log_ignore("plugin does not support")
def test_the_focus_is_one_whole_ring_and_changes_nothing_else(qtbot: QtBot) -> None:
    with opened_window():
        host = QWidget()
        column = QVBoxLayout(host)
        first, button, box = QLineEdit(), QPushButton("Show what happens"), QCheckBox("Loop")
        link = QPushButton("Compare with another network…")
        button.setProperty("kind", "primary")
        link.setProperty("kind", "link")
        for widget in (first, button, box):
            column.addWidget(widget)
        # No wider than its text needs.
        column.addWidget(link, 0, Qt.AlignmentFlag.AlignLeft)
        host.show()
        host.activateWindow()
        qtbot.waitUntil(host.isActiveWindow)
        before = {widget: widget.grab().toImage() for widget in (button, box, link)}
        first.setFocus()
        for widget, ring in ((button, 2), (box, 2), (link, 2)):
            # With the key: only then does Qt draw what it adds by itself.
            press(host, Qt.Key.Key_Tab)
            assert widget.hasFocus()
            image = widget.grab().toImage()
            focus, was = QColor(LIGHT.focus).rgb(), before[widget]
            at = [(x, y) for x in range(image.width()) for y in range(image.height()) if image.pixel(x, y) == focus]
            left, right = min(x for x, _ in at), max(x for x, _ in at)
            top, bottom = min(y for _, y in at), max(y for _, y in at)
            assert right - left >= 10
            assert bottom - top >= 10
            inside = [
                (x, y)
                for x in range(image.width())
                for y in range(image.height())
                if not (left - 1 <= x <= right + 1 and top - 1 <= y <= bottom + 1)
                or (left + ring + 3 <= x <= right - ring - 3 and top + ring + 3 <= y <= bottom - ring - 3)
            ]
            assert all(image.pixel(x, y) == was.pixel(x, y) for x, y in inside), type(widget).__name__
            for x in (left, right):
                assert image.pixel(x, (top + bottom) // 2) == focus
            for y in (top, bottom):
                assert image.pixel((left + right) // 2, y) == focus
        host.close()
        host.deleteLater()
