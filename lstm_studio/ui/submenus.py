"""The submenus that are filled when they open: samples, recent files, and what can compute."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from lstm_studio.errors import StudioError, is_there
from lstm_studio.session.samples import load_sample, sample_names
from lstm_studio.session.settings import names_apart
from lstm_studio.ui.notices import Level
from lstm_studio.ui.theme import scaled
from lstm_studio.ui.widgets.text import written_tip

if TYPE_CHECKING:
    from lstm_studio.ui.window import StudioWindow


_WIDEST_NAME = 420
"""Pixels of a file's name at 100 %; of a longer one the middle is left out."""


class Submenus(QObject):
    """Fills them, and does what is chosen in them.

    Parameters
    ----------
    window
        Whose header has the menus.
    """

    def __init__(self, window: StudioWindow) -> None:
        super().__init__(window)
        self._window = window
        for title in ("Samples", "Recent files", "Device"):
            menu = window.header.submenus[title]
            menu.aboutToShow.connect(self._fill)
            menu.triggered.connect(self._on_chosen)

    def _fill(self) -> None:
        menu = self.sender()
        if not isinstance(menu, QMenu):
            return
        menu.clear()
        match menu.title():
            case "Samples":
                self._fill_samples(menu)
            case "Recent files":
                self._fill_files(menu)
            case "Device":
                self._fill_devices(menu)

    @staticmethod
    def _fill_samples(menu: QMenu) -> None:
        for name in sample_names():
            with contextlib.suppress(StudioError):
                sample = load_sample(name)
                _add(menu, sample.title, ("sample", name)).setToolTip(sample.description)
        menu.setToolTipsVisible(True)

    def _fill_files(self, menu: QMenu) -> None:
        settings = self._window.settings
        kinds = (settings.recent_sessions, settings.recent_sequences, settings.recent_networks)
        paths = [path for kind in kinds for path in kind]
        names = dict(zip(paths, names_apart(paths), strict=True))
        for kind in filter(None, kinds):
            for path in kind:
                name = menu.fontMetrics().elidedText(names[path], Qt.TextElideMode.ElideMiddle, scaled(_WIDEST_NAME))
                _add(menu, name, ("file", path)).setToolTip(written_tip(path))
            menu.addSeparator()
        menu.setToolTipsVisible(True)
        if paths:
            _add(menu, "Clear recent files", ("clear", ""))
        else:
            menu.addAction("Files that you open appear here").setEnabled(False)

    def _open_recent(self, path: str) -> None:
        try:
            there = is_there(Path(path), StudioError)
        except StudioError as error:
            # It may be seen again, with another network or another user.
            self._window.note(Level.ERROR, error.found, error.cure)
            return
        if there:
            self._window.commands.files.open_files([path])
            return
        self._window.remember(self._window.settings.without_recent(path))
        cure = "It is no longer among the recent files. Open it from where it is now."
        self._window.note(Level.WARNING, f"{path} is not there any more.", cure)

    def _fill_devices(self, menu: QMenu) -> None:
        group, warm = QActionGroup(menu), self._window.runner.warm
        for device in ("auto", *(warm.devices if warm else ())):
            action = _add(menu, "Automatic" if device == "auto" else device.upper(), ("device", device))
            action.setCheckable(True)
            action.setChecked(self._window.session.setup.device == device)
            group.addAction(action)

    def _on_chosen(self, action: QAction) -> None:
        what, name = action.data() or ("", "")
        match what:
            case "sample":
                self._window.commands.files.open_sample(name)
            case "file":
                self._open_recent(name)
            case "clear":
                self._window.remember(self._window.settings.without_any_recent())
            case "device":
                self._window.session.change("Change the device", device=name)


def _add(menu: QMenu, text: str, data: tuple[str, str]) -> QAction:
    action = menu.addAction(text.replace("&", "&&"))
    action.setData(data)
    return action
