"""The process that adds up what all workers write to the ledger, and publishes breaches.

Belongs here: following the ledger, storing the sums, telling them. Not here: the sums and limits (`windows/`).
"""
