"""Measures the same work while it is observed and while it is not."""

import sys

from benchmarks.figures import Figure, say, side_by_side

from hitsave.observe import begin, watch

REPEAT = int(sys.argv[1])
ROOT = sys.argv[2]


def is_project(path):
    return path.startswith(ROOT)


def prime(number):
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))


def distance(left, right):
    return sum((a - b) ** 2 for a, b in zip(left, right, strict=True))


class Counter:
    def __init__(self):
        self.found = {}

    def add(self, word):
        self.found[word] = self.found.get(word, 0) + 1


def fibonacci(number):
    return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)


def work():
    """Calls of functions, methods, generators and lambdas, each with a little to do."""
    counter = Counter()
    for number in range(6000):
        counter.add(str(prime(number)))
        distance((number, 1, 2), (3, 4, number))
    fibonacci(18)
    return sorted(counter.found, key=lambda word: (len(word), word))


def tiny():
    return 1


def observed(call):
    def run():
        evaluation = begin(is_project)
        try:
            return call()
        finally:
            evaluation.end()

    return run


def measure():
    watch(is_project)
    ours, plain = side_by_side(observed(work), work, repeat=REPEAT)
    # On 3.11 every call and return is told, by the one means that there is.
    budget = 1.05 if sys.version_info >= (3, 12) else 0.0
    yield Figure("Python-heavy work under observation", ours, plain, "without, CPU", budget)
    ours, plain = side_by_side(observed(tiny), tiny, repeat=REPEAT)
    yield Figure("observing a call that does nothing", ours, plain, "without, CPU", kind="added")


if __name__ == "__main__":
    say(measure())
