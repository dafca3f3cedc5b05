"""The pictures of chapter 12, choosing an initializer."""
