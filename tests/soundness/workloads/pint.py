import pint

U = pint.UnitRegistry(cache_folder=None)
U.define("smoot = 1.7 * meter = smt")


def run(case):
    found = []
    speed = U.Quantity(3 + case, "km/hour")
    found.append(speed.to("m/s").magnitude)
    found.append(str((speed * U.Quantity(2, "hour")).to_base_units()))
    found.append(f"{U.Quantity(5, 'smoot').to('cm'):.3f~P}")
    found.append(str(U.parse_expression("3 newton * 2 meter").to("joule")))
    found.append(str(U.Quantity(20 + case, "degC").to("degF")))
    for bad in ("meter + second", "furlongs_per"):
        try:
            found.append(str(U.parse_expression(bad)))
        except Exception as error:
            found.append(f"{type(error).__name__}: {error}")
    with U.context("spectroscopy"):
        found.append(round(U.Quantity(500 + case, "nm").to("THz").magnitude, 6))
    found.append(str(U.Quantity(1, "kg*m/s**2").dimensionality))
    return str(found)
