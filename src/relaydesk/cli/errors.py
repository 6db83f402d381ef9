"""Which errors are the user's to mend, told by their class names so that nothing heavy is imported."""

from __future__ import annotations

# Errors that carry a finished sentence, and the exit code each means. Looked up by class name along the
# exception's bases: importing the classes here would load the database for every `--help`.
_EXITS = {
    "SettingsError": 2,
    "AllowlistError": 2,
    "RulesError": 2,
    "CalendarError": 2,
    "ZoneError": 2,
    "FileError": 2,
    "ListenError": 2,
    "PrivilegeError": 2,
    "MissingDataError": 2,
    "CaseError": 2,
    "GatewayRulesError": 2,
    "UnknownQueue": 2,
    "AnswerRefused": 1,
    "DeskError": 1,
    "StoreError": 1,
    "StoreUnavailable": 1,
    "SendTestError": 1,
    "SetupError": 2,
}


def sentence_of(error: BaseException) -> tuple[str, int] | None:
    """The sentence to show and the exit code, or None when the error is a bug of ours."""
    for kind in type(error).__mro__:
        if kind.__name__ in _EXITS:
            return str(error), _EXITS[kind.__name__]
    if isinstance(error, (PermissionError, FileNotFoundError, IsADirectoryError)) and error.filename:
        return f"{error.filename}: {error.strerror}.", 2
    return None
