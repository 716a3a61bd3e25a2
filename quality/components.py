"""Connected components: what must stay together because it shares something."""

from collections.abc import Iterable


def components(count: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """Number the components of the nodes ``0..count-1``.

    Args:
        count: nodes.
        edges: pairs of nodes that belong together.

    Returns:
        For each node the smallest node of its component.
    """
    parent = list(range(count))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for one, other in edges:
        a, b = root(one), root(other)
        if a != b:
            parent[max(a, b)] = min(a, b)
    return [root(node) for node in range(count)]
