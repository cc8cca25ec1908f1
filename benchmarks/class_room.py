"""How long every task takes at its class-room size, recorded, and what comes of it. Target: under 60 s on two cores.

Beside each LSTM the vanilla RNN on the same batches, and the chance line. Names of tasks as arguments: these alone;
``--seeds 3``: with so many seeds.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from lstm_studio.engine.devices import use_interactive_threads
from lstm_studio.progress import ignore_progress
from lstm_studio.runs.reader import open_run
from lstm_studio.tasks.registry import tasks
from lstm_studio.training.command import assignment_of
from lstm_studio.training.plan import Plan, class_room
from lstm_studio.training.recorded import Ending, RecordedTraining
from lstm_studio.training.share import ALONE

LIMIT = 60.0


def measure(plan: Plan) -> tuple[float, float, Ending, dict[str, int]]:
    """Return wall and processor seconds, the ending, and at which update each network first solved the held-out."""
    assignment, about = assignment_of(plan)
    with TemporaryDirectory() as name:
        folder = Path(name) / "run"
        wall, processor = time.perf_counter(), time.process_time()
        ending = RecordedTraining(plan, assignment, about, folder, ALONE).run(ignore_progress, lambda: False)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        first = {event["network"]: event["step"] for event in open_run(folder).events if event["event"] == "solved"}
    return wall, processor, ending, first


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.class_room")
    parser.add_argument("names", nargs="*", choices=[*tasks(), []], help="some of the tasks; all without a name")
    parser.add_argument("--seeds", type=int, default=1)
    wanted = parser.parse_args()
    use_interactive_threads()
    slow = []
    print(f"{'task':22} seed  wall s  cpu s   {'lstm':>22}   {'rnn':>22}   chance")
    for name in wanted.names or tasks():
        for seed in range(wanted.seeds):
            plan = replace(class_room(name), device="cpu")
            plan = replace(plan, seed=plan.seed + seed)
            wall, processor, ending, first = measure(plan)
            parts = []
            for key, score in ending.test.scores.items():
                share = f"{score.within:.3f} near" if score.accuracy is None else f"{score.accuracy:.3f} right"
                solved = f" at {first.get(key, '-')}" if ending.solved[key] else ""
                parts.append(f"{score.loss:.4g}, {share}{solved}")
            print(
                f"{name:22} {plan.seed:4} {wall:6.1f} {processor:6.1f}   {parts[0]:>26}   {parts[1]:>26}   "
                f"{ending.test.chance.loss:.4g}",
                flush=True,
            )
            if wall > LIMIT:
                slow.append(f"{name} ({wall:.0f} s)")
    if slow:
        print(f"slower than {LIMIT:.0f} s: {', '.join(slow)}", file=sys.stderr)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
