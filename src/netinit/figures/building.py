"""The pictures of chapter 2, layers, blocks and models."""
