"""Recording where somebody else's trainer has the loop: callbacks for Lightning and for Hugging Face's ``Trainer``.

Neither package is needed before its callback is asked for: the class is then made from what follows here and from the
package's own base class.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from lstm_studio.errors import RunError
from lstm_studio.runs.recorder import Recorder, watch


def lightning_callback(folder: str | Path, **options: Any) -> Any:
    """Return a callback for Lightning's ``Trainer`` that records the training.

    Parameters
    ----------
    folder, options
        As for ``ls.watch``; the scaler of mixed precision is found by itself.

    Raises
    ------
    RunError
        If neither ``lightning`` nor ``pytorch_lightning`` is installed.
    """
    return _made("LightningCallback")(folder, **options)


def hugging_face_callback(folder: str | Path, **options: Any) -> Any:
    """Return a callback for Hugging Face's ``Trainer`` that records the training.

    Parameters
    ----------
    folder, options
        As for ``ls.watch``; the scaler of mixed precision is found by itself.

    Raises
    ------
    RunError
        If ``transformers`` is not installed.
    """
    return _made("HuggingFaceCallback")(folder, **options)


class _Callback:
    """Records a training; see :func:`lightning_callback` and :func:`hugging_face_callback`."""

    def __init__(self, folder: str | Path, **options: Any) -> None:
        self._folder, self._options = folder, options
        self._run: Recorder | None = None

    def _begin(self, model: Any, scaler: Any) -> None:
        if self._run is None:
            self._run = watch(model, self._folder, **{"scaler": scaler, **self._options})

    def _end(self, error: BaseException | None = None) -> None:
        if self._run is not None:
            self._run.__exit__(None if error is None else type(error), error, None)
            self._run = None


class _LightningHooks(_Callback):
    def __init__(self, folder: str | Path, **options: Any) -> None:
        super().__init__(folder, **options)
        self._done = 0
        self._known: dict[str, Any] = {}

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin to watch; the processes have found each other by now."""
        self._done = trainer.global_step
        self._begin(pl_module, getattr(trainer.precision_plugin, "scaler", None))

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Record an update, where this batch made one."""
        del pl_module, batch, batch_idx
        if self._run is None or trainer.global_step == self._done:
            return
        self._done = trainer.global_step
        scalars = self._news(trainer)
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if loss is not None:
            # Lightning divides it by the number of batches whose gradients add up.
            scalars["loss"] = loss * trainer.accumulate_grad_batches
        self._run.step(step=self._done - 1, **scalars)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Record what was found on held-out data."""
        del pl_module
        if self._run is not None and not trainer.sanity_checking:
            self._run.log(step=max(trainer.global_step - 1, 0), **self._news(trainer))

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """End the run, with what was told of the last epoch."""
        del pl_module
        if self._run is not None:
            self._run.log(step=max(trainer.global_step - 1, 0), **self._news(trainer))
        self._end()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """End the run, and say why."""
        del trainer, pl_module
        self._end(exception)

    def _news(self, trainer: Any) -> dict[str, Any]:
        """Return what was logged since the last time; what was logged earlier stays in the same dictionary."""
        metrics = dict(trainer.callback_metrics)
        news = {name: value for name, value in metrics.items() if self._known.get(name) is not value}
        self._known = metrics
        return news


class _HuggingFaceHooks(_Callback):
    _recorded = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Begin to watch."""
        del args, state, control
        self._begin(more["model"], getattr(more.get("optimizer"), "scaler", None))

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Record an update while its gradients are there."""
        del args, control, more
        if self._run is not None:
            self._run.step(step=state.global_step)
            self._recorded = True

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Record an update, where the package has no ``on_optimizer_step`` yet."""
        del args, control, more
        if self._run is not None and not self._recorded:
            self._run.step(step=state.global_step - 1)
        self._recorded = False

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **more: Any) -> None:
        """Record what the trainer tells, at its own pace: losses, learning rate, scores on held-out data."""
        del args, control, more
        numbers = {name: value for name, value in (logs or {}).items() if isinstance(value, int | float)}
        if self._run is not None and numbers:
            self._run.log(step=max(state.global_step - 1, 0), **numbers)

    def on_train_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """End the run."""
        del args, state, control, more
        self._end()


_KINDS: dict[str, tuple[type[_Callback], str, tuple[str, ...]]] = {
    "LightningCallback": (_LightningHooks, "Callback", ("lightning.pytorch", "pytorch_lightning")),
    "HuggingFaceCallback": (_HuggingFaceHooks, "TrainerCallback", ("transformers",)),
}


def __getattr__(name: str) -> Any:
    # Other processes of a training that are sent a callback look for its class here.
    if name not in _KINDS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _made(name)


def _made(name: str) -> Any:
    """Return a class of callbacks, made when it is first asked for."""
    if name not in globals():
        hooks, base, packages = _KINDS[name]
        globals()[name] = type(name, (hooks, _base(base, packages)), {"__module__": __name__})
    return globals()[name]


def _base(name: str, packages: tuple[str, ...]) -> Any:
    """Return a base class of the first package that is in use, or else of the first that is there."""
    for package in sorted(packages, key=lambda package: package not in sys.modules):
        try:
            return getattr(import_module(package), name)
        except ModuleNotFoundError:
            continue
    raise RunError(f"{' and '.join(packages)} cannot be imported.", f"Install {packages[-1]} to record its trainings.")
