"""What other tools log of a training, read as runs are: TensorBoard's event files, and tables of metrics."""
