"""The pictures of chapter 9, LSUV."""
