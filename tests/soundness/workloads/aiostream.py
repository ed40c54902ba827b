import asyncio

from aiostream import pipe, stream


async def work(case):
    squares = stream.range(8) | pipe.map(lambda x: x * x) | pipe.filter(lambda x: x % 3 != 2)
    shown = [await stream.list(squares), await (squares | pipe.accumulate() | pipe.skip(1))]
    zipped = stream.zip(stream.iterate("abc"), stream.count(case))
    async with zipped.stream() as streamer:
        shown += [item async for item in streamer]
    if case:
        shown.append(await stream.list(stream.range(7) | pipe.chunks(3) | pipe.enumerate(1)))
        shown.append(
            await (stream.chain(stream.just(1), stream.range(3)) | pipe.takelast(2) | pipe.list())
        )
    return shown


def run(case):
    return repr(asyncio.run(work(case)))
