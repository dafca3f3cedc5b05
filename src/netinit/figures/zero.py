"""The pictures of chapter 3, zero and constant initialization."""
