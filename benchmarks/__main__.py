"""Runs the measurements: ``python -m benchmarks [NAME …]``, all of them without a name; ``--list`` says what there is.

Each is a module of this folder with a ``main()``. It runs in a process of its own, so that none measures what another
has warmed up, and prints ratios against an anchor measured beside them.
"""

from __future__ import annotations

import argparse
import ast
import os
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).parent


def benchmarks() -> dict[str, str]:
    """Return every measurement by name, with the first line of its docstring."""
    files = sorted(path for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))
    return {
        path.stem: (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0] for path in files
    }


def main() -> int:
    """Run what was asked for and return 1 if any of it failed."""
    known = benchmarks()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Run the measurements, one after the other."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(known)}; all without a name")
    parser.add_argument("--list", action="store_true", help="say what there is, and run nothing")
    wanted = parser.parse_args()
    unknown = [name for name in wanted.names if name not in known]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; choose from {', '.join(known)}")
    if wanted.list:
        width = max(map(len, known)) + 1
        for name, summary in known.items():
            print(f"{name:{width}} {summary}")
        return 0

    environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ}
    failed = []
    for name in wanted.names or known:
        print(f"\n{name}: {known[name]}", flush=True)
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}"], cwd=FOLDER.parent, env=environment, check=False
        )
        print(f"({time.perf_counter() - start:.0f} s)", flush=True)
        if done.returncode != 0:
            failed.append(f"{name} (exit status {done.returncode})")
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
