"""Notes pinned to steps: where they are written, and the list of them."""
