"""Plot items shared by the workspaces."""
