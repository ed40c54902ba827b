"""The hook: what was executed for each project module, as it was when it was executed.

Owns the finder at the front of `sys.meta_path`, the loaders that it arms, and the ledger they
write to. Refuses to look into source (`code` does), and to change what an import does or shows:
everything but the ledger is as without it, with the one exception that `hook.loader` states.
"""

from hitsave.hook.install import install, installed
from hitsave.hook.ledger import ExecutedSource, Ledger

__all__ = ["ExecutedSource", "Ledger", "install", "installed"]
