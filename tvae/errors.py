"""The one error a user can cause."""


class TvaeError(ValueError):
    """Something a user can put right; its message is one sentence that says what to do."""
