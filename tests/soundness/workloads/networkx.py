import networkx as nx


def run(case):
    graph = nx.karate_club_graph() if case else nx.path_graph(6)
    ring = nx.cycle_graph(5 + case)
    tree = nx.minimum_spanning_tree(ring)
    return repr(
        [
            nx.closeness_centrality(graph),
            nx.shortest_path(graph, 0, 5),
            sorted(map(sorted, nx.connected_components(ring))),
            sorted(tree.edges),
            nx.is_bipartite(ring),
            dict(nx.degree(graph)),
            nx.clustering(graph),
        ]
    )
