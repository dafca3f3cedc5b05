"""The pictures of chapter 13, the first five minutes."""
