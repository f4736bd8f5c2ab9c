"""What many sends together amount to: sums over sliding windows, breaches, trends, drift, readiness.

Belongs here: the pure arithmetic on sums that ledger records carry, and the joining that makes those sums. Not here:
reading the ledger topic and publishing (`aggregator/aggregator.py`); what one send breaks (`rules/`).

    sums         what a ledger record carries for the windows, beside its tallies
    joins        makes them, of a batch; `aftermath` is what it keeps of a recipient, `complaints` whom one is about
    rollup       sums of many records, made elsewhere: one fold of it is a fold of them
    lines        counts by bucket of time, sparse; tables of them by subject, bounded
    board        one fold over ledger records: the tables, and which breaches are open
    b3 … b6      the windowed rules, one file each
    vane, drift, readiness, top    questions that may be asked of the tables
"""
