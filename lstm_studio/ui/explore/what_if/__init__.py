"""What if: forms that change something, and the list of what has been changed."""
