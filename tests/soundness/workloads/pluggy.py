import pluggy

spec, impl = pluggy.HookspecMarker("p"), pluggy.HookimplMarker("p")


class Spec:
    @spec
    def go(self, x, y):
        """all"""

    @spec(firstresult=True)
    def first(self, x):
        """one"""

    @spec(historic=True)
    def past(self, name):
        """later too"""


class One:
    @impl
    def go(self, x):
        return x + 1

    @impl(tryfirst=True)
    def first(self, x):
        return x if x > 2 else None


class Two:
    @impl(wrapper=True)
    def go(self, x, y):
        found = yield
        return [*found, "wrapped", x, y]

    @impl(trylast=True)
    def first(self, x):
        return f"last {x}"

    @impl
    def past(self, name):
        SEEN.append(name)


SEEN = []


def run(case):
    SEEN.clear()
    pm = pluggy.PluginManager("p")
    pm.add_hookspecs(Spec)
    pm.hook.past.call_historic(kwargs={"name": f"n{case}"})
    pm.register(One(), "one")
    two = Two()
    pm.register(two)
    calls = []
    undo = pm.add_hookcall_monitoring(
        lambda *before: calls.append(before[0]), lambda *after: calls.append(len(after))
    )
    found = [pm.hook.go(x=case, y=2), pm.hook.first(x=1), pm.hook.first(x=3), SEEN[:]]
    undo()
    found += [
        calls,
        pm.has_plugin("one"),
        sorted(n for n, _ in pm.list_name_plugin() if n == "one"),
    ]
    pm.unregister(two)
    found += [pm.hook.go(x=1, y=1), pm.subset_hook_caller("go", [pm.get_plugin("one")])(x=1, y=1)]
    try:
        pm.register(One(), "one")
    except ValueError as error:
        found.append(type(error).__name__)
    return str(found)
