"""The one error type that is meant for the person at the keyboard."""


class UserError(Exception):
    """A mistake that the user can fix: says what was seen, what is allowed, and what to do.

    The command line shows its text without a traceback.
    """
