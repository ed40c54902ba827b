"""The command line: one file a command group.

Owns the choice of the command, what a failure looks like (one sentence and a hint on stderr) and
the exit codes: 0 ok, 1 failed or not found, 2 usage, 4 what `verify` finds, 130 interrupted; `run`
passes the program's own through. Refuses to answer anything itself: `queries` does, and `render`
puts it into words.
"""

import sys
from typing import Any

from hitsave.cli.run import run
from hitsave.cli.usage import UsageError
from hitsave.errors import HitsaveError

FAILED, USAGE, INTERRUPTED = 1, 2, 130


def main() -> Any:
    """Run the command that `sys.argv` asks for. Returns what to call `sys.exit` with."""
    try:
        return _dispatch(sys.argv[1:])
    except HitsaveError as error:
        print(f"hitsave: {error}", file=sys.stderr)
        return USAGE if isinstance(error, UsageError) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _dispatch(words: list[str]) -> Any:
    if words[:1] == ["run"] and not asks_for_help(words[1:]):
        return run(words[1:])
    # Not at the top: a program under `hitsave run` must not find these loaded, nor wait for them.
    from hitsave.cli.commands import dispatch

    return dispatch(words)


def asks_for_help(words: list[str]) -> bool:
    """Whether `run` is asked for its help; what follows the program is the program's."""
    return words[:1] in (["-h"], ["--help"])
