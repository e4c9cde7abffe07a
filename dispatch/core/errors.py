"""What can go wrong with a wish, as few errors with stable codes."""

from __future__ import annotations


class SigapError(Exception):
    """A refused wish.

    `code` is stable and machine readable; `fields` fill the sentence a person reads, whose
    text in each language belongs to the screens.
    """

    code = "refused"

    def __init__(self, detail: str, /, **fields: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = fields


class NotFound(SigapError):
    """Nothing has this id in this city."""

    code = "not_found"


class Forbidden(SigapError):
    """The actor may not do or see this."""

    code = "forbidden"


class WrongStatus(SigapError):
    """The thing is not in a status that allows this; nothing was changed."""

    code = "wrong_status"


class Invalid(SigapError):
    """The wish is malformed or breaks a rule; `fields["field"]` names the culprit."""

    code = "invalid"


class Conflict(SigapError):
    """Somebody else was first: the crew is taken, or the row moved on."""

    code = "conflict"


class TooLate(SigapError):
    """The time in which this was possible is over."""

    code = "too_late"


class BadPolicy(SigapError):
    """The city's policy file holds a value that cannot be used."""

    code = "bad_policy"
