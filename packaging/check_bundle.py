"""Measure a built bundle and let it test itself: ``python packaging/check_bundle.py dist/lstm-studio``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory


def main(folder: Path) -> int:
    """Print the size of the bundle, run its self-test and return the self-test's exit status."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size for path in files)
    print(f"{folder}: {size / 1e6:,.0f} MB in {len(files):,} files")
    program = folder / ("lstm-studio.exe" if sys.platform == "win32" else "lstm-studio")
    # Anywhere but in the checkout, whose files the program must not need.
    with TemporaryDirectory() as elsewhere:
        return subprocess.run([program.absolute(), "self-test"], cwd=elsewhere, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
