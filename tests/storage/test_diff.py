from storage.diff import diff
from storage.release import publish

from .conftest import blob, picture, row, simple_case, staged


def published(factory, cases, name, version, recipe=None, **options):
    folder, manifest = factory.release(cases, name, **options)
    manifest.version = version
    manifest.recipe |= recipe or {}
    return publish(folder, factory.base / "store", manifest)


def test_release_is_equal_to_itself(factory):
    address = published(factory, [simple_case(n) for n in range(1, 11)], "a", "1")
    found = diff(address, address)
    assert found.equal and found.same == 20 and found.columns == {}


def test_other_sharding_is_no_difference_of_rows(factory):
    cases = [simple_case(n) for n in range(1, 21)]
    a = published(factory, cases, "a", "1", shard_rows=40)
    b = published(factory, cases, "b", "2", shard_rows=6)
    found = diff(a, b)
    assert (found.equal, found.same, found.old, found.new) == (True, 40, "cells@1", "cells@2")


def test_rows_added_removed_and_changed_are_counted_and_named(factory):
    old = [simple_case(n) for n in range(1, 6)]
    new = [simple_case(n) for n in range(2, 5)]  # c1 and c5 are gone
    new.append(staged("c9", [blob(picture(9))], [row("c9", 0, task="mcq")]))  # and c9 is new
    new[0].rows[0]["answer"] = "another"  # c2, first row: its answer
    new[1] = staged("c3", [blob(picture(99))], new[1].rows)  # c3, both rows: their picture
    found = diff(
        published(factory, old, "a", "1", {"seed": 0, "gates": {"lengths": {"max": 9}}}),
        published(factory, new, "b", "2", {"seed": 1, "gates": {}}),
    )
    assert found.same == 3  # c2's second row and both of c4
    assert (found.added, found.removed, found.changed) == ({"cells/mcq": 1}, {"cells/open": 4}, {"cells/open": 3})
    assert found.columns == {"answer": 1, "images": 2}
    assert found.examples["changed"] == sorted([new[0].rows[0]["id"], *(r["id"] for r in new[1].rows)])
    assert found.recipe == {"seed": [0, 1], "gates/lengths": [{"max": 9}, None]}
    assert found.totals == {"case/kept": [5, 4], "row/kept": [10, 7]}
    assert not found.equal and found.to_json()["specs"] == {}
