"""How rendered requests join the batch of the offline worker."""

import asyncio

from synthesis.vllm_worker import SHARE, Groups


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def test_on_a_cpu_they_join_when_a_fourth_of_those_under_way_is_ready():
    async def run() -> None:
        groups = Groups(shared_cores=True)
        for _ in range(2 * SHARE):
            groups.enter()
        first = asyncio.create_task(groups.join())
        await settle()
        assert not first.done()
        second = asyncio.create_task(groups.join())
        await settle()
        assert first.done() and second.done()
        third = asyncio.create_task(groups.join())
        await settle()
        assert not third.done()
        for _ in range(SHARE):
            groups.leave()
        await settle()
        assert third.done()

    asyncio.run(run())


def test_the_one_that_fills_a_group_does_not_overtake_the_others():
    async def run() -> None:
        groups = Groups(shared_cores=True)
        order: list[int] = []

        async def one(number: int) -> None:
            await groups.join()
            order.append(number)

        for _ in range(4 * SHARE):
            groups.enter()
        tasks = [asyncio.create_task(one(number)) for number in range(8)]
        await asyncio.gather(*tasks)
        assert order == list(range(8))

    asyncio.run(run())


def test_one_that_is_given_up_holds_up_nobody():
    async def run() -> None:
        groups = Groups(shared_cores=True)
        for _ in range(SHARE + 1):
            groups.enter()
        gone, stays = asyncio.create_task(groups.join()), None
        await settle()
        gone.cancel()
        await settle()
        groups.leave()
        stays = asyncio.create_task(groups.join())
        await settle()
        assert stays.done()

    asyncio.run(run())


def test_on_a_gpu_each_joins_at_once():
    async def run() -> None:
        groups = Groups(shared_cores=False)
        for _ in range(100):
            groups.enter()
        await asyncio.wait_for(groups.join(), 1)

    asyncio.run(run())
