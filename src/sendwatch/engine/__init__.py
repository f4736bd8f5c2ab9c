"""The live worker: Kafka, disk and clock around the pure core.

Belongs here: everything that touches a broker, a file or the time. Not here: any decision about a send; those are
`facts.py`, `rules/` and `judge.py`, and this only carries records to them and their answers back.
"""
