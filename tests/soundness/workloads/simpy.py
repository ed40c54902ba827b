import simpy


def run(case):
    told = []
    env = simpy.Environment()
    pump = simpy.PriorityResource(env, capacity=1)
    tank = simpy.Container(env, 50, init=20)
    belt = simpy.FilterStore(env)

    def car(name, wait, first):
        yield env.timeout(wait)
        with pump.request(priority=first) as turn:
            got = yield turn | env.timeout(4)
            if turn not in got:
                told.append((env.now, name, "left"))
                return
            yield tank.get(9 + case)
            yield env.timeout(3)
        told.append((env.now, name, "full", tank.level))
        yield belt.put((name, env.now))

    def lorry():
        while True:
            try:
                yield env.timeout(6)
                yield tank.put(15)
            except simpy.Interrupt as stopped:
                told.append((env.now, "stopped", stopped.cause))
                return

    def guard(process):
        yield env.timeout(20)
        process.interrupt("late")
        found = yield belt.get(lambda item: item[0] == "b")
        told.append((env.now, found))

    for number, name in enumerate("abcd"):
        env.process(car(name, number, -number))
    env.process(guard(env.process(lorry())))
    env.run(until=40 + case)
    return str(told)
