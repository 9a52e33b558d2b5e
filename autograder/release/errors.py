"""What a build raises when it declines."""

from autograder.course import Refusal


class ReleaseError(Refusal):
    """A release that must not be written; the text says what and where, for people."""
