import more_itertools
import toolz
from toolz import curried


def run(case):
    numbers = list(range(30 + case))
    squares = curried.map(lambda x: x * x)
    odd = curried.filter(lambda x: x % 2)
    return repr(
        [
            list(more_itertools.chunked(numbers, 7)),
            list(more_itertools.windowed(numbers[:9], 3)),
            [list(part) for part in more_itertools.divide(3, numbers)],
            list(more_itertools.set_partitions([1, 2, 3], 2)),
            list(more_itertools.split_at(numbers[:9], lambda x: x % 4 == 0)),
            more_itertools.peekable(numbers).peek(),
            more_itertools.bucket(numbers, key=lambda x: x % 3)[1].__class__.__name__,
            toolz.groupby(lambda x: x % 3, numbers),
            toolz.pipe(numbers, squares, odd, list),
            toolz.merge_with(sum, {"a": 1}, {"a": 2, "b": 3}),
            toolz.get_in(["a", 0], {"a": [5]}),
            toolz.frequencies("banana"),
            toolz.compose(str, abs)(-case),
            toolz.memoize(lambda x: x + 1)(case),
        ]
    )
