"""Units: numbers of bytes, shares and things, as people write and read them, and seconds."""

DAY = 24 * 3600.0
"""Seconds in a day."""

_UNITS = ("B", "kB", "MB", "GB", "TB")
_FACTORS = {
    **{unit[0].lower() * bool(step) + "b": 1000**step for step, unit in enumerate(_UNITS)},
    **{unit[0].lower() + "ib": 1024**step for step, unit in enumerate(_UNITS) if step},
    **{unit[0].lower() * bool(step): 1000**step for step, unit in enumerate(_UNITS)},
}

_TOO_MUCH = float("inf")  # what too many digits come to


def size_text(size: int) -> str:
    """Return a number of bytes in the unit that suits it."""
    amount, units = float(size), list(_UNITS)
    while amount >= 999.5 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    return f"{size} B" if units[0] == "B" else f"{amount:.1f} {units[0]}"


def read_size(value: object) -> int:
    """Return the number of bytes that a number, or a text such as "20 GB" or "512 MiB", says.

    Raises ValueError for anything else, and for less than one byte.
    """
    text = "" if isinstance(value, bool) else str(value).strip().lower()
    unit = text.lstrip("0123456789.")
    amount, factor = text[: len(text) - len(unit)], _FACTORS.get(unit.strip())
    if factor is None or not amount.replace(".", "", 1).isdecimal():
        raise ValueError("a size, such as 20 GB")
    size = float(amount) * factor
    if not 1 <= size < _TOO_MUCH:
        raise ValueError("a size above 0, such as 20 GB")
    return int(size)


def read_share(value: object) -> float:
    """Return the share, from 0 to 1, that a number, or a text such as "1%" or "0.01", says.

    Raises ValueError for anything else.
    """
    text = "" if isinstance(value, bool) else str(value).strip()
    digits = text.removesuffix("%").rstrip()
    if not (digits.isascii() and digits.replace(".", "", 1).isdecimal()):
        raise ValueError("a share, such as 1%")
    share = float(digits) / (100 if text.endswith("%") else 1)
    if not 0 < share <= 1:
        raise ValueError("a share above 0 and up to 100%")
    return share


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it has to be."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
