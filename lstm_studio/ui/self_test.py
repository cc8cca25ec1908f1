"""Starts everything once, without a display, and says what it saw: for a bundle that has just been built."""

from __future__ import annotations

import faulthandler
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lstm_studio.networks.signals import Labels
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.progress import ignore_progress
from lstm_studio.sequences.options import ReadOptions
from lstm_studio.session.compute import Computer, Opened, OpenFile, Warm, WarmUp
from lstm_studio.session.samples import Sample, load_sample, sample_names
from lstm_studio.session.settings import Settings, load_settings, save_settings

WATCHDOG = 240
"""Seconds after which all stacks are printed and the process ends with status 1."""

_FEWEST_COLOURS = 24
_ROUNDING = 1e-4
"""Largest difference between stored and fresh states; builds of PyTorch sum in different orders."""
_HALF_ROUNDING = 1e-3
"""The same where states are kept in half precision."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried.

    Parameters
    ----------
    name
        What was tried.
    ok
        Whether it worked.
    seconds
        How long it took.
    detail
        What was seen, or what went wrong.
    """

    name: str
    ok: bool
    seconds: float
    detail: str


@dataclass(frozen=True, slots=True)
class SelfTestReport:
    """All checks, in the order in which they ran."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether everything worked."""
        return all(check.ok for check in self.checks)


def run_self_test() -> SelfTestReport:
    """Load the samples, compute, read a file, draw every panel, play, train, and save settings.

    An exception fails its check, also one in a Qt slot, and the checks after it still run. If all of it takes longer
    than :data:`WATCHDOG`, the stacks of all threads are printed and the process ends with status 1.
    """
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with _watchdog():
        checks = [_run(name, attempt) for name, attempt in _CHECKS]
    return SelfTestReport(tuple(checks))


