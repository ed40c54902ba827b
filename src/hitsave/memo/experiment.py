"""Experiments: the context in which a result came to be.

Owns what an experiment keeps beyond a memo: host, Python, and the state of the Git checkout.
"""

import os
import sys


def run_context(root: str) -> dict[str, object]:
    """Return host, user's command, Python's version, and the Git commit with its dirty flag."""
    import platform  # at the first experiment recorded: it costs several milliseconds

    context: dict[str, object] = {
        "host": platform.node(),
        "python": platform.python_version(),
        "command": " ".join(sys.argv),
        "folder": root,
    }
    commit = _git(root, "rev-parse", "HEAD")
    if commit:
        context["commit"] = commit
        context["dirty"] = bool(_git(root, "status", "--porcelain", "--untracked-files=no"))
    return context


def _git(root: str, *words: str) -> str:
    """Return what Git prints; empty where there is no Git or no repository."""
    import subprocess  # see above

    try:
        done = subprocess.run(
            ["git", *words],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
