"""All timings, one after the other."""

import subprocess
import sys

from benchmarks import fixup_layers, import_time, initializer_speed, lsuv_depth, training_step

for benchmark in (training_step, fixup_layers, lsuv_depth, initializer_speed, import_time):
    benchmark.main()
    print()
print("Fixup, 10,000 blocks", flush=True)
subprocess.run([sys.executable, "-m", "benchmarks.fixup_10000"], check=True)  # its own peak of memory
