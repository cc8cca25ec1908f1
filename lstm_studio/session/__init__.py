"""What is open now: evented and Qt-free."""
