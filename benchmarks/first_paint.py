"""How long the window takes from process start to its first paint, in fresh processes.

Beside it: what `import torch` alone costs, which must not have happened by then. Target: under 1.0 s on a warm disk.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from tempfile import TemporaryDirectory

RUNS = 9
LIMIT = 1.0

_WINDOW = """
import sys, time
began = float(sys.argv.pop(1))
from lstm_studio import desktop
from lstm_studio.__main__ import main

require_window = desktop.require_window

def watched_window():
    require_window()
    from lstm_studio.ui import app
    make_window = app.make_window

    def watched(*args, **kwargs):
        window = make_window(*args, **kwargs)
        def report():
            took = time.monotonic() - began
            heavy = sorted(sys.modules.keys() & {"torch", "duckdb", "soundfile"})
            print(took, ",".join(heavy) or "-", flush=True)
            window.close()
        window.header.painted.connect(report)
        return window

    app.make_window = watched

# The window is imported where the program imports it.
desktop.require_window = watched_window
sys.exit(main())
"""
_TORCH = "import sys, time, torch; print(time.monotonic() - float(sys.argv[1]), '-')"
_PYTHON = "import sys, time; print(time.monotonic() - float(sys.argv[1]), '-')"
_QT = "import sys, time, PySide6.QtWidgets; print(time.monotonic() - float(sys.argv[1]), '-')"


def measure(code: str, environment: dict[str, str]) -> tuple[float, str]:
    """Run code in a fresh process; return the seconds it printed, and the heavy packages it had loaded by then."""
    # The monotonic clock is the same in all processes of a machine.
    line = [sys.executable, "-c", code, repr(time.monotonic())]
    done = subprocess.run(line, capture_output=True, text=True, check=True, env=environment)
    seconds, heavy = done.stdout.split()
    return float(seconds), heavy


def main() -> int:
    """Print the distribution and return 1 if the median misses the target."""
    programs = {"window": _WINDOW, "import torch": _TORCH, "import Qt": _QT, "Python alone": _PYTHON}
    found: dict[str, list[float]] = {name: [] for name in programs}
    with TemporaryDirectory() as folder:
        # An installed program has its bytecode; some machines tell Python not to write any.
        # And nobody's settings, which may open more panels than there are at first.
        homes = dict.fromkeys(("XDG_CONFIG_HOME", "XDG_STATE_HOME"), folder)
        environment = {**os.environ, **homes, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for code in programs.values():
            measure(code, environment)
        for _ in range(RUNS):
            # Interleaved, so that a busy moment of the machine strikes all of them.
            for name, code in programs.items():
                seconds, heavy = measure(code, environment)
                assert heavy == "-", f"{heavy} was imported before the first paint"
                found[name].append(seconds)
    for name, times in found.items():
        print(
            f"{name:14} median {statistics.median(times):.2f} s, fastest {min(times):.2f} s, slowest {max(times):.2f} s"
        )
    window = statistics.median(found["window"])
    print(f"first paint: {window:.2f} s, {window / LIMIT:.2f} of the {LIMIT:.1f} s allowed; torch not yet imported")
    return 0 if window < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
