"""The pictures of chapter 15, modern recipes."""
