"""Room for requests, and who is woken when some of it is free."""

import threading
import time

from synthesis.room import Room


def enter(room: Room) -> threading.Thread:
    thread = threading.Thread(target=room.enter)
    thread.start()
    return thread


def test_who_waits_goes_on_when_an_eighth_of_the_places_is_free():
    room = Room(32)
    for _ in range(32):
        room.enter()
    late = enter(room)
    for _ in range(3):
        room.leave()
    time.sleep(0.1)
    assert late.is_alive()
    room.leave()
    late.join(5)
    assert not late.is_alive()
    for _ in range(3):
        room.enter()


def test_all_who_wait_come_in_in_the_end():
    room = Room(16)
    for _ in range(16):
        room.enter()
    late = [enter(room) for _ in range(5)]
    for _ in range(16):
        room.leave()
    for thread in late:
        thread.join(5)
    assert not any(thread.is_alive() for thread in late)


def test_with_few_places_one_that_is_free_is_enough():
    room = Room(2)
    room.enter()
    room.enter()
    late = enter(room)
    room.leave()
    late.join(5)
    assert not late.is_alive()
