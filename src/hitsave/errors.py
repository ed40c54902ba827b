"""Errors: one root, each with a sentence and a hint.

Owns every exception that hitsave raises on purpose. Refuses to wrap exceptions of the user's own
code: those pass through unchanged.
"""


class HitsaveError(Exception):
    """The root of every error of hitsave's own.

    `message` is one clear sentence; `hint` says what to do about it, or is empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class OptionError(HitsaveError, TypeError):
    """An option of `@memo` or `@experiment` cannot be accepted; raised at decoration."""


class SettingError(HitsaveError, ValueError):
    """A setting has an unknown name or an unusable value."""


class TargetError(HitsaveError, LookupError):
    """A script, module, symbol or call was asked for that does not exist."""


class MissError(HitsaveError, LookupError):
    """A result was required (mode `require`, or `peek`) and none is recorded."""


class NotDigestibleError(HitsaveError, TypeError):
    """A value has no deterministic digest. `path` says where in the value, as Python source."""

    def __init__(self, message: str, hint: str = "", path: str = "") -> None:
        super().__init__(message, hint)
        self.path = path


class NotEncodableError(HitsaveError, TypeError):
    """A result has no encoding. `path` says where in the value, as Python source."""

    def __init__(self, message: str, hint: str = "", path: str = "") -> None:
        super().__init__(message, hint)
        self.path = path


class UnkeyedError(HitsaveError, TypeError):
    """A call has no key to be recorded under, since an argument has no digest."""


class DamagedError(HitsaveError, ValueError):
    """Stored bytes are not what was written, or not of a format that this version reads."""


class OtherSchemaError(DamagedError):
    """Stored bytes were written by another version of hitsave, and are none of this one's."""


class UnknownCodecError(DamagedError):
    """A stored result goes by a codec that this program has not registered."""

    def __init__(self, name: str, version: int) -> None:
        super().__init__(
            f"A stored result goes by version {version} of the codec {name!r}, which is not "
            "registered.",
            "Call hitsave.register_codec before; until then it is computed again.",
        )
        self.codec = f"{name}.{version}"


class StoreUnavailableError(HitsaveError, OSError):
    """The store cannot be used: unwritable, foreign, of an unknown format, or on a full disk."""


class SnapshotError(HitsaveError, OSError):
    """A file or folder cannot be snapped or restored, or a snapshot cannot be found."""


class SourceError(HitsaveError, ValueError):
    """A module's source cannot be read or parsed; its dependents are widened to its bytes."""


class HitsaveWarning(UserWarning):
    """The category of every warning of hitsave's own."""
