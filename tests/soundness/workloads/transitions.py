from transitions import MachineError, State
from transitions.extensions import HierarchicalMachine
from transitions.extensions.factory import MachineFactory


class Matter:
    def __init__(self):
        self.told = []

    def is_hot(self, degrees=0):
        return degrees > 50

    def note(self, **_):
        self.told.append("before")

    def on_enter_gas(self, *arguments, **named):
        self.told.append(("gas", arguments, named))

    def on_exit_solid(self, *_, **__):
        self.told.append("no longer solid")


def run(case):
    matter = Matter()
    kind = MachineFactory.get_predefined(locked=bool(case))
    machine = kind(
        matter, [State("solid"), "liquid", "gas"], initial="solid", ordered_transitions=True
    )
    machine.add_transition(
        "heat", "solid", "liquid", before=lambda **_: matter.told.append("before")
    )
    machine.add_transition("heat", "liquid", "gas", conditions="is_hot")
    machine.add_transition("cool", "*", "=", unless=["is_hot"])
    seen = [matter.heat(), matter.heat(degrees=20), matter.heat(degrees=60), matter.cool()]
    try:
        matter.heat()
    except MachineError as error:
        seen.append(str(error))
    seen += [matter.next_state(), matter.state, machine.get_triggers("solid")]
    nested = {"name": "on", "children": ["idle", {"name": "busy", "children": ["slow"]}]}
    deep = HierarchicalMachine(states=["off", nested], initial="off")
    deep.add_transition("go", "off", "on_busy_slow")
    deep.add_transition("rest", "on_busy", "on_idle")
    deep.go()
    seen += [deep.state, deep.is_on(allow_substates=True), deep.rest(), deep.state]
    return f"{seen} {matter.told}"
