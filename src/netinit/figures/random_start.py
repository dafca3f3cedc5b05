"""The pictures of chapter 4, random initialization."""
