"""The live worker: Kafka and clock around the engine.

Belongs here: owning partitions, reading, committing, looking back, the pages of one process. Not here: what follows
from a batch (`engine/`), what many sends amount to (`aggregator/`).
"""
