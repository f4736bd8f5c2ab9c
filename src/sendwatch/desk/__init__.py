"""The desk: a page and an API for the people who answer for the sends, beside the process that adds up the ledger.

    server.py        what runs: the listener, and what it follows (following.py)
    routes.py        every path: parameters, answer, least role, who does it; openapi.py tells of the same table
    ask.py, say*.py  what comes in, and the answers that go out
    gate.py          who asks (access.py: roles, hashed tokens) and how often (pace.py); what is refused, and how
    at_hand.py       what is kept in memory: flags (flags.py), breaches, what people decided (dispositions.py)
    archived.py      a flag that is no longer at hand
    reading.py       the answers to those who look; acting.py: to those who decide, check, log in
    counted.py       the aggregator's board as answers; named.py, provinces.py: what ids are called
    stream.py        what is pushed to the pages that are open
    check.py         a campaign before it is sent; workers.py: who knows its recipients; offline.py: asked of the topics
    page/            the page itself: files as they are served

Nothing here judges: the judge is the live one, and what is counted is the aggregator's.
"""
