"""What can be read from a text, and nothing else: pure, cached by shape.

    fold.py        widths, look-alikes, masks: what is read as one
    signature.py   names in brackets, at the head and at the tail
    wording.py     offers to refuse, refusals, requests for consent
    signs.py       words and fragments that speak for a class; words/ lists them
    classes.py     otp, service, marketing.retail, marketing.finance, or not sure
    reading.py     all of this at one look
    links.py       links, numbers, accounts; the fingerprint of a text
    table.py       precision and recall per class over a file of labelled texts
    train.py       makes words/weights.tsv from words/ and written/

Nothing here knows what is filed, what was consented to, or which rule asks.
"""

from sendwatch.text.fold import alike, fold_name, fold_word
from sendwatch.text.links import KINDS, fingerprint, links, may_lead
from sendwatch.text.reading import Reading, Shape, Shapes, read
from sendwatch.text.signature import body
from sendwatch.text.wording import asks, refusal

__all__ = [
    "KINDS",
    "Reading",
    "Shape",
    "Shapes",
    "alike",
    "asks",
    "body",
    "fingerprint",
    "fold_name",
    "fold_word",
    "links",
    "may_lead",
    "read",
    "refusal",
]
