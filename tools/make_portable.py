"""Write the portable form of every notebook to `_build/portable/`: `python tools/make_portable.py`, or `make portable`.

The stated minutes count what a page shows, so the pages are read with the outputs that `make book` has kept;
a notebook that has none is executed first.
"""
