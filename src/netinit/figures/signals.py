"""The pictures of chapter 1, why initialization decides."""
