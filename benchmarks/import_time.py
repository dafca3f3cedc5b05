"""What `import netinit` costs over `import numpy`, each in a new interpreter, compiled once beforehand."""

import os
import subprocess
import sys

from benchmarks.timing import race

BOUND = 0.050  # seconds


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
    extra = seconds["import netinit"] - seconds["import numpy"]
    print(
        f"import netinit: {1e3 * extra:.0f} ms over import numpy "
        f"(at most {1e3 * BOUND:.0f}: {'met' if extra <= BOUND else 'MISSED'})"
    )
