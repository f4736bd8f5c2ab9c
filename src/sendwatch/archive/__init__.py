"""The archive: what was found, kept as Parquet by day for as long as the law wants it, whatever topics forget.

Belongs here: which columns there are, hiding recipients, files by day, retention, erasure. Not here: reports of it
(`report/`).

    tables    the columns of each kind, and rows of them from records
    rows      rows from the topics, from an offset of each partition on
    keys      one key per recipient; who is erased loses his
    store     the files: a day taken in twice is the same day, a run that was cut off is taken up again

    FOLDER/flags/day=2026-11-11/flags.parquet     FOLDER/positions.json     FOLDER/owners.parquet

A day is that of the send, of the breach's opening, of the decision, in UTC+8. Rows are the records as published, all
revisions: the last row of a key, by partition and offset, is what holds. Any tool reads them:

    duckdb -c "select rule, count(*) from 'archive/flags/*/*.parquet' group by rule"
"""
