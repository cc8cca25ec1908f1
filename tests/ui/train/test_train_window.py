"""Train in the window: what is pressed, what is asked, what is shown."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from lstm_studio.networks.signals import Labels
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.progress import ignore_progress
from lstm_studio.runs.opening import open_any
from lstm_studio.session.compute import Answer, Answered, Request
from lstm_studio.session.held_out import DrawHeldOut
from lstm_studio.session.kept_trainings import ListTrainings
from lstm_studio.session.pictures import Followed, picture_of
from lstm_studio.session.settings import Settings
from lstm_studio.tasks.registry import tasks
from lstm_studio.training.control import Wish, wish
from lstm_studio.training.plan import Goal, Plan, class_room
from lstm_studio.ui import dialogs
from lstm_studio.ui.train.bar import TrainBar
from lstm_studio.ui.train.driver import LET_RUN, STAY
from lstm_studio.ui.train.equal_panel import EqualPanel
from lstm_studio.ui.train.kept_panel import KeptPanel
from lstm_studio.ui.train.networks_panel import TrainedNetworksPanel
from lstm_studio.ui.train.result_panel import ResultPanel
from lstm_studio.ui.train.seeds_panel import SeedsPanel
from lstm_studio.ui.train.snapshot_panel import SnapshotPanel, compared_lag
from lstm_studio.ui.train.strip import SnapshotStrip
from lstm_studio.ui.train.task_panel import TaskPanel
from lstm_studio.ui.train.workspace import TrainWorkspace
from lstm_studio.ui.training_plots.curve_plot import CurvePlot
from lstm_studio.ui.training_plots.step_bar import OVERHANG
from lstm_studio.ui.window import StudioWindow
from tests.session.fake_training import FakeStart, small_plan, write_training
from tests.ui.explore.fakes import symbol_set
from tests.ui.explore.similar.fakes import Shelves
from tests.ui.heard import listening
from tests.ui.opened import opened_window, press
from tests.ui.slow_computer import FakeComputer

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")

HELD_OUT = symbol_set(count=3, steps=9, seed=5)


def _answers(request: Request) -> Answer | None:
    if isinstance(request, DrawHeldOut):
        return Answered(HELD_OUT)
    return Answered(()) if isinstance(request, ListTrainings) else None


@pytest.fixture
def start() -> FakeStart:
    return FakeStart()


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, start: FakeStart) -> Iterator[StudioWindow]:
    settings = Settings(theme="light", trainings=str(tmp_path / "trainings"))
    with opened_window(FakeComputer(rule=_answers), settings) as opened:
        opened.trainings._start = start
        opened.show_workspace("train")
        yield opened
        for child in start.children:
            child.running = False


def workspace_of(window: StudioWindow) -> TrainWorkspace:
    found = window.findChild(TrainWorkspace)
    assert found is not None
    return found


def bar_of(window: StudioWindow) -> TrainBar:
    found = window.findChild(TrainBar)
    assert found is not None
    return found


def show(window: StudioWindow, qtbot: QtBot, folder: Path) -> None:
    window.trainings.show(str(folder))
    qtbot.waitUntil(lambda: window.trainings.learning is not None)
    QApplication.processEvents()


def enabled(window: StudioWindow) -> set[str]:
    keys = ("start", "pause", "stop", "restart", "repeat", "open-in-explore")
    return {key for key in keys if window.command_actions[f"train.{key}"].isEnabled()}


def test_an_empty_workspace_offers_every_task(window: StudioWindow, start: FakeStart) -> None:
    workspace = workspace_of(window)
    gallery = workspace.gallery
    assert gallery.isVisible()
    assert not workspace.stack.isVisible()
    assert {card.task for card in gallery.cards} == set(tasks().values())
    assert [card.task.name for card in gallery.cards if card.isChecked()] == ["temporal-order"]
    assert enabled(window) == {"start", "repeat"}
    assert window.focusWidget() is gallery.cards[0]
    press(window, Qt.Key.Key_Right)
    chosen = gallery.cards[1]
    assert window.focusWidget() is chosen
    assert chosen.isChecked()
    assert window.trainings.plan == class_room(chosen.task.name)
    assert any(chosen.task.title in words.text() for words in gallery.findChildren(QLabel))
    gallery.start.click()
    assert [plan for plan, _, _ in start.asked] == [class_room(chosen.task.name)]


def test_the_gallery_shows_no_task_as_chosen_while_sequences_are_to_be_learned(
    window: StudioWindow, tmp_path: Path
) -> None:
    path = tmp_path / "mine.csv"
    window.trainings.propose(Plan(sequence=str(path)))
    cards = workspace_of(window).gallery.cards
    assert not any(card.isChecked() for card in cards)
    cards[2].click()
    assert [card.isChecked() for card in cards] == [index == 2 for index in range(len(cards))]


def test_the_choice_of_tasks_comes_back(window: StudioWindow, qtbot: QtBot, tmp_path: Path) -> None:
    workspace, new = workspace_of(window), window.command_actions["train.new"]
    assert not new.isEnabled()
    write_training(tmp_path / "one", small_plan(updates=100))
    show(window, qtbot, tmp_path / "one")
    assert workspace.stack.isVisible()
    assert new.isEnabled()
    press(window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    assert workspace.gallery.isVisible()
    assert window.trainings.learning is None
    assert window.trainings.shown == ""
    show(window, qtbot, tmp_path / "one")
    assert workspace.stack.isVisible()


def test_each_card_draws_a_sequence_of_its_task(window: StudioWindow) -> None:
    for card in workspace_of(window).gallery.cards:
        band = card.grab(card.picture.toRect()).toImage()
        colours = {band.pixel(x, y) for x in range(band.width()) for y in range(band.height())}
        assert len(colours) > 1, card.task.name


def states(heard: list[tuple[str, bool]]) -> list[str]:
    """Return what was said of a training that has come to step 50."""
    return [words.partition(": ")[2] for words, _ in heard if ", step 50 of " in words]


def test_a_training_is_started_followed_paused_and_stopped(
    window: StudioWindow, qtbot: QtBot, start: FakeStart
) -> None:
    primary = next(button for button in bar_of(window).findChildren(QPushButton) if button.text() == "Start")
    primary.click()
    ((plan, resume, seeds),) = start.asked
    assert (plan, resume, seeds) == (class_room("temporal-order"), False, None)
    assert enabled(window) == {"pause", "stop"}
    assert "Starting PyTorch" in workspace_of(window).empty.text()
    folder = start.children[0].folder
    made = write_training(folder, class_room("temporal-order"), close=False)
    with listening() as heard:
        qtbot.waitUntil(lambda: window.trainings.learning is not None)
        assert primary.text() == "Pause"
        assert workspace_of(window).stack.isVisible()
        press(window, Qt.Key.Key_Space)
        assert wish(folder) is Wish.PAUSE
        made.event("paused", step=50)
        qtbot.waitUntil(lambda: primary.text() == "Go on" and states(heard)[-1] == "paused.")
        press(window, Qt.Key.Key_Space)
        made.event("resumed", step=50)
        qtbot.waitUntil(lambda: primary.text() == "Pause" and states(heard)[-1] == "training.")
        window.command_actions["train.stop"].trigger()
        assert wish(folder) is Wish.STOP
        assert "stop" not in enabled(window)
        made.close()
        start.children[0].running = False
        # That the process has ended is seen apart from what its record says.
        qtbot.waitUntil(lambda: {"pause", "start", "restart"} <= enabled(window), timeout=8000)
    assert states(heard) == ["training.", "paused.", "training.", "stopped."]
    assert primary.text() == "Go on"
    primary.click()
    assert start.asked[1][1], "what has ended early is gone on with"


def test_numbers_are_those_of_the_snapshot(window: StudioWindow, qtbot: QtBot, tmp_path: Path) -> None:
    write_training(tmp_path / "run")
    show(window, qtbot, tmp_path / "run")
    window.trainings.select(20)
    panel = window.panel("train-snapshot")
    assert isinstance(panel, SnapshotPanel)
    standard = panel.texts
    assert standard == (
        ("Loss", f"{1.4 / 21:.3f}", "1.390"),
        ("Accuracy", "0.50", "0.25"),
        ("Within 0.3", "0.25", "0.00"),
        ("Mean forget gate", "0.75", "none"),
    )
    window.session.look(labels=Labels.CLASSROOM)
    assert [line[0] for line in panel.texts] == ["Loss", "Accuracy", "Within 0.3", "Mean forget factor"]
    result = window.panel("train-result")
    assert isinstance(result, ResultPanel)
    assert result.texts == (
        "LSTM: solved. The task's test: passed; 2,000 of 2,000 within 0.3",
        "Vanilla RNN: not solved. The task's test: not passed; 0 of 2,000 within 0.3",
    )
    assert "One seed proves nothing general" in " ".join(label.text() for label in result.findChildren(QLabel))


@pytest.mark.parametrize(("longest", "lag"), [(49, 40), (99, 80), (5, 4), (199, 160), (1, 0)])
def test_gradients_are_compared_at_a_round_lag(longest: int, lag: int) -> None:
    assert compared_lag(longest) == lag


def test_keys_and_mouse_go_from_snapshot_to_snapshot(window: StudioWindow, qtbot: QtBot, tmp_path: Path) -> None:
    write_training(tmp_path / "run")
    workspace_of(window).setFocus()
    show(window, qtbot, tmp_path / "run")
    assert window.focusWidget() is workspace_of(window).stack
    trainings, found = window.trainings, []
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_L):
        press(window, key)
        found.append((trainings.step, trainings.following))
    assert found == [(40, False), (30, False), (40, False), (0, False), (50, False), (50, True)]
    workspace_of(window).stack.step_requested.emit(24)
    assert trainings.step == 20
    slider = bar_of(window).slider
    assert (slider.index, slider.value()) == (2, 3)
    slider.setValue(4)
    assert (trainings.step, slider.index) == (30, 3)
    turn = QWheelEvent(
        QPointF(9, 9),
        slider.mapToGlobal(QPointF(9, 9)),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(slider, turn)
    assert (trainings.step, slider.index) == (20, 2), "up is back"


def test_the_handle_stands_under_the_cursor(window: StudioWindow, qtbot: QtBot, tmp_path: Path) -> None:
    write_training(tmp_path / "run")
    show(window, qtbot, tmp_path / "run")
    stack, slider = workspace_of(window).stack, bar_of(window).slider
    for size in ((1600, 1000), (2200, 1200)):
        window.resize(*size)
        for _ in range(3):
            QApplication.processEvents()
        left, right = (stack.mapToGlobal(QPoint(edge, 0)).x() for edge in stack.edges)
        assert slider.mapToGlobal(QPoint(OVERHANG, 0)).x() == pytest.approx(left, abs=1)
        assert slider.mapToGlobal(QPoint(slider.width() - OVERHANG, 0)).x() == pytest.approx(right, abs=1)
    for step in (0, 20, 50):
        window.trainings.select(step)
        x = stack.plot("loss").x_of(step)
        assert slider.mapToGlobal(QPoint(round(slider.x_of(step)), 0)).x() == pytest.approx(
            stack.mapToGlobal(QPoint(round(x), 0)).x(), abs=2
        )


def test_the_plan_is_changed_in_the_panels(window: StudioWindow, start: FakeStart) -> None:
    task, networks, equal = (window.panel(f"train-{key}") for key in ("task", "networks", "equal"))
    assert isinstance(task, TaskPanel)
    assert isinstance(networks, TrainedNetworksPanel)
    assert isinstance(equal, EqualPanel)
    assert ("Hidden units", "16 = 16") in equal.texts
    assert ("Weights", "1,732 ≠ 484") in equal.texts
    task.choice.setCurrentIndex(task.choice.findData("adding"))
    task.choice.activated.emit(task.choice.currentIndex())
    task.fields.changed.emit("length", 60)
    for name, value in (("hidden", 9), ("seed", 4), ("learning_rate", 0.01), ("companion", "gru"), ("clip", 0.0)):
        networks.fields.changed.emit(name, value)
    plan = window.trainings.plan
    assert (plan.task, dict(plan.parameters), plan.hidden, plan.seed) == ("adding", {"length": 60}, 9, 4)
    assert (plan.learning_rate, plan.kinds, plan.clip) == (0.01, ("lstm", "gru"), 0.0)
    texts = dict(equal.texts)
    assert (texts["Seed"], texts["Optimiser"], texts["Gradient clip"]) == ("4 = 4", "Adam 0.01", "none")
    networks.fields.changed.emit("companion", "")
    assert equal.texts == ()
    window.command_actions["train.start"].trigger()
    assert start.asked[0][0] == window.trainings.plan


def test_the_sequences_of_explore_can_be_learned(window: StudioWindow, qtbot: QtBot, start: FakeStart) -> None:
    task = window.panel("train-task")
    assert isinstance(task, TaskPanel)
    assert task.choice.findData("") < 0, "what was not read from a file cannot be read by another process"
    window.runner.open_sequence("walk.csv")
    qtbot.waitUntil(lambda: task.choice.findData("") == 0)
    window.show_workspace("train")
    assert task.choice.itemText(0) == "Sequences: walk.csv"
    task.choice.setCurrentIndex(0)
    task.choice.activated.emit(0)
    task.fields.changed.emit("goal", "next-step")
    task.fields.changed.emit("piece_length", 30)
    window.command_actions["train.start"].trigger()
    plan = start.asked[0][0]
    assert (plan.task, plan.sequence, plan.goal, plan.piece_length) == ("", "walk.csv", Goal.NEXT_STEP, 30)
    window.command_actions["train.stop"].trigger()
    start.children[0].running = False
    task.choice.setCurrentIndex(task.choice.findData("waves"))
    task.choice.activated.emit(task.choice.currentIndex())
    assert window.trainings.plan == class_room("waves")


def test_what_cannot_be_planned_is_told_and_undone(window: StudioWindow) -> None:
    task = window.panel("train-task")
    assert isinstance(task, TaskPanel)
    task.fields.changed.emit("length", 3)
    (notice,) = window.stage.notices.notices
    assert notice.found == "task 'temporal-order': length is 3."
    assert dict(window.trainings.plan.parameters)["length"] == 50


def test_a_change_after_the_training_is_for_the_next_one(window: StudioWindow, qtbot: QtBot, tmp_path: Path) -> None:
    plan = small_plan()
    write_training(tmp_path / "run", plan)
    show(window, qtbot, tmp_path / "run")
    assert window.trainings.plan == plan
    task = window.panel("train-task")
    back = next(button for button in task.findChildren(QPushButton) if button.text() == "Back to what is shown")
    assert not back.isVisible()
    window.trainings.change(hidden=5)
    assert back.isVisible()
    back.click()
    assert window.trainings.plan == plan
    assert not back.isVisible()


def test_a_failed_training_says_what_was_wrong(window: StudioWindow, qtbot: QtBot, start: FakeStart) -> None:
    window.command_actions["train.start"].trigger()
    child = start.children[0]
    child.failure, child.running = "lstm-studio: The disk is full. Make room.", False
    qtbot.waitUntil(lambda: bool(window.stage.notices.notices))
    (notice,) = window.stage.notices.notices
    assert "The disk is full. Make room." in notice.found
    assert enabled(window) == {"start", "repeat"}


@pytest.mark.parametrize(
    ("answer", "closes", "wished"), [(0, True, Wish.RUN), (1, True, Wish.STOP), (2, False, Wish.RUN)]
)
def test_closing_asks_what_becomes_of_a_training(  # noqa: PLR0917 - four of them are fixtures
    window: StudioWindow,
    qtbot: QtBot,
    start: FakeStart,
    monkeypatch: pytest.MonkeyPatch,
    answer: int,
    closes: bool,
    wished: Wish,
) -> None:
    asked: list[tuple[str, ...]] = []

    def choose(_parent: object, _title: str, question: str, choices: tuple[str, ...]) -> int:
        assert start.children[0].folder.name in question
        asked.append(choices)
        return answer

    monkeypatch.setattr(dialogs, "ask_choice", choose)
    window.command_actions["train.start"].trigger()
    window.close()
    qtbot.waitUntil(lambda: bool(asked))
    assert window.isVisible() is not closes
    assert [(choices[0], choices[-1]) for choices in asked] == [(LET_RUN, STAY)]
    assert wish(start.children[0].folder) is wished
    start.children[0].running = False


def test_nobody_is_asked_who_ends_the_program_from_outside(
    window: StudioWindow, start: FakeStart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogs, "ask_choice", lambda *_: pytest.fail("asked"))
    window.command_actions["train.start"].trigger()
    window.leave()
    assert not window.isVisible()
    assert wish(start.children[0].folder) is Wish.RUN


def test_nobody_is_asked_when_nothing_runs(window: StudioWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogs, "ask_choice", lambda *_: pytest.fail("asked"))
    assert window.close()


# Into Explore.


def checkpoints(window: StudioWindow) -> list[str]:
    setup = window.session.setup
    specs = [spec for spec in (setup.network, setup.companion) if spec is not None]
    return ["/".join(Path(spec.checkpoint or "").parts[-2:]) for spec in specs]


def test_a_snapshot_opens_in_explore_and_explore_follows(window: StudioWindow, qtbot: QtBot, tmp_path: Path) -> None:
    write_training(tmp_path / "run")
    show(window, qtbot, tmp_path / "run")
    window.trainings.select(20)
    window.command_actions["train.open-in-explore"].trigger()
    qtbot.waitUntil(lambda: window.current_workspace == "explore" and not window.session.waiting)
    assert window.session.setup.data is HELD_OUT
    assert checkpoints(window) == ["00000020/lstm.safetensors", "00000020/rnn.safetensors"]
    strip = window.findChild(SnapshotStrip)
    assert strip is not None
    assert strip.isVisible()
    # The bar in Explore, and its keys.
    strip.slider.setValue(5)
    qtbot.waitUntil(lambda: not window.session.waiting)
    assert checkpoints(window)[0] == "00000040/lstm.safetensors"
    press(window, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert checkpoints(window)[0] == "00000030/lstm.safetensors"
    # The slider in Train: only where that is wanted.
    window.show_workspace("train")
    window.trainings.select(0)
    assert checkpoints(window)[0] == "00000030/lstm.safetensors"
    window.command_actions["train.explore-follows"].trigger()
    assert checkpoints(window)[0] == "00000000/lstm.safetensors"
    window.trainings.move(1)
    qtbot.waitUntil(lambda: not window.session.waiting)
    assert checkpoints(window) == ["00000010/lstm.safetensors", "00000010/rnn.safetensors"]
    # All of that is one way there: undone once to the first snapshot, and once more to what was there before.
    window.session.undo()
    assert checkpoints(window)[0] == "00000020/lstm.safetensors"
    window.session.undo()
    qtbot.waitUntil(lambda: not window.session.waiting)
    assert window.session.setup.data is not HELD_OUT
    assert not strip.isVisible()
    assert not window.train_driver.link.follows, "what the user brings back is not taken away again"


def test_a_snapshot_is_kept_to_compare_others_with_it(window: StudioWindow, qtbot: QtBot, tmp_path: Path) -> None:
    keep = window.command_actions["train.compare-snapshot"]
    write_training(tmp_path / "run")
    show(window, qtbot, tmp_path / "run")
    window.trainings.select(20)
    assert not keep.isEnabled()
    window.command_actions["train.open-in-explore"].trigger()
    qtbot.waitUntil(lambda: window.current_workspace == "explore" and not window.session.waiting)
    assert keep.isEnabled()
    press(window, Qt.Key.Key_C, Qt.KeyboardModifier.AltModifier)
    press(window, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert checkpoints(window)[0] == "00000030/lstm.safetensors"
    second = window.session.setup.second
    assert second is not None
    assert second.network is not None
    assert second.network.checkpoint == str(tmp_path / "run" / "snapshots" / "00000020" / "lstm.safetensors")
    window.session.undo()
    window.session.undo()
    assert window.session.setup.second is None


def test_other_sequences_end_the_link(window: StudioWindow, qtbot: QtBot, tmp_path: Path) -> None:
    write_training(tmp_path / "run")
    show(window, qtbot, tmp_path / "run")
    window.command_actions["train.explore-follows"].trigger()
    qtbot.waitUntil(lambda: window.session.setup.data is HELD_OUT and not window.session.waiting)
    followed = [window.train_driver.link.follows]
    window.session.change("Open", data=symbol_set(seed=9), item=0, network=NetworkSpec(), companion=None)
    followed.append(window.train_driver.link.follows)
    assert followed == [True, False]
    window.trainings.move(-1)
    assert window.session.setup.network.checkpoint is None


# Several seeds, and earlier trainings.


def test_a_comparison_over_seeds_is_shown_with_its_spread(
    window: StudioWindow, qtbot: QtBot, start: FakeStart, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.trainings.propose(small_plan())
    monkeypatch.setattr(dialogs, "ask_count", lambda *_: 3)
    window.command_actions["train.repeat"].trigger()
    assert start.asked[0][2] == 3
    panel = window.shown_panel("train-seeds")
    assert isinstance(panel, SeedsPanel)
    folder = start.children[0].folder
    for seed, steps in ((0, 51), (1, 21)):
        write_training(folder / f"seed-{seed}", small_plan(seed=seed), steps=steps)
    qtbot.waitUntil(lambda: len(window.trainings.others) == 2, timeout=8000)
    losses = sorted(1.4 / (1 + step) for step in (50, 20))
    middle = sum(losses) / 2
    assert panel.texts[0] == (
        f"LSTM: solved with 2 of 2; loss {middle:.2f} in the middle, from {losses[0]:.2f} to {losses[1]:.2f}."
    )
    assert panel.texts[1].startswith("RNN: solved with 0 of 2; loss 1.39")
    loss = workspace_of(window).stack.plot("loss")
    assert isinstance(loss, CurvePlot)
    assert [line.faint for line in loss.picture.lines] == [True, True, False, False]
    panel.plot.seed_chosen.emit(0)
    assert window.trainings.shown == str(folder / "seed-0")
    start.children[0].running = False


def test_earlier_trainings_are_listed_and_shown(qtbot: QtBot, tmp_path: Path) -> None:
    kept = tmp_path / "trainings"
    write_training(kept / "first", small_plan(seed=8))

    def rule(request: Request) -> Answer | None:
        if isinstance(request, ListTrainings):
            return Answered(request.answer(Shelves(), ignore_progress))
        return None

    with opened_window(FakeComputer(rule=rule), Settings(theme="light", trainings=str(kept))) as window:
        window.show_workspace("train")
        window.command_actions["train.show"].trigger()
        panel = window.shown_panel("train-kept")
        assert isinstance(panel, KeptPanel)
        qtbot.waitUntil(lambda: panel.list.count() == 1)
        assert "seed 8" in panel.list.item(0).text()
        panel.list.itemClicked.emit(panel.list.item(0))
        qtbot.waitUntil(lambda: window.trainings.learning is not None)
        assert window.trainings.plan.seed == 8


def test_the_folder_of_trainings_is_remembered(
    window: StudioWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: FakeStart
) -> None:
    monkeypatch.setattr(dialogs, "ask_folder", lambda *_: str(tmp_path / "elsewhere"))
    window.command_actions["train.folder"].trigger()
    assert window.settings.trainings == str(tmp_path / "elsewhere")
    window.command_actions["train.start"].trigger()
    assert start.children[0].folder.parent == tmp_path / "elsewhere"


def test_a_run_that_disappears_is_told_and_not_a_bug(window: StudioWindow, qtbot: QtBot, tmp_path: Path) -> None:
    write_training(tmp_path / "run")
    show(window, qtbot, tmp_path / "run")
    shutil.rmtree(tmp_path / "run")
    qtbot.wait(300)
    window.trainings.move(-1)
    assert window.trainings.learning is not None, "what was read is still there"


def test_every_part_has_a_name_for_readers_of_the_screen(window: StudioWindow, qtbot: QtBot, tmp_path: Path) -> None:
    write_training(tmp_path / "run")
    show(window, qtbot, tmp_path / "run")
    stack = workspace_of(window).stack
    assert "Loss: LSTM from 1.40 to 0.03 at step 50" in stack.accessibleDescription()
    for key in ("loss", "share", "lags:lstm", "lags:rnn"):
        assert stack.plot(key).accessibleDescription()
    nameless = [
        type(button).__name__
        for button in bar_of(window).findChildren(QPushButton)
        if not (button.accessibleName() or button.text())
    ]
    assert nameless == []


def test_new_pictures_and_other_snapshots_leave_nothing_behind(
    window: StudioWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    write_training(tmp_path / "run")
    show(window, qtbot, tmp_path / "run")
    run = open_any(str(tmp_path / "run"))

    def go_round() -> int:
        for count in range(6):
            window.watchlist.accept([Followed(run.address, picture_of(run))])
            window.trainings.select(10 * (count % 5))
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
        waited = {type(thing).__module__ for thing in gc.garbage}
        assert not [module for module in waited if module.startswith(("lstm_studio", "PySide6"))]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
