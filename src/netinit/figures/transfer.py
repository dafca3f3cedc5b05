"""The pictures of chapter 11, transfer."""
