"""The Explore workspace: step networks through a sequence and see what happens inside."""
