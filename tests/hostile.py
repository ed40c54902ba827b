"""What does not behave, for the tests of several rooms."""


class Hostile(type):
    """A metaclass whose classes have no hash, and cannot be compared."""

    def __hash__(cls) -> int:
        raise RuntimeError("no class of mine has a hash")

    def __eq__(cls, other: object) -> bool:
        raise RuntimeError("nor is it equal to another")
