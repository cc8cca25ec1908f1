"""Times of fresh processes, the window's first paint among them."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping

WINDOW = """
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
            print(took, window.session.result.sequences.title.replace(" ", "-"), ",".join(heavy) or "-", flush=True)
            window.close()
        window.header.painted.connect(report)
        return window

    app.make_window = watched

# The window is imported where the program imports it.
desktop.require_window = watched_window
sys.exit(main())
"""
"""The program itself, closed after its first paint; what follows the code are its own arguments."""


def environment(folder: str) -> dict[str, str]:
    """Return an environment whose settings and bytecode are in ``folder``."""
    # An installed program has its bytecode; some machines tell Python not to write any.
    # And nobody's settings, which may open more panels than there are at first.
    own = dict.fromkeys(("XDG_CONFIG_HOME", "XDG_STATE_HOME", "PYTHONPYCACHEPREFIX"), folder)
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | own


def timed(code: str, around: Mapping[str, str], *arguments: str) -> tuple[float, str]:
    """Run code in a fresh process, with when it began as its first argument.

    It prints seconds, the title of what it shows, and the heavy packages that it had loaded by then, ``-`` for nothing;
    there must be none of the latter, and the others are returned.
    """
    # The monotonic clock is the same in all processes of a machine.
    line = [sys.executable, "-c", code, repr(time.monotonic()), *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=True, env=dict(around))
    seconds, title, heavy = done.stdout.split()
    assert heavy == "-", f"{heavy} was imported before the first paint"
    return float(seconds), title


def tell(found: Mapping[str, list[float]]) -> None:
    """Print the distributions of several programs' seconds."""
    for name, times in found.items():
        print(
            f"{name:24} median {statistics.median(times):.2f} s, fastest {min(times):.2f} s, slowest {max(times):.2f} s"
        )
