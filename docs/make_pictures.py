"""Makes the pictures of the README and the user guide again, from the program itself: ``make docs-pictures``.

The first sample is stored and trained, so the pictures change only when the program or its samples do.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from lstm_studio.networks.signals import Labels
from lstm_studio.ui.render import render_view

FOLDER = Path(__file__).parent / "pictures"


def main() -> None:
    """Write every picture."""
    FOLDER.mkdir(exist_ok=True)
    render_view(FOLDER / "explore-light.png", theme="light")
    render_view(FOLDER / "explore-dark.png", theme="dark", labels=Labels.CLASSROOM, step=28)
    render_view(FOLDER / "explore-small.png", size=(1366, 768), step=28)


if __name__ == "__main__":
    main()
