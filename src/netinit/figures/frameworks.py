"""The pictures of chapter 16, PyTorch, JAX and Keras."""
