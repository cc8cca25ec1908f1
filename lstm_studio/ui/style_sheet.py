"""The one style sheet of the window, made from the tokens of a theme.

Widgets ask for a look through the dynamic property ``kind``: buttons ``"primary"``, ``"link"``, ``"flat"``, ``"field"``
(looks like one), ``"view"`` (16 px, in plot labels) and ``"segment"`` (checkable, inside a ``QFrame`` of kind
``"segments"``); frames ``"card"`` (``selected`` true for the chosen one), ``"sunken"``, ``"panel"``, ``"quote"``,
``"popup"``, ``"hint"`` and ``"notice"`` (with ``level`` ok, warning or error); labels ``"title"``, ``"dock-header"``,
``"secondary"``, ``"caption"``, ``"key"``, ``"value"`` and ``"step-number"``.
"""

from __future__ import annotations

import atexit
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from lstm_studio.ui.icons import GRID_SIZE, Icon, icon_pixmap
from lstm_studio.ui.theme import (
    BADGE_RADIUS,
    CARD_RADIUS,
    CONTROL_HEIGHT,
    CONTROL_RADIUS,
    DOCK_HEADER_HEIGHT,
    PANEL_INSET,
    Text,
    Theme,
    base_size,
)

_ARROW_SIZE = 10
_TICK_SIZE = 14
_SEPARATOR = 5
"""Width of the lines between panels, of which one pixel is seen. Qt makes separators of one pixel wider with widgets of
its own, and leaves one of them behind whenever a panel is hidden."""

_TABS = "Panels behind each other"
"""Name of the bars that Qt makes as panels become tabs. Whoever asks for these bars from Python to name them leaves
behind, for as long as the window lives, an object for each of them that Qt has deleted meanwhile."""


@cache
def _image_folder() -> Path:
    """Return the folder of this process for the few images that a style sheet can only take from files."""
    folder = mkdtemp(prefix="lstm-studio-")
    atexit.register(rmtree, folder, ignore_errors=True)
    return Path(folder)


@cache
def _image(icon: Icon, colour: str, size: int) -> str:
    folder = _image_folder()
    stem = f"{icon.value.replace(' ', '-')}-{colour[1:]}-{size}"
    for ratio, suffix in ((1.0, ""), (2.0, "@2x")):
        icon_pixmap(icon, colour, size, ratio).save(str(folder / f"{stem}{suffix}.png"))
    return f'url("{(folder / stem).as_posix()}.png")'


