"""The Monitor workspace: trainings that run anywhere, or have run."""
