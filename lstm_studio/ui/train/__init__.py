"""The Train workspace: networks that learn before one's eyes, and what becomes of their gradients."""
