"""A simulated carrier in the week of 双11: seeded traffic with planted violations, and the truth about it.

Belongs here: what the simulated world consists of, what is wrong in it on purpose and what must follow. Not
here: any judging. The truth is written down where a thing is planted, never found by reading records again.
"""

from sendwatch.simulate.canary import Canary
from sendwatch.simulate.story import START_AT, Story
from sendwatch.simulate.truth import Message, Refused, Truth, compare

__all__ = ["START_AT", "Canary", "Message", "Refused", "Story", "Truth", "compare"]
