"""A monkey at the window: presses every command and key, clicks, drags, types, resizes, trains, opens any kind of file.

Seeded, so that what it found once it finds again.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDropEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QLineEdit, QMenu, QWidget

from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.session.trainings import FIRST_TASK
from lstm_studio.tasks.registry import tasks
from lstm_studio.training.plan import class_room
from lstm_studio.ui import dialogs
from lstm_studio.ui.panels import PANELS
from lstm_studio.ui.plots.canvas import Canvas
from lstm_studio.ui.window import StudioWindow
from lstm_studio.ui.workspaces import WORKSPACES
from tests.ui.monkey_files import NOWHERE, Growing, Nursery, write_runs, write_sequences

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
    alone
        Whether it keeps to this process: else what it trains is trained in others, and other computers are asked.
    """

    def __init__(self, window: StudioWindow, folder: Path, seed: int, *, alone: bool = True) -> None:
        self.window = window
        self.random = random.Random(seed)  # noqa: S311 - a monkey needs no secrets
        self.done: Counter[str] = Counter()
        self.last: list[str] = []
        self._folder = folder
        self._good, self._bad = write_sequences(folder)
        self._runs = folder / "runs"
        self._runs.mkdir()
        good, bad = write_runs(self._runs)
        self._good_runs, self._bad_runs = tuple(good), (*bad, *(() if alone else (NOWHERE,)))
        self._growing = Growing(self._runs)
        self.nursery = Nursery(self.random, real=not alone)
        window.trainings._start = self.nursery.start
        self._kept = folder / "trainings"
        self._kept.mkdir()
        window.trainings.folder = self._kept
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
            (3, self._train),
            (4, self._grow),
            (4, self._wait),
        )

    def __enter__(self) -> Monkey:
        dialogs.ask_open = lambda *_: self.random.choice(("", *self._good, *self._bad))
        dialogs.ask_folder = lambda *_: self.random.choice(("", str(self._folder / "nothing"), *self._trainings))
        dialogs.ask_save = self._ask_save
        dialogs.ask_count = lambda *_: self.random.choice((0, 2))
        dialogs.ask_choice = lambda *_: 0
        self._rescue.start()
        return self

    @property
    def _trainings(self) -> tuple[str, ...]:
        """Where trainings lie, or something that is none."""
        return *self._good_runs, *self._bad_runs, self._growing.address, str(self._kept)

    def _ask_save(self, parent: QWidget, title: str, suggestion: str, filters: tuple[str, ...]) -> str:
        name = f"saved{Path(suggestion).suffix}"
        return self.random.choice(("", str(self._folder / name), str(self._folder / "none" / name)))

    def __exit__(self, *_: object) -> None:
        self._rescue.stop()
        self._growing.end()
        self.nursery.end()
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

    def forget_trainings(self) -> None:
        """End and delete what was trained, and follow nothing."""
        self._growing.end()
        self.nursery.end()
        window = self.window
        trainings = window.trainings
        QTest.qWait(300)
        window.watchlist.remove(window.watchlist.addresses)
        trainings.show("")
        trainings.propose(class_room(FIRST_TASK))
        trainings.folder = self._kept
        shutil.rmtree(self._kept)
        self._kept.mkdir()

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
                for field in dialog.findChildren(QLineEdit)[:1]:
                    field.setText(self.random.choice((*self._trainings, "12", "abc")))
                (dialog.accept if self.random.random() < 0.4 else dialog.reject)()

    def _trigger(self) -> str:
        keys = [key for key in self.window.commands.infos if key not in _NEVER]
        key = self.random.choice(keys)
        self.window.command_actions[key].trigger()
        return f"command {key}"

    def _press(self) -> str:
        key, modifier = self.random.choice(_KEYS), self.random.choice(_MODIFIERS)
        target = QApplication.focusWidget()
        if target is None or not self.window.isAncestorOf(target):
            target = self.window
        QTest.keyClick(target, key, modifier)
        return f"key {key.name} {modifier.name}"

    def _plots(self) -> QWidget:
        canvas = self.window.workspace.stack.findChild(Canvas)
        assert canvas is not None
        return canvas.viewport()

    def _widgets(self) -> list[QWidget]:
        # Asked for its children, the window would keep an object of Python for each of Qt's, also when that is gone.
        # The frame's own buttons and native menus would leave the window.
        found = [
            widget
            for widget in QApplication.allWidgets()
            if self.window.isAncestorOf(widget) and widget.isVisible() and min(widget.width(), widget.height()) > 4
        ]
        # Those come in any order.
        return sorted(found, key=self._identity)

    def _identity(self, widget: QWidget) -> tuple[int | str, ...]:
        place = widget.mapTo(self.window, QPoint())
        return place.y(), place.x(), widget.height(), widget.width(), type(widget).__name__, widget.accessibleName()

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
        if target is None or not self.window.isAncestorOf(target):
            return "type nothing"
        QTest.keyClicks(target, self.random.choice(("12", "-3.5", "abc", "Y", "3, 5, 8-12", "1e400", "?", "ß")))
        return f"type into {type(target).__name__}"

    def _resize(self) -> str:
        self.window.resize(*self.random.choice(SIZES))
        return "resize"

    def _some_paths(self) -> tuple[str, ...]:
        """Return what may be opened: sequences, networks and sessions, or trainings."""
        return self._trainings if self.random.random() < 0.3 else (*self._good, *self._bad)

    def _open(self) -> str:
        path = self.random.choice(self._some_paths())
        self.window.commands.files.open_files([path])
        return f"open {Path(path).name}"

    def _drop(self) -> str:
        data = QMimeData()
        paths = self.random.sample(self._some_paths(), 2)
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

    def _train(self) -> str:
        trainings = self.window.trainings
        done = self.random.choice(("begin", "plan", "show", "pause", "go_on", "stop"))
        match done:
            case "plan":
                trainings.propose(class_room(self.random.choice([*tasks()])))
            case "show":
                trainings.show(self.random.choice(self._trainings))
            case "begin":
                trainings.begin()
            case "pause":
                trainings.pause()
            case "go_on":
                trainings.go_on()
            case "stop":
                trainings.stop()
        return f"train {done}"

    def _grow(self) -> str:
        self._growing.grow()
        self.nursery.grow()
        return "grow"

    def _wait(self) -> str:
        QTest.qWait(self.random.choice((10, 50, 150)))
        return "wait"
