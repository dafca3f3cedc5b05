"""All timings, one after the other; the 10,000-block run is a process of its own, for its peak of memory."""

from benchmarks import fixup_layers, import_time, initializer_speed, lsuv_depth, training_step

for benchmark in (training_step, fixup_layers, lsuv_depth, initializer_speed, import_time):
    benchmark.main()
    print()
