"""What is done to one partition: records in, an outcome out.

Belongs here: folding, judging and correcting a batch, and the store that its dossiers lie in. Not here: any decision
about a send (`facts.py`, `rules/`, `judge.py`), Kafka and the clock (`worker/`).
"""
