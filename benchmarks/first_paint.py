"""How long the window takes from process start to its first paint, in fresh processes.

Beside it: what `import torch` alone costs, which must not have happened by then. Target: under 1.0 s on a warm disk.
"""

from __future__ import annotations

import statistics
import sys
from tempfile import TemporaryDirectory

from benchmarks._fresh import WINDOW, environment, tell, timed

RUNS = 9
LIMIT = 1.0

_TORCH = "import sys, time, torch; print(time.monotonic() - float(sys.argv[1]), '-', '-')"
_PYTHON = "import sys, time; print(time.monotonic() - float(sys.argv[1]), '-', '-')"
_QT = "import sys, time, PySide6.QtWidgets; print(time.monotonic() - float(sys.argv[1]), '-', '-')"


def main() -> int:
    """Print the distribution and return 1 if the median misses the target."""
    programs = {"window": WINDOW, "import torch": _TORCH, "import Qt": _QT, "Python alone": _PYTHON}
    found: dict[str, list[float]] = {name: [] for name in programs}
    with TemporaryDirectory() as folder:
        around = environment(folder)
        for code in programs.values():
            timed(code, around)
        for _ in range(RUNS):
            # Interleaved, so that a busy moment of the machine strikes all of them.
            for name, code in programs.items():
                found[name].append(timed(code, around)[0])
    tell(found)
    window = statistics.median(found["window"])
    print(f"first paint: {window:.2f} s, {window / LIMIT:.2f} of the {LIMIT:.1f} s allowed; torch not yet imported")
    return 0 if window < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
