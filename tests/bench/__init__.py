"""How fast the hot path is on this machine: `make bench`. See README.md beside this.

Belongs here: traffic to measure with, a pinned Kafka, a pinned worker, the numbers. Not here: whether verdicts are
right (all other tests), although no number counts where the flags are not the expected ones.
"""
