"""Makes the pictures of the README and the user guide again, from the program itself: ``make docs-pictures``.

The first sample is stored and trained, so the pictures change only when the program or its samples do. Everything is
done as a user does it: by commands, and through the session.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QPoint, QProcess, QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from lstm_studio.networks.signals import Labels, Phase
from lstm_studio.session.settings import Settings
from lstm_studio.session.state import Branch, CompareMode, Comparison, Note, UnitOrder, branch_key
from lstm_studio.ui.app import destroy, make_application, make_window
from lstm_studio.ui.command_palette import CommandPalette
from lstm_studio.ui.render import render_view
from lstm_studio.ui.window import StudioWindow

FOLDER = Path(__file__).resolve().parent / "pictures"
_PATIENCE = 60.0
"""Seconds that an answer may take."""
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "microsoft-edge")
_PartT = TypeVar("_PartT", bound=QWidget)


@contextmanager
def opened(size: tuple[int, int] = (1600, 1000), theme: str = "light") -> Iterator[StudioWindow]:
    """Yield a window on the first sample, with PyTorch loaded and the hints read."""
    make_application()
    window = make_window(settings=Settings(theme=theme, hints_read=True))
    window.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    window.resize(*size)
    window.show()
    window.start()
    settle(window)
    try:
        yield window
    finally:
        destroy(window)


def settle(window: StudioWindow) -> None:
    """Let the worker answer everything, and the window show it."""
    deadline, quiet = time.monotonic() + _PATIENCE, 0
    while quiet < 30:
        QCoreApplication.processEvents()
        time.sleep(0.01)
        quiet = 0 if not window.runner.idle or window.session.waiting else quiet + 1
        if time.monotonic() > deadline:
            raise TimeoutError("the window is still busy")


def save(window: StudioWindow, name: str, part: QWidget | None = None) -> None:
    """Save the window, or one of its parts."""
    settle(window)
    (part or window).grab().save(str(FOLDER / f"{name}.png"))


def opened_part(window: StudioWindow, kind: type[_PartT]) -> _PartT:
    """Return what a command has opened over the window."""
    part = window.findChild(kind)
    if part is None:
        raise RuntimeError(f"no {kind.__name__} was opened")
    return part


def cell() -> None:
    """Draw the cell, whole and in one of its phases; the equation with its terms."""
    with opened() as window:
        window.session.look(cursor=28, units={"0:lstm.0": 8, "1:rnn.0": 8})
        save(window, "cell", window.workspace.deck)
        window.session.look(four_phases=True, phase=Phase.LEARN)
        settle(window)
        save(window, "phases", window.workspace.deck)
        save(window, "step-panel", window.panel("step"))


def what_if() -> None:
    """Hold a forget gate, and compare it with what was recorded."""
    with opened() as window:
        session = window.session
        session.look(cursor=49, units={"0:lstm.0": 8})
        branch = Branch("Forget gate of unit 8 = 0.5", 10, clamp=(("lstm.0.forget_gate", ((8, 0.5),)),))
        session.change("Clamp", branches=(branch,))
        settle(window)
        for mode, name in ((CompareMode.DIFFERENCE, "what-if"), (CompareMode.OVERLAY, "compare-overlay")):
            session.look(comparison=Comparison(branch_key(branch.name), mode=mode))
            save(window, name)


def dragged() -> None:
    """Drag a value in the diagram, as the mouse does, and do not let it go yet."""
    from lstm_studio.ui.explore.diagram.view import DiagramView

    with opened() as window:
        window.session.look(cursor=28, units={"0:lstm.0": 8})
        settle(window)
        view = next(one for one in window.workspace.deck.findChildren(DiagramView) if one.state is not None)
        mark = view.diagram.strips["f"]
        at = view.mapFromScene(mark.mapToScene(mark.value_rect.center()))
        QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
        QTest.mouseMove(view.viewport(), at + QPoint(0, 100))
        save(window, "what-if-drag", view)
        QTest.mouseRelease(view.viewport(), Qt.MouseButton.RightButton, pos=at)


def sequences() -> None:
    """Show two sequences side by side, in the low window in which the cells make room."""
    with opened((1366, 768)) as window:
        session = window.session
        session.look(units={"0:lstm.0": 8})
        window.command_actions["compare.next-sequence"].trigger()
        settle(window)
        window.command_actions["compare.side"].trigger()
        save(window, "compare-side")


def similar() -> None:
    """Mark a stretch, and find others like it in all sequences."""
    from lstm_studio.session.wishes import LookingFor

    with opened() as window:
        window.session.remark("Choose where to search", similar=LookingFor(everywhere=True))
        window.session.look(cursor=30, stretch=(12, 20))
        window.command_actions["similar.find"].trigger()
        save(window, "similar")


def horizon() -> None:
    """Show how far back both networks reach; whose loss it is; how open the gates are."""
    from lstm_studio.ui.explore.horizon.panel import HorizonPanel, Page

    with opened() as window:
        window.show_panel("horizon", True)
        panel = window.panel("horizon")
        if not isinstance(panel, HorizonPanel):
            raise TypeError(f"the panel of the horizon is a {type(panel).__name__}")
        for page in Page:
            panel.show_page(page.value)
            save(window, f"horizon-{page.value.lower().replace(' ', '-')}", panel)


def units() -> None:
    """Show units ordered by likeness, one of them pinned."""
    with opened() as window:
        window.session.look(order=UnitOrder.SIMILARITY, cursor=49)
        save(window, "units-similar", window.workspace.stack)


def notes() -> None:
    """Write a note: its tick above the bar and its line in the list."""
    with opened() as window:
        window.session.remark("Add a note", notes=(Note(0, 28, "The second event: unit 8 latches it."),))
        window.session.look(cursor=28)
        window.show_panel("notes", True)
        save(window, "notes")


def stop_when() -> None:
    """Stop where a gate lets much in that the RNN's gradient does not reach: the ticks, the editor, and which unit."""
    from lstm_studio.session.conditions import Condition, Relation, StopWhen

    with opened() as window:
        wide = Condition("lstm.0.input_gate", relation=Relation.GREATER, threshold=0.95)
        felt = Condition("norm.grad.rnn.0.hidden_state", threshold=1e-6, network=1)
        window.session.remark("Stop when", stop=StopWhen((wide, felt), every=True, on=True))
        window.session.move_cursor(0)
        window.command_actions["run.next-hit"].trigger()
        control = window.transport.stop_control
        control.edit()
        settle(window)
        editor, whole = control.editor, window.grab()
        corner = control.mapTo(window, QPoint(control.width() - editor.width(), -editor.height() - 4))
        editor.render(whole, corner)
        left, top = window.transport.mapTo(window, QPoint()).x(), corner.y() - 12
        whole.copy(QRect(left, top, whole.width() - left, whole.height() - top)).save(str(FOLDER / "stop-when.png"))
        editor.close()


