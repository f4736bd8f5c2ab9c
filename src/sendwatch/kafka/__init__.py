"""Talking to Kafka, for whoever must: connecting, creating topics, reading a stretch of one, who is in a group.

Not here: what the records mean.
"""
