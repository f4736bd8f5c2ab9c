"""The process that adds up what all workers write to the ledger, and publishes breaches.

Belongs here: following the ledger, storing the sums, telling them. Not here: the sums and limits (`windows/`).

    aggregator    who adds up, and when what is stored and published; ledger_fold: the fold itself, on disk
    roller        where that is too much for one: rolls up some partitions; rollups: which of its records count
    rollup_fold   the fold of those, in place of the ledger
"""
