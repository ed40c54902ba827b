"""Does one step with a folder, and says how long it took and how much memory there was at most:
all of it, and that which no file stands for, as often as it was looked at.
"""

import json
import os
import re
import resource
import sys
import threading
import time

from hitsave import DirectorySnapshot

step, name = sys.argv[1:]


def read(folder):
    for parent, _, names in os.walk(folder):
        for each in names:
            with open(os.path.join(parent, each), "rb", buffering=0) as file:
                while file.read(1 << 20):
                    pass


most_of_its_own = 0
is_to_end = threading.Event()


def watch():
    global most_of_its_own
    while not is_to_end.wait(0.02):
        with open("/proc/self/status") as file:
            found = re.search(r"RssAnon:\s*(\d+) kB", file.read())
        most_of_its_own = max(most_of_its_own, int(found[1]) * 1024)


watcher = threading.Thread(target=watch)
watcher.start()
start = time.perf_counter()
if step == "read":
    read(name)
elif step in ("cold", "unchanged"):
    DirectorySnapshot.snap(name)
else:
    # As it was taken; taking it again is in the figure.
    DirectorySnapshot.snap(name).restore_at("out", "copy")
took = time.perf_counter() - start
is_to_end.set()
watcher.join()
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps([took, most, most_of_its_own]))
