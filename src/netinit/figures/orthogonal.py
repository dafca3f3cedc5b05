"""The pictures of chapter 7, orthogonal initialization."""
