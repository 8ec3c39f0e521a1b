"""The one kind of error that is the user's to mend."""


class UserError(ValueError):
    """What was asked for cannot be done; the message says what would be right. The command line exits with 2."""
