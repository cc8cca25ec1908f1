"""Runs as files for other programs: TensorBoard's event files, Parquet, and NumPy's archives."""
