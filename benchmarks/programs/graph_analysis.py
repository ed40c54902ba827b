"""Analyses two graphs with networkx, memoised or plain, and prints what that took."""

import json
import sys
import time

start = time.perf_counter()
import networkx as nx  # noqa: E402  (its import is measured)

if sys.argv[1] == "memo":
    from hitsave import memo
else:

    def memo(function):
        return function


loaded = time.perf_counter()


@memo
def analyse(size):
    karate = nx.karate_club_graph()
    random = nx.gnp_random_graph(size, 0.05, seed=1)
    return {
        "closeness": nx.closeness_centrality(random)[0],
        "betweenness": nx.betweenness_centrality(karate)[0],
        "distance": nx.shortest_path_length(karate, 0, 33),
        "clustering": nx.average_clustering(random),
    }


def timed():
    begun = time.perf_counter()
    analyse(120)
    return time.perf_counter() - begun


def main():
    call = timed()
    info = getattr(analyse, "cache_info", None)
    computed = info is None or info().misses > 0
    again = timed()
    print(json.dumps({"load": loaded - start, "call": call, "again": again, "computed": computed}))


if __name__ == "__main__":
    main()
