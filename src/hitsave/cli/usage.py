"""Usage errors: the command line itself cannot be understood."""

from hitsave.errors import HitsaveError


class UsageError(HitsaveError):
    """The words on the command line do not make a command. The exit code is 2."""
