import mytools


@mytools.singledispatch
def show(value):
    return f"object {value}"


@show.register
def show_number(value: int):
    return f"int {value}"


@show.register(list)
def show_list(value):
    return [show(item) for item in value]


@mytools.lru_cache(maxsize=30)
def power(base, exponent=2):
    return base**exponent


@mytools.total_ordering
class Size:
    def __init__(self, n):
        self.n = n

    def __eq__(self, other):
        return self.n == other.n

    def __hash__(self):
        return self.n

    def __lt__(self, other):
        return self.n < other.n

    @mytools.cached_property
    def double(self):
        return self.n * 2


def counted():
    # A cache of its own for each call: what others left in it must not show.
    doubled = mytools.lru_cache(maxsize=2)(lambda x: x * 2)
    return [doubled(x) for x in (1, 2, 1, 3, 1)], doubled.cache_info()


def run(case):
    shown = [show([1, "a", [2.5, True]]), power(3), power(3), counted()]
    shown += [Size(1) >= Size(2), Size(case).double, mytools.partial(power, exponent=3)(2)]
    if case:
        ordered = sorted([3, 1, 2], key=mytools.cmp_to_key(lambda a, b: b - a))
        shown += [ordered, mytools.reduce(lambda a, b: a * b, [1, 2, 3], 4)]
    return repr(shown)
