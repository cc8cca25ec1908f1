"""A monkey at the window: presses every command and key, clicks, drags, types, resizes, opens good and bad files.

Seeded, so that what it found once it finds again.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDropEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QMenu, QWidget

from lstm_studio.errors import RunError
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.session.trainings import Child
from lstm_studio.training.plan import Plan
from lstm_studio.ui import dialogs
from lstm_studio.ui.panels import PANELS
from lstm_studio.ui.plots.canvas import Canvas
from lstm_studio.ui.window import StudioWindow
from lstm_studio.ui.workspaces import WORKSPACES

SIZES = ((960, 560), (1366, 768), (1600, 1000), (1920, 1080))
_NEVER = frozenset({"file.quit"})
_KEYS = (
    *(getattr(Qt.Key, f"Key_{letter}") for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    *(getattr(Qt.Key, f"Key_{digit}") for digit in range(10)),
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Space,
    Qt.Key.Key_Return,
    Qt.Key.Key_Escape,
    Qt.Key.Key_Tab,
    Qt.Key.Key_Backtab,
    Qt.Key.Key_Delete,
    Qt.Key.Key_Backspace,
    Qt.Key.Key_F2,
    Qt.Key.Key_Period,
    Qt.Key.Key_Comma,
    Qt.Key.Key_BracketLeft,
    Qt.Key.Key_BracketRight,
)
_MODIFIERS = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


def write_files(folder: Path) -> tuple[list[str], list[str]]:
    """Write files that open and files that cannot, and return their paths."""
    rng = np.random.default_rng(0)
    good = folder / "good.csv"
    good.write_text("a,b\n" + "\n".join(f"{x:.3f},{y:.3f}" for x, y in rng.normal(size=(40, 2))), "utf-8")
    text = folder / "text.txt"
    text.write_text("the cat sat on the mat and sat and sat", "utf-8")
    array = folder / "array.npy"
    np.save(array, rng.normal(size=(60, 3)).astype(np.float32))
    ragged = folder / "ragged.csv"
    ragged.write_text("a,b\n1,2\n3\n4,5,6\n", "utf-8")
    words = folder / "words.csv"
    words.write_text("a,b\n1,2\n3,x\n4,5\n", "utf-8")
    empty = folder / "empty.csv"
    empty.write_bytes(b"")
    garbage = folder / "garbage.npz"
    garbage.write_bytes(rng.bytes(300))
    network = folder / "broken.safetensors"
    network.write_bytes(b'\x08\0\0\0\0\0\0\0{"weight"')
    session = folder / "broken.lstmstudio"
    session.write_bytes(rng.bytes(500))
    return (
        [str(path) for path in (good, text, array)],
        [str(path) for path in (ragged, words, empty, garbage, network, session, folder / "missing.csv")],
    )


def _refused(plan: Plan, folder: Path, resume: bool = False, *, seeds: int | None = None) -> Child:
    raise RunError(f"{folder} cannot be written.", "Choose another folder.")


class Monkey:
    """Does one thing after the other in a window.

    Parameters
    ----------
    window
        Shown.
    folder
        For the files that it opens and saves.
    seed
        Decides everything it does.
    """

    def __init__(self, window: StudioWindow, folder: Path, seed: int) -> None:
        self.window = window
        self.random = random.Random(seed)  # noqa: S311 - a monkey needs no secrets
        self.done: Counter[str] = Counter()
        self.last: list[str] = []
        self._folder = folder
        self._good, self._bad = write_files(folder)
        # A training would outlive the monkey.
        window.trainings._start = _refused
        # A menu that a click opens runs an event loop of its own until it is closed.
        self._rescue = QTimer()
        self._rescue.setInterval(40)
        self._rescue.timeout.connect(self._close_popup)
        self._original = (dialogs.ask_open, dialogs.ask_folder, dialogs.ask_save)
        self._asked = (dialogs.ask_count, dialogs.ask_choice)
        self._deeds: tuple[tuple[int, Callable[[], str]], ...] = (
            (30, self._trigger),
            (20, self._press),
            (12, self._click),
            (6, self._drag),
            (4, self._wheel),
            (4, self._type),
            (3, self._resize),
            (3, self._open),
            (2, self._drop),
            (4, self._panel),
            (3, self._workspace),
            (3, self._setup),
            (4, self._wait),
        )

    def __enter__(self) -> Monkey:
        dialogs.ask_open = lambda *_: self.random.choice(("", *self._good, *self._bad))
        dialogs.ask_folder = lambda *_: self.random.choice(("", str(self._folder / "nothing")))
        dialogs.ask_save = self._ask_save
        dialogs.ask_count = lambda *_: self.random.choice((0, 2))
        dialogs.ask_choice = lambda *_: 0
        self._rescue.start()
        return self

    def _ask_save(self, parent: QWidget, title: str, suggestion: str, filters: tuple[str, ...]) -> str:
        name = f"saved{Path(suggestion).suffix}"
        return self.random.choice(("", str(self._folder / name), str(self._folder / "none" / name)))

    def __exit__(self, *_: object) -> None:
        self._rescue.stop()
        dialogs.ask_open, dialogs.ask_folder, dialogs.ask_save = self._original
        dialogs.ask_count, dialogs.ask_choice = self._asked

    def act(self) -> None:
        """Do one thing, and let the window answer."""
        weights, deeds = zip(*self._deeds, strict=True)
        what = self.random.choices(deeds, weights)[0]()
        self.done[what.partition(" ")[0]] += 1
        self.last = [*self.last[-19:], what]
        QCoreApplication.processEvents()
        self._close_popups()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def settle(self) -> None:
        """Close what has opened, and wait until nothing is being computed."""
        self.window.transport.pause()
        self.window.runner.cancel()
        for dialog in self.window.findChildren(QDialog):
            dialog.close()
        for _ in range(400):
            QTest.qWait(5)
            if not self.window.runner.busy and not self.window.session.waiting:
                break
        while self.window.stage.notices.dismiss():
            pass
        QTest.qWait(400)
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def _close_popup(self) -> None:
        popup = QApplication.activePopupWidget()
        if popup is not None:
            popup.close()

    def _close_popups(self) -> None:
        popup = QApplication.activePopupWidget()
        while popup is not None:
            if isinstance(popup, QMenu) or self.random.random() < 0.5:
                popup.close()
            else:
                QTest.keyClick(popup.focusWidget() or popup, self.random.choice((Qt.Key.Key_Down, Qt.Key.Key_Return)))
                if shiboken6.isValid(popup):
                    popup.close()
            QCoreApplication.processEvents()
            popup = QApplication.activePopupWidget()
        for dialog in self.window.findChildren(QDialog):
            if dialog.isVisible() and self.random.random() < 0.6:
                (dialog.accept if self.random.random() < 0.4 else dialog.reject)()

    def _trigger(self) -> str:
        keys = [key for key in self.window.commands.infos if key not in _NEVER]
        key = self.random.choice(keys)
        self.window.command_actions[key].trigger()
        return f"command {key}"

    def _press(self) -> str:
        key, modifier = self.random.choice(_KEYS), self.random.choice(_MODIFIERS)
        target = QApplication.focusWidget() or self.window
        if target.window() is not self.window:
            target = self.window
        QTest.keyClick(target, key, modifier)
        return f"key {key.name} {modifier.name}"

    def _plots(self) -> QWidget:
        canvas = self.window.workspace.stack.findChild(Canvas)
        assert canvas is not None
        return canvas.viewport()

    def _widgets(self) -> list[QWidget]:
        found = [
            widget
            for widget in self.window.findChildren(QWidget)
            if widget.isVisible() and min(widget.width(), widget.height()) > 4
        ]
        # The frame's own buttons and native menus would leave the window.
        return [widget for widget in found if widget.window() is self.window]

    def _place(self, widget: QWidget) -> QPoint:
        return QPoint(self.random.randrange(widget.width()), self.random.randrange(widget.height()))

    def _click(self) -> str:
        widget = self.random.choice(self._widgets())
        if isinstance(widget, QAbstractButton) and widget.text() == "Quit":
            return "click nothing"
        name = type(widget).__name__
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, self.random.choice(_MODIFIERS[:3]), self._place(widget))
        return f"click {name}"

    def _drag(self) -> str:
        seen = self._widgets()
        widget = self.random.choice((self._plots(), *seen) if self._plots().isVisible() else seen)
        modifier = self.random.choice(_MODIFIERS[:3])
        button = self.random.choice((Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton))
        QTest.mousePress(widget, button, modifier, self._place(widget))
        for _ in range(3):
            if shiboken6.isValid(widget):
                QTest.mouseMove(widget, self._place(widget))
        if shiboken6.isValid(widget):
            QTest.mouseRelease(widget, button, modifier, self._place(widget))
        return "drag"

    def _wheel(self) -> str:
        view = self._plots()
        if not view.isVisible():
            return "wheel nothing"
        place = QPointF(self._place(view))
        delta = QPoint(0, self.random.choice((-120, 120)))
        event = QWheelEvent(
            place,
            view.mapToGlobal(place),
            QPoint(),
            delta,
            Qt.MouseButton.NoButton,
            self.random.choice(_MODIFIERS[:3]),
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(view, event)
        return "wheel"

    def _type(self) -> str:
        target = QApplication.focusWidget()
        if target is None or target.window() is not self.window:
            return "type nothing"
        QTest.keyClicks(target, self.random.choice(("12", "-3.5", "abc", "Y", "3, 5, 8-12", "1e400", "?", "ß")))
        return f"type into {type(target).__name__}"

    def _resize(self) -> str:
        self.window.resize(*self.random.choice(SIZES))
        return "resize"

    def _open(self) -> str:
        path = self.random.choice((*self._good, *self._bad))
        self.window.commands.files.open_files([path])
        return f"open {Path(path).name}"

    def _drop(self) -> str:
        data = QMimeData()
        paths = self.random.sample([*self._good, *self._bad], 2)
        data.setUrls([QUrl.fromLocalFile(path) for path in paths])
        event = QDropEvent(
            QPointF(50, 50),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(self.window, event)
        return "drop " + " ".join(Path(path).name for path in paths)

    def _panel(self) -> str:
        info = self.random.choice(PANELS)
        self.window.show_panel(info.key, self.random.random() < 0.6)
        return f"panel {info.key}"

    def _workspace(self) -> str:
        info = self.random.choice(WORKSPACES)
        self.window.show_workspace(info.key)
        return f"workspace {info.key}"

    def _setup(self) -> str:
        session = self.window.session
        kind = self.random.choice(("lstm", "gru", "rnn", "lstm-article", "lstm-1997", "tdnn", "feedforward"))
        layers = self.random.choice((1, 1, 2))
        spec = NetworkSpec(kind, self.random.choice((1, 4, 16, 40)), layers, False, self.random.randrange(5))
        role = self.random.choice(("network", "companion"))
        session.change(f"Choose {kind}", **{role: spec})
        return f"setup {role} {kind} {spec.hidden_size} {layers}"

    def _wait(self) -> str:
        QTest.qWait(self.random.choice((10, 50, 150)))
        return "wait"