def exports() -> None:
    """Ask for a picture and for a playback, and wait for one that is being written."""
    from lstm_studio.ui.export.dialogs import PictureDialog, PlaybackDialog

    with opened() as window:
        for kind, name in ((PictureDialog, "export-picture"), (PlaybackDialog, "export-playback")):
            window.command_actions[f"file.{name}"].trigger()
            dialog = opened_part(window, kind)
            save(window, name, dialog)
            dialog.reject()
            settle(window)


def progress() -> None:
    """Write a playback, and look at the bar when half of it is done."""
    from lstm_studio.ui.export.dialogs import PlaybackDialog
    from lstm_studio.ui.header import Header

    with TemporaryDirectory() as folder, opened() as window, saving_to(Path(folder) / "temporal-order.gif"):
        window.command_actions["file.export-playback"].trigger()
        opened_part(window, PlaybackDialog).accept()
        deadline = time.monotonic() + _PATIENCE
        while not (window.stage.bar.isVisible() and window.stage.bar.value() > window.stage.bar.maximum() // 2 > 0):
            QCoreApplication.processEvents()
            time.sleep(0.01)
            if time.monotonic() > deadline:
                raise TimeoutError("the playback does not get on")
        header = opened_part(window, Header)
        low = window.stage.mapTo(window, QPoint(0, 0)).y() + 140
        window.grab().copy(QRect(0, header.y(), window.width(), low)).save(str(FOLDER / "progress.png"))
        window.runner.cancel()
        settle(window)


def floating() -> None:
    """Give a panel a window of its own."""
    with opened() as window:
        window.session.look(cursor=28, units={"0:lstm.0": 8, "1:rnn.0": 8})
        window.show_panel("horizon", True)
        settle(window)
        dock = window.arrangement.dock("horizon")
        dock.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        dock.setFloating(True)
        dock.resize(460, 480)
        settle(window)
        picture = window.grab()
        dock.render(picture, QPoint(window.width() - 800, 330))
        picture.save(str(FOLDER / "floating.png"))
        dock.setFloating(False)


def report() -> None:
    """Write a report, and look at it with a browser; without one the picture stays as it is."""
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        sys.stderr.write(f"report.png is left as it is: none of {', '.join(_BROWSERS)} is installed\n")
        return
    with TemporaryDirectory() as folder, opened() as window:
        page = Path(folder) / "report.html"
        session = window.session
        session.look(cursor=28, units={"0:lstm.0": 8, "1:rnn.0": 8})
        session.remark("Add a note", notes=(Note(0, 28, "The second event: unit 8 latches it."),))
        branch = Branch("Forget gate of unit 8 = 0.5", 10, clamp=(("lstm.0.forget_gate", ((8, 0.5),)),))
        session.change("Clamp", branches=(branch,))
        settle(window)
        with saving_to(page):
            window.command_actions["file.export-report"].trigger()
            settle(window)
        taken = Path(folder) / "taken.png"
        words = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1000,1700"]
        looked = QProcess()
        looked.start(browser, [*words, f"--user-data-dir={folder}/browser", f"--screenshot={taken}", page.as_uri()])
        if not looked.waitForFinished(round(1000 * _PATIENCE)) or not taken.is_file():
            raise RuntimeError(f"{browser} has taken no picture of the report")
        QImage(str(taken)).save(str(FOLDER / "report.png"))


@contextmanager
def saving_to(path: Path) -> Iterator[None]:
    """Answer every question where to save something."""
    from lstm_studio.ui import dialogs

    asked, dialogs.ask_save = dialogs.ask_save, lambda *_: str(path)
    try:
        yield
    finally:
        dialogs.ask_save = asked


def sessions() -> None:
    """Offer what was not saved, and open what can be saved of a session that was cut short."""
    from lstm_studio.session.autosave import Desk
    from lstm_studio.session.session_file import contents_of, write_session
    from lstm_studio.ui.session_layout import layout_of

    with TemporaryDirectory() as folder, opened() as window:
        os.environ["XDG_STATE_HOME"] = folder
        window.session.remark("Add a note", notes=(Note(0, 28, "The second event"),))
        contents = contents_of(window.session, layout_of(window))
        desk = Desk()
        desk.keep(contents)
        desk.close()
        window.keeper.look_back()
        save(window, "recovery", window.stage.notices)
        window.stage.notices.clear()
        whole = Path(folder) / "lesson.lstmstudio"
        write_session(contents, whole)
        whole.write_bytes(whole.read_bytes()[: 2 * whole.stat().st_size // 3])
        window.keeper.open(whole)
        save(window, "damaged", window.stage.notices)


def looks() -> None:
    """Show the first hints; text at 200 %; other colours for numbers; and all keys."""
    from lstm_studio.ui.sheets import TextSheet

    with opened((1366, 768)) as window:
        window.show_hints()
        save(window, "hints")
        window.command_actions["view.dismiss"].trigger()
        window.use_maps("viridis", "purple-green")
        save(window, "maps", window.workspace.stack)
        window.use_maps("cividis", "blue-orange")
        window.command_actions["help.shortcuts"].trigger()
        sheet = opened_part(window, TextSheet)
        save(window, "keys", sheet)
        sheet.close()
    with opened(theme="dark") as window:
        window.scale_text(200)
        save(window, "large-text")


def train() -> None:
    """Train temporal order, look at a snapshot of it, and compare four seeds."""
    from lstm_studio.progress import ignore_progress
    from lstm_studio.training import command
    from lstm_studio.training.plan import class_room

    plan = replace(class_room("temporal-order"), device="cpu")
    with TemporaryDirectory() as folder, redirect_stdout(io.StringIO()), opened() as window:
        command.train(plan, Path(folder) / "one", ignore_progress)
        command.repeat(replace(plan, updates=600, evaluate_every=25), Path(folder) / "seeds", 4, ignore_progress)
        window.show_workspace("train")
        save(window, "train-tasks")
        for name, step in (("one", 300), ("seeds", 600)):
            window.trainings.show(str(Path(folder) / name))
            deadline = time.monotonic() + _PATIENCE
            while window.trainings.learning is None or (name == "seeds" and len(window.trainings.others) < 4):
                settle(window)
                if time.monotonic() > deadline:
                    raise TimeoutError("the training is not there")
            window.trainings.select(step)
            window.show_panel("train-seeds", name == "seeds")
            save(window, "train" if name == "one" else "train-seeds")
        window.trainings.show(str(Path(folder) / "one"))
        settle(window)
        snapshots(window)


def snapshots(window: StudioWindow) -> None:
    """Compare two snapshots of the training that is shown."""
    settle(window)
    window.trainings.select(100)
    window.command_actions["train.open-in-explore"].trigger()
    settle(window)
    window.command_actions["train.compare-snapshot"].trigger()
    settle(window)
    window.trainings.select(300)
    window.train_driver.link.refresh()
    save(window, "compare-snapshots")


def monitor() -> None:
    """Record a small training with ls.watch as a script does, in two variants, and show both."""
    # By the name that a user's folder has, not that of a temporary one, which is another each time.
    folder = "runs"
    import torch

    import lstm_studio as ls

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with TemporaryDirectory() as outside, chdir(outside), opened() as window:
        for name, rate in (("fast", 0.03), ("slow", 0.005)):
            torch.manual_seed(0)
            module, out = torch.nn.LSTM(2, 16, batch_first=True), torch.nn.Linear(16, 2)
            optimiser = torch.optim.Adam([*module.parameters(), *out.parameters()], lr=rate)
            with ls.watch(module, Path(folder) / name, every=10) as run:
                for _ in range(600):
                    batch = torch.randn(32, 30, 2)
                    loss = torch.nn.functional.cross_entropy(out(module(batch)[0][:, -1]), (batch[:, 22, 0] > 0).long())
                    optimiser.zero_grad()
                    torch.autograd.backward(loss)
                    optimiser.step()
                    run.step(loss=loss)
        window.commands.monitor.add([folder])
        deadline = time.monotonic() + _PATIENCE
        while len(window.watchlist.addresses) < 2 or window.monitoring.selected is None:
            settle(window)
            if time.monotonic() > deadline:
                raise TimeoutError("the runs are not there")
        window.monitoring.go_to(400)
        save(window, "monitor")
    torch.set_num_threads(threads)


def palette() -> None:
    """Open the palette of commands over the window."""
    with opened((1366, 768)) as window:
        window.command_actions["help.find-command"].trigger()
        found = opened_part(window, CommandPalette)
        found.field.setText("sequence")
        settle(window)
        picture = window.grab()
        found.render(picture, found.mapToGlobal(QPoint()) - window.mapToGlobal(QPoint()))
        picture.save(str(FOLDER / "palette.png"))
        found.close()


def main() -> None:
    """Write every picture."""
    FOLDER.mkdir(exist_ok=True)
    render_view(FOLDER / "explore-light.png", theme="light")
    render_view(FOLDER / "explore-dark.png", theme="dark", labels=Labels.CLASSROOM, step=28)
    render_view(FOLDER / "explore-small.png", size=(1366, 768), step=28)
    for draw in (
        cell,
        what_if,
        dragged,
        sequences,
        similar,
        horizon,
        units,
        notes,
        stop_when,
        exports,
        progress,
        floating,
        report,
        sessions,
        looks,
        train,
        monitor,
        palette,
    ):
        draw()


if __name__ == "__main__":
    main()
