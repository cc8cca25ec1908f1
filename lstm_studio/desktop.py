"""Opens the window. Beside the command line, whose packages the window would wait for."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from lstm_studio.errors import StudioError, is_there

COMMANDS = ("open", "trace", "train", "runs", "tasks", "self-test", "version")
"""The first words that are commands; others are names of files."""
PICTURE_WITHOUT_DISPLAY = Path("lstm-studio.png")
WINDOW_PACKAGES = ("PySide6", "shiboken6", "cmap")


def names_files(words: Sequence[str]) -> bool:
    """Return whether the words of a command line are names of files, or there are none: the window is to open."""
    return not any(word.startswith("-") for word in words) and not (words and words[0] in COMMANDS)


def open_files(files: Sequence[str]) -> int:
    """Open the window with files in it, or draw it where there is no display, and return the exit status.

    Parameters
    ----------
    files
        Paths and addresses.

    Raises
    ------
    StudioError
        If there is no such file, none that may be read, or the window cannot be imported.
    """
    for file in files:
        if "://" not in file and not is_there(Path(file), StudioError):
            commands = ", ".join(COMMANDS)
            raise StudioError(f"{file}: there is no such file.", f"Commands are {commands}; see lstm-studio --help.")
    if not has_display():
        told = f"There is no display to open a window on: rendering the same view to {PICTURE_WITHOUT_DISPLAY} instead."
        sys.stdout.write(f"{told}\n")
        draw_offscreen()
        require_window()
        from lstm_studio.ui.render import render_view

        render_view(PICTURE_WITHOUT_DISPLAY, files=files)
        return 0
    # On the way to the first paint nothing becomes garbage, and looking for it takes a twentieth of the time.
    gc.disable()
    try:
        require_window()
        from lstm_studio.ui.app import open_window

        return open_window(files)
    finally:
        gc.enable()


def start(words: Sequence[str]) -> int:
    """Open the files that a command line names, and return its exit status; errors are told on standard error."""
    try:
        return open_files(words)
    except StudioError as error:
        sys.stderr.write(f"lstm-studio: {error}\n")
        return 2


def has_display() -> bool:
    """Whether a window can open. Only Linux runs without a display; QT_QPA_PLATFORM says that the user knows better."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM") or os.environ.get("WAYLAND_DISPLAY"):
        return True
    return bool(os.environ.get("DISPLAY")) and _x_server_answers()


def _x_server_answers() -> bool:
    """Whether DISPLAY leads to an X server: an old one is common in remote shells, and Qt aborts on it."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return False
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    failed: int = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return failed == 0


def draw_offscreen() -> None:
    """Let Qt draw without asking for a display: one that is named need not answer. Elsewhere Qt always finds one."""
    if sys.platform.startswith("linux"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def require_window() -> None:
    """Import the window, and say what to install where that cannot work.

    Raises
    ------
    StudioError
        If a package of the extra "gui", or a system library of Qt's, is missing.
    """
    try:
        import_module("lstm_studio.ui.app")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in WINDOW_PACKAGES:
            raise
        raise StudioError(
            f"The window needs {error.name}, which is not installed.", 'Install it with: pip install "lstm-studio[gui]"'
        ) from None
    except ImportError as error:
        if "cannot open shared object file" not in str(error):
            raise
        raise StudioError(
            f"Qt misses a system library: {error}.",
            "From a checkout, sh packaging/system-libraries.sh python3 names the packages; or see the README.",
        ) from None
