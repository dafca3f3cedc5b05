"""The pictures of chapter 5, Xavier initialization."""
