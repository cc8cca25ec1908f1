"""``python -m lstm_studio``, the command ``lstm-studio`` and the frozen program all start here."""

from __future__ import annotations

import multiprocessing
import sys


def main() -> int:
    """Run the command line and return its exit status."""
    # Before any import that costs time: in a frozen program a child process starts here too, and goes no further.
    multiprocessing.freeze_support()
    try:
        words = sys.argv[1:]
        from lstm_studio.desktop import names_files, start

        if names_files(words):
            return start(words)
        from lstm_studio.cli import run

        return run(words)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
