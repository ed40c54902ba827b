import traitlets as t
from traitlets.config import Application, Config, Configurable


class Engine(Configurable):
    power = t.Int(3, help="how strong").tag(config=True)
    name = t.Unicode("e").tag(config=True)
    parts = t.List(t.Union([t.Int(), t.Unicode()])).tag(config=True)
    mode = t.CaselessStrEnum(["slow", "fast"], "slow").tag(config=True)
    total = t.Float()
    told = t.List()

    @t.default("total")
    def _total(self):
        return self.power * 1.5

    @t.validate("power")
    def _valid(self, proposal):
        if proposal.value < 0:
            raise t.TraitError("below zero")
        return min(proposal.value, 99)

    @t.observe("power", "name")
    def _seen(self, change):
        self.told = [*self.told, (change.name, change.old, change.new)]


class Car(Application):
    classes = t.List([Engine])
    aliases = t.Dict({"p": "Engine.power"})
    flags = t.Dict({"fast": ({"Engine": {"mode": "fast"}}, "go fast")})


def run(case):
    found = []
    app = Car()
    app.parse_command_line(["--p=7", "--fast", f"--Engine.parts={case}"])
    engine = Engine(parent=app, config=Config(app.config))
    found += [engine.power, engine.mode, engine.parts, engine.total]
    engine.power = 200
    engine.name = "x"
    other = Engine()
    t.link((engine, "name"), (other, "name"))
    engine.name = "y"
    found += [other.name, engine.told, sorted(engine.trait_names())]
    for name, value in (("power", -1), ("power", "a"), ("mode", "no"), ("parts", [1.5])):
        try:
            setattr(engine, name, value)
        except t.TraitError as error:
            found.append(str(error).split(" object")[0])
    found.append(Engine.class_get_help())
    return str(found)
