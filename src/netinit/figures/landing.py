"""The pictures of the landing page."""
