"""Evidence packs: flags that can be held against what was signed, on another machine, without our state.

Belongs here: what is hashed and how, what a pack says, and checking it. Not here: judging, and the flags themselves.

    chain     the records of a partition of `sms.flags`, chained by hashes in their order; its flags as a tree
    seal      Ed25519 keys: making, reading, signing, checking
    pack      a pack as lines, from what was collected
    verify    what is wrong with a pack, the first line first; needs nothing but the pack and the public key
    facts     which records an answer rests on, by field and place
    collect   reads all that from the topics

A pack is one file of JSON lines, not a zip: every byte of it belongs to a line, and every line's hash is signed, so no
byte can change unseen, and what is wrong can be named by its line. Any tool can read it.

A root is of what the topic holds when it is signed. Compaction takes superseded revisions after topics.audit_days; so
sign (`sendwatch evidence seal`) and make packs before that. Who has the signing key can still sign two different pasts:
what he handed out earlier convicts him (`sendwatch evidence hold`).

It holds no recipient, not even the token, and no text: so nobody has to be erased from packs that were handed out.
The flag id, a keyed hash of recipient, send and rule, stands for it.
"""
