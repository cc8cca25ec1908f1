"""Find similar: a pattern of units that are on through a marked stretch, and the stretches that are like it."""
