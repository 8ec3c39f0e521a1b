"""Property tests take no account of time: the first example of one may compile a step."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
