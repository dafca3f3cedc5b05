"""What an author must mend before a notebook can be made portable."""


class Fault(ValueError):
    """One sentence; whoever knows the notebook and the cell puts their names before it."""
