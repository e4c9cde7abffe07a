"""Something a person must change first; the text says what."""


class Stop(Exception):
    """Ends a command with this sentence."""
