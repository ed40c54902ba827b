from multipledispatch import dispatch
from multipledispatch.dispatcher import Dispatcher


class Animal:
    name = "animal"


class Cat(Animal):
    name = "cat"


@dispatch(int, int)
def add(x, y):
    return x + y


@dispatch(str, object)
def add(x, y):  # noqa: F811
    return f"{x}{y}"


@dispatch(Animal, Animal)
def add(x, y):  # noqa: F811
    return ("animals", x.name, y.name)


@dispatch(Animal, Cat)
def add(x, y):  # noqa: F811
    return ("cat", x.name, y.name)


several = Dispatcher("several")


@several.register((int, float))
def several_numbers(x):
    return x * 2


@several.register([object])
def several_objects(*xs):
    return len(xs)


def run(case):
    shown = [add(1, case), add("a", 2), add(Animal(), Cat()), add(Cat(), Animal())]
    if case:
        shown += [several(1.5), several("a", "b"), str(add.ordering), several.__doc__]
    try:
        add([], [])
    except NotImplementedError as error:
        shown.append(str(error))
    return repr(shown)
