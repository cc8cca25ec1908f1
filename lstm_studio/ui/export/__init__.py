"""What leaves the window: pictures, playbacks and reports."""
