"""What can stop the hub from starting; each is one sentence that says the way out."""


class CannotStart(Exception):
    """The hub can't start on this machine as things are; the message is meant for the person at the terminal."""
