"""What comes in: sequences, the readers of their files, and the scaling and encoding between file and network."""
