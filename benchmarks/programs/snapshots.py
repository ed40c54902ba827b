"""Does one step with a folder, and says how long it took and how much memory there was at most."""

import json
import os
import resource
import sys
import time

from hitsave import DirectorySnapshot

step, name = sys.argv[1:]


def read(folder):
    for parent, _, names in os.walk(folder):
        for each in names:
            with open(os.path.join(parent, each), "rb", buffering=0) as file:
                while file.read(1 << 20):
                    pass


start = time.perf_counter()
if step == "read":
    read(name)
elif step in ("cold", "unchanged"):
    DirectorySnapshot.snap(name)
else:
    # As it was taken; taking it again is in the figure.
    DirectorySnapshot.snap(name).restore_at("out", "copy")
took = time.perf_counter() - start
print(json.dumps([took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]))
