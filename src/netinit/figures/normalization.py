"""The pictures of chapter 10, normalization."""
