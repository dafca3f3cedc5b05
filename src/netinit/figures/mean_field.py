"""The pictures of chapter 14, mean-field theory."""
