"""What `import netinit` costs over `import numpy`, each in a new interpreter, compiled once beforehand."""

import os
import subprocess
import sys

from benchmarks.timing import at_most, race

BOUND = 50  # milliseconds


def main():
    """Print the line."""
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}  # numpy comes compiled, so netinit must be too
    calls = {
        statement: lambda statement=statement: subprocess.run(
            [sys.executable, "-c", statement], check=True, env=environment
        )
        for statement in ("import numpy", "import netinit")
    }
    seconds = race(calls, rounds=15)
    extra = 1e3 * (seconds["import netinit"] - seconds["import numpy"])
    print(f"import netinit: {extra:.0f} ms over import numpy {at_most(extra, BOUND)}")