def _hairline(end: str, ground: str, line: str) -> str:
    """Return a line of one pixel in the middle of a separator, across ``"x2"`` or down ``"y2"``."""
    first, last = (place / _SEPARATOR for place in (_SEPARATOR // 2, _SEPARATOR // 2 + 1))
    stops = ((0.0, ground), (first - 0.001, ground), (first, line), (last - 0.001, line), (last, ground), (1.0, ground))
    other = {"x2": "y2", "y2": "x2"}[end]
    shades = ", ".join(f"stop: {at:.3f} {colour}" for at, colour in stops)
    return f"qlineargradient(x1: 0, y1: 0, {end}: 1, {other}: 0, {shades})"


def style_sheet(theme: Theme, scale: float = 1.0) -> str:
    """Return the style sheet of a theme.

    Parameters
    ----------
    theme
        Where the colours come from.
    scale
        The user's font setting, 1 for 100 %; text and the heights of controls follow it.
    """
    base = base_size() * scale

    def size(text: Text) -> str:
        return f"{max(10, round(base * text.value[0]))}px"

    control = round((CONTROL_HEIGHT - 2) * max(1.0, base / 13))
    t = theme
    arrow, box = (round(pixels * max(1.0, base / 13)) for pixels in (_ARROW_SIZE, _TICK_SIZE))
    up, down = (_image(icon, t.ink, arrow) for icon in (Icon.CHEVRON_UP, Icon.CHEVRON_DOWN))
    up_off, down_off = (_image(icon, t.ink3, arrow) for icon in (Icon.CHEVRON_UP, Icon.CHEVRON_DOWN))
    tick, tick_off = _image(Icon.TICK, t.panel, box), _image(Icon.TICK, t.ink3, box)
    return f"""
* {{ font-size: {size(Text.BODY)}; }}
QMainWindow, QDialog {{ background: {t.window}; }}
QMainWindow > QTabBar {{ qproperty-accessibleName: "{_TABS}"; }}
QMainWindow::separator {{ width: {_SEPARATOR}px; height: {_SEPARATOR}px; }}
QMainWindow::separator:vertical {{ background: {_hairline("x2", t.sunken, t.line)}; }}
QMainWindow::separator:horizontal {{ background: {_hairline("y2", t.sunken, t.line)}; }}
QMainWindow::separator:vertical:hover {{ background: {_hairline("x2", t.sunken, t.focus)}; }}
QMainWindow::separator:horizontal:hover {{ background: {_hairline("y2", t.sunken, t.focus)}; }}

QPushButton, QToolButton {{
    background: {t.panel}; color: {t.ink}; border: 1px solid {t.control}; border-radius: {CONTROL_RADIUS}px;
    min-height: {control}px; padding: 0 9px; outline: 0;
}}
QToolButton {{ padding: 0 5px; }}
QPushButton:hover, QToolButton:hover {{ background: {t.hover}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {t.line}; }}
QPushButton:checked, QToolButton:checked {{ background: {t.selected}; border-color: {t.focus}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {t.ink3}; border-color: {t.line}; background: {t.sunken}; }}
QPushButton:focus, QToolButton:focus {{ border: 2px solid {t.focus}; padding: 0 8px; }}
QToolButton:focus {{ padding: 0 4px; }}
QPushButton::menu-indicator, QToolButton::menu-indicator {{ width: 0; image: none; }}

*[kind="primary"] {{ background: {t.ink}; color: {t.panel}; border-color: {t.ink}; font-weight: 600; }}
*[kind="primary"]:hover {{ background: {t.ink2}; }}
*[kind="primary"]:pressed {{ background: {t.ink3}; }}
*[kind="primary"]:disabled {{ background: {t.line}; color: {t.ink3}; border-color: {t.line}; }}
*[kind="link"] {{ background: transparent; border: 1px solid transparent; color: {t.focus}; padding: 0 2px; }}
*[kind="link"]:hover {{ text-decoration: underline; }}
*[kind="link"]:disabled {{ color: {t.ink3}; background: transparent; border-color: transparent; }}
*[kind="flat"] {{ background: transparent; border: 1px solid transparent; }}
*[kind="flat"]:hover {{ background: {t.hover}; }}
*[kind="flat"]:disabled {{ background: transparent; border-color: transparent; }}
*[kind="link"]:focus, *[kind="flat"]:focus {{ border: 2px solid {t.focus}; }}
*[kind="link"]:focus {{ padding: 0 1px; }}
QPushButton[kind="field"] {{ min-height: {control - 2}px; background: {t.panel}; }}
QLabel[kind="key"] {{
    color: {t.ink2}; background: {t.sunken}; border: 1px solid {t.line}; border-radius: 4px; padding: 0 5px;
}}
QFrame[kind="hint"] {{
    background: {t.panel}; border: 1px solid {t.focus}; border-radius: {CARD_RADIUS}px;
}}
QFrame[kind="popup"] {{ background: {t.panel}; border: 1px solid {t.frame}; }}
QFrame[kind="popup"] QListView {{ background: {t.panel}; border: 0; outline: 0; }}
QFrame[kind="popup"] QComboBox QListView {{ border: 1px solid {t.frame}; }}
QFrame[kind="segments"] {{
    background: {t.panel}; border: 1px solid {t.control}; border-radius: {CONTROL_RADIUS + 1}px;
}}
*[kind="segment"] {{
    background: transparent; border: 1px solid transparent; border-radius: {CONTROL_RADIUS - 1}px; padding: 0 10px;
    color: {t.ink2};
}}
*[kind="segment"]:hover {{ background: {t.hover}; }}
*[kind="segment"]:checked {{
    background: {t.ink}; color: {t.panel}; border-color: transparent; font-weight: 600;
}}
*[kind="segment"]:disabled {{ color: {t.ink3}; background: transparent; }}
*[kind="segment"]:focus {{ border: 2px solid {t.focus}; padding: 0 9px; }}
*[kind="view"] {{ min-height: 0; padding: 0; border-radius: {BADGE_RADIUS}px; }}
*[kind="view"]:focus {{ padding: 0; }}

QComboBox, QLineEdit, QSpinBox, QDoubleSpinBox, QPlainTextEdit, QTextEdit {{
    background: {t.panel}; color: {t.ink}; border: 1px solid {t.control}; border-radius: {CONTROL_RADIUS}px;
    padding: 0 7px; selection-background-color: {t.selected}; selection-color: {t.ink};
}}
QComboBox, QLineEdit, QSpinBox, QDoubleSpinBox {{ min-height: {control}px; }}
QComboBox:hover, QSpinBox:hover, QDoubleSpinBox:hover {{ background: {t.hover}; }}
QComboBox:focus, QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QPlainTextEdit:focus, QTextEdit:focus {{
    border: 2px solid {t.focus}; padding: 0 6px;
}}
QComboBox:disabled, QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled {{
    color: {t.ink3}; border-color: {t.line}; background: {t.sunken};
}}
QLineEdit QToolButton {{ min-height: 0; padding: 0; border: 0; background: transparent; }}
QComboBox::drop-down {{ border: 0; width: {arrow + 12}px; }}
QComboBox::down-arrow {{ image: {down}; width: {arrow}px; height: {arrow}px; }}
QComboBox::down-arrow:disabled {{ image: {down_off}; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{
    border: 0; background: transparent; width: {arrow + 8}px;
}}
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover {{ background: {t.line}; }}
QAbstractSpinBox::up-arrow {{ image: {up}; width: {arrow}px; height: {arrow}px; }}
QAbstractSpinBox::down-arrow {{ image: {down}; width: {arrow}px; height: {arrow}px; }}
QAbstractSpinBox::up-arrow:disabled, QAbstractSpinBox::up-arrow:off {{ image: {up_off}; }}
QAbstractSpinBox::down-arrow:disabled, QAbstractSpinBox::down-arrow:off {{ image: {down_off}; }}
QComboBox QAbstractItemView {{
    background: {t.panel}; color: {t.ink}; border: 1px solid {t.frame}; outline: 0;
    selection-background-color: {t.selected}; selection-color: {t.ink};
}}
QCheckBox, QRadioButton {{ color: {t.ink}; spacing: 6px; outline: 0; }}
QCheckBox:disabled, QRadioButton:disabled {{ color: {t.ink3}; }}
QCheckBox::indicator {{
    width: {box}px; height: {box}px; border: 1px solid {t.control}; border-radius: 4px;
    background: {t.panel};
}}
QCheckBox::indicator:hover {{ background: {t.hover}; }}
QCheckBox::indicator:checked {{ background: {t.ink}; border-color: {t.ink}; image: {tick}; }}
QCheckBox::indicator:disabled {{ background: {t.sunken}; border-color: {t.line}; }}
QCheckBox::indicator:checked:disabled {{ image: {tick_off}; }}
QCheckBox::indicator:focus {{ border: 2px solid {t.focus}; width: {box - 2}px; height: {box - 2}px; }}

QSlider {{ min-height: 22px; }}
QSlider::groove:horizontal {{ height: 4px; background: {t.line}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {t.ink2}; border-radius: 2px; }}
QSlider::handle:horizontal {{
    width: 12px; height: 12px; margin: -6px 0; border-radius: 8px; background: {t.panel}; border: 2px solid {t.ink};
}}
QSlider::handle:horizontal:hover {{ background: {t.hover}; }}
QSlider::handle:horizontal:focus {{ border-color: {t.focus}; }}
QSlider::handle:horizontal:disabled {{ border-color: {t.line}; }}

QDockWidget {{ background: {t.sunken}; color: {t.ink2}; }}
QFrame[kind="panel"] {{ background: {t.panel}; border: 0; }}
QFrame[kind="sunken"], QFrame[kind="dock-bar"] {{ background: {t.sunken}; border: 0; }}
QFrame[kind="sunken"][floating="true"] {{ border: 1px solid {t.frame}; border-top: 0; }}
QFrame[kind="dock-bar"][floating="true"] {{ border: 1px solid {t.frame}; border-bottom: 0; }}
QFrame[kind="dock-bar"] QPushButton, QFrame[kind="dock-bar"] QToolButton {{ min-height: 0; }}
QFrame[kind="dock-bar"] QToolButton {{ padding: 0; }}
QFrame[kind="card"] {{ background: {t.panel}; border: 1px solid {t.control}; border-radius: {CARD_RADIUS}px; }}
QFrame[kind="card"]:hover {{ background: {t.hover}; }}
QFrame[kind="card"][selected="true"] {{ background: {t.selected}; border-color: {t.focus}; }}
QFrame[kind="quote"] {{ background: {t.hover}; border: 0; border-radius: {CARD_RADIUS}px; }}
QFrame[kind="notice"][level="ok"] {{ background: {t.ok_fill}; border: 0; border-left: 4px solid {t.ok}; }}
QFrame[kind="notice"][level="warning"] {{
    background: {t.warning_fill}; border: 0; border-left: 4px solid {t.warning};
}}
QFrame[kind="notice"][level="error"] {{ background: {t.error_fill}; border: 0; border-left: 4px solid {t.error}; }}

QLabel {{ background: transparent; color: {t.ink}; }}
QLabel:disabled {{ color: {t.ink3}; }}
QLabel[kind="title"] {{ font-size: {size(Text.TITLE)}; font-weight: 600; }}
QLabel[kind="dock-header"] {{
    color: {t.ink2}; font-size: {size(Text.DOCK_HEADER)}; font-weight: 700; min-height: {DOCK_HEADER_HEIGHT}px;
    padding-left: {PANEL_INSET}px;
}}
QLabel[kind="secondary"] {{ color: {t.ink2}; font-size: {size(Text.SECONDARY)}; }}
QLabel[kind="caption"] {{ color: {t.ink3}; font-size: {size(Text.SECONDARY)}; }}
QLabel[kind="value"] {{ font-size: {size(Text.VALUE)}; font-weight: 600; }}
QLabel[kind="step-number"] {{ font-size: {size(Text.STEP_NUMBER)}; font-weight: 700; }}

QTabBar {{ qproperty-drawBase: 0; background: {t.sunken}; }}
QTabBar::tab {{
    background: transparent; color: {t.ink2}; border: 2px solid transparent; padding: 4px 10px; margin: 1px;
    border-radius: {CONTROL_RADIUS}px;
}}
QTabBar::tab:hover {{ background: {t.hover}; }}
QTabBar::tab:selected {{ background: {t.selected}; color: {t.ink}; }}
QTabBar::tab:focus {{ border-color: {t.focus}; }}

QScrollArea {{ background: transparent; border: 0; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {t.frame}; border-radius: 3px; margin: 2px; }}
QScrollBar::handle:vertical {{ min-height: 24px; }}
QScrollBar::handle:horizontal {{ min-width: 24px; }}
QScrollBar::handle:hover {{ background: {t.control}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}

QToolTip {{ background: {t.panel}; color: {t.ink}; border: 1px solid {t.frame}; padding: 3px 6px; }}
QMenuBar {{ background: transparent; color: {t.ink}; }}
QMenuBar::item {{ padding: 4px 9px; border-radius: {CONTROL_RADIUS}px; background: transparent; }}
QMenuBar::item:selected {{ background: {t.hover}; }}
QMenu {{ background: {t.panel}; color: {t.ink}; border: 1px solid {t.frame}; padding: 4px; }}
QMenu::item {{ min-height: {GRID_SIZE}px; padding: 3px 24px 3px 10px; border-radius: {CONTROL_RADIUS}px; }}
QMenu::item:selected {{ background: {t.selected}; }}
QMenu::item:disabled {{ color: {t.ink3}; }}
QMenu::icon {{ padding-left: 8px; }}
QMenu::separator {{ height: 1px; background: {t.line}; margin: 4px 0; }}
QProgressBar {{ background: {t.line}; border: 0; border-radius: 2px; max-height: 4px; }}
QProgressBar::chunk {{ background: {t.ink}; border-radius: 2px; }}
"""
