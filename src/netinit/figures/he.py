"""The pictures of chapter 6, He initialization."""
