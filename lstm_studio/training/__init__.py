"""Training networks on tasks and sequences."""
