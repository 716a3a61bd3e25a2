"""Planning: partitions, limits and keys that stand twice."""

from collections.abc import Iterator

from flows.plan import _write_partitions, limited, read_items
from readers.base import Item, Refusal
from schemas.identity import case_order


def _items(*keys: str) -> Iterator[Item | Refusal]:
    return iter([Item(key, {"n": index}) for index, key in enumerate(keys)])


def test_partitions_hold_every_item_in_order(tmp_path) -> None:
    listing = [Item("ä b", {"x": 1}), Refusal("r", "broken_line", "r: broken"), Item("c")]
    parts = _write_partitions(listing, tmp_path, 2)
    assert [part["cases"] for part in parts] == [2, 1]
    assert [item for part in parts for item in read_items(tmp_path / part["file"])] == listing


def test_a_key_that_stands_twice_is_refused_the_second_time() -> None:
    first, second, third = limited(_items("a", "b", "a"), "d", None)
    assert (first.key, second.key) == ("a", "b")
    assert isinstance(third, Refusal)
    assert third.code == "repeated_key"
    assert third.key not in {"a", "b"}


def test_a_limit_takes_the_first_by_hash_whatever_the_listing_order() -> None:
    keys = [f"case-{n}" for n in range(50)]
    wanted = sorted(keys, key=lambda key: case_order("d", key))[:7]
    for order in (keys, keys[::-1]):
        assert [item.key for item in limited(_items(*order), "d", 7)] == wanted


def test_item_data_survives_json_unchanged(tmp_path) -> None:
    data = {"path": "片子/ü.jpg", "row": {"a": None, "b": 1.5}, "list": ["x", 2]}
    (part,) = _write_partitions([Item("k", data)], tmp_path, 10)
    (item,) = read_items(tmp_path / part["file"])
    assert isinstance(item, Item)
    assert item.data == data
