"""The pictures of chapter 8, residual networks and Fixup."""