@contextmanager
def _watchdog() -> Iterator[None]:
    faulthandler.dump_traceback_later(WATCHDOG, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def _run(name: str, attempt: Callable[[], str]) -> Check:
    start = time.perf_counter()
    try:
        detail, ok = attempt(), True
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is the check's result
        detail, ok = f"{type(error).__name__}: {error}", False
    return Check(name, ok, time.perf_counter() - start, detail)


def _expect(condition: bool, words: str) -> None:
    if not condition:
        raise AssertionError(words)


def _samples() -> str:
    samples = [load_sample(name) for name in sample_names()]
    _expect(bool(samples), "there are no samples")
    return "; ".join(f"{sample.title}: {len(sample.sequences)} sequences" for sample in samples)


def _torch() -> str:
    warm = Computer().answer(WarmUp(), ignore_progress)
    _expect(isinstance(warm, Warm), "no answer")
    assert isinstance(warm, Warm)  # noqa: S101 - for the type checker
    return f"PyTorch {warm.torch_version} on {', '.join(warm.devices)}: forward, backward and one Adam step"


def _stored_traces() -> str:
    """Compute the stored traces again."""
    from lstm_studio.session.start import stored_result

    worst = 0.0
    for name in sample_names():
        sample: Sample = load_sample(name)
        stored = stored_result(sample)
        fresh = Computer().compute(replace(stored.setup, device="cpu"), ignore_progress)
        for before, after in zip(stored.traces, fresh.traces, strict=True):
            for layer in before.layers:
                state = f"{layer.prefix}.hidden_state"
                worst = max(worst, float(np.abs(before[state] - after[state]).max()))
                gradient = after[f"norm.grad.{state}"]
                _expect(bool(np.isfinite(gradient).all()), f"{name}: gradients of {state} are not finite")
    _expect(worst <= _ROUNDING, f"stored and fresh states differ by {worst:.1e}")
    return f"largest difference from the stored states {worst:.1e}"


def _table() -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "waves.csv"
        rows = [f"{step},{np.sin(step / 5):.6f},{np.cos(step / 7):.6f}" for step in range(60)]
        path.write_text("\n".join(["time,sine,cosine", *rows]), "utf-8")
        computer = Computer()
        opened = computer.answer(OpenFile(str(path), ReadOptions()), ignore_progress)
    assert isinstance(opened, Opened)  # noqa: S101 - for the type checker
    values = opened.data[0].values
    _expect(values.shape == (60, 2), f"60 rows of 2 features were read as {values.shape}")
    _expect(abs(float(values[10, 0]) - np.sin(2.0)) < 1e-5, f"the value at step 11 was read as {values[10, 0]}")
    return "a table of 60 steps with 2 features and a time column"


def _window() -> str:
    """Draw everything in both themes and both vocabularies, and play."""
    from PySide6.QtCore import QCoreApplication, Qt

    from lstm_studio.ui.app import destroy, make_application, make_window
    from lstm_studio.ui.bugs import BugCatcher
    from lstm_studio.ui.panels import PANELS
    from lstm_studio.ui.picture import colours_in

    make_application()
    drawn = 0
    with BugCatcher() as bugs:
        window = make_window()
        try:
            window.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
            window.show()
            session = window.session
            panels = {
                "window": window,
                "plots": window.workspace,
                **{info.title.lower(): window.panel(info.key) for info in PANELS},
                "transport": window.transport,
            }
            for theme in ("light", "dark"):
                for labels in Labels:
                    session.look(theme=theme, labels=labels, cursor=session.steps // 2)
                    QCoreApplication.processEvents()
                    for name, panel in panels.items():
                        colours = colours_in(panel)
                        _expect(colours >= _fewest(name), f"{name}, {theme}, {labels}: {colours} colours, it is blank")
                        drawn += 1
            session.move_cursor(0)
            session.look(speed=30.0)
            window.transport.play()
            deadline = time.monotonic() + 20
            while session.view.cursor < 5 and time.monotonic() < deadline:
                QCoreApplication.processEvents()
                time.sleep(0.005)
            window.transport.pause()
            _expect(session.view.cursor >= 5, f"playing stopped at step {session.view.cursor + 1}")
            session.change("Change the size", network=NetworkSpec("lstm", 4), companion=NetworkSpec("rnn"))
            while session.waiting and time.monotonic() < deadline:
                QCoreApplication.processEvents()
                time.sleep(0.005)
            _expect(not session.waiting, "the worker gave no answer")
        finally:
            destroy(window)
    _expect(bugs.count == 0, f"{bugs.count} exceptions in slots, printed above")
    return f"{drawn} pictures of {len(panels)} panels, played to step 6, traced a network in the worker"


def _fewest(panel: str) -> int:
    return _FEWEST_COLOURS if panel != "units" else _FEWEST_COLOURS // 2


def _settings() -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "settings.json"
        changed = Settings(theme="dark", labels=Labels.CLASSROOM, font_scale=125)
        save_settings(changed, path)
        loaded = load_settings(path)
    _expect(loaded.settings == changed and not loaded.problems, f"read back as {loaded}")
    return "saved and read back"


def _session() -> str:
    """Keep a session as for the next start, open it, and compute it again from the weights in it."""
    from lstm_studio.session.autosave import Desk, find_left
    from lstm_studio.session.session import Session
    from lstm_studio.session.session_file import contents_of, read_session
    from lstm_studio.session.start import stored_result

    session = Session(stored_result(load_sample(sample_names()[0])))
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        desk = Desk(root)
        desk.keep(contents_of(session))
        _expect(not find_left(root), "a session of a living program was taken for one that was left")
        desk.close()
        left = find_left(root)
        _expect(len(left) == 1, f"{len(left)} sessions were found where one was left")
        contents = read_session(left[0].path, root / "networks")
        _expect(contents.result is not None and not contents.problems, " ".join(contents.problems))
        again = Computer().compute(contents.setup, ignore_progress)
        size = left[0].path.stat().st_size
    prints = [info.fingerprint for info in again.infos]
    _expect(prints == [info.fingerprint for info in session.result.infos], f"other weights came back: {prints}")
    return f"{size / 1e3:.0f} kB kept, found and computed again"


def _training() -> str:
    """Train in a process of its own, as the Train workspace does, and compute what it recorded from its weights."""
    from lstm_studio.engine.tracing import trace
    from lstm_studio.networks.checkpoints import open_network
    from lstm_studio.runs.like import Status
    from lstm_studio.runs.reader import open_run
    from lstm_studio.training.child import start
    from lstm_studio.training.plan import Plan

    plan = Plan(task="temporal-order", hidden=4, updates=4, batch=2, evaluate_every=2, held_out=4, device="cpu")
    with tempfile.TemporaryDirectory() as name:
        child = start(plan, Path(name) / "run")
        try:
            status = child.wait(WATCHDOG / 2)
        finally:
            child.kill()
        _expect(status == 0, f"the process ended with status {status}: {child.failure}")
        run = open_run(Path(name) / "run")
        _expect(run.status is Status.FINISHED, f"the run is {run.status}: {run.problems}")
        steps, losses = run.scalars["lstm.loss"]
        _expect((steps[0], steps[-1]) == (0, 4), f"evaluated at {steps.tolist()}")
        _expect(bool(np.isfinite(losses).all()), f"losses are {losses.tolist()}")
        # A trace is of the update that follows: its forward pass has the weights of the snapshot.
        recorded = run.trace(run.steps[0])
        network = open_network(run.snapshot(run.snapshots[0], "lstm"))
        fresh = trace(network, recorded["input"].astype(np.float32))
        worst = float(np.abs(recorded["lstm.lstm.0.hidden_state"] - fresh["lstm.0.hidden_state"]).max())
    _expect(worst < _HALF_ROUNDING, f"recorded and fresh states differ by {worst:.1e}")
    return f"{plan.updates} updates in a process of its own; recorded and fresh states differ by {worst:.1e}"


_CHECKS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("samples", _samples),
    ("PyTorch", _torch),
    ("traces", _stored_traces),
    ("table", _table),
    ("window", _window),
    ("session", _session),
    ("training", _training),
    ("settings", _settings),
)
