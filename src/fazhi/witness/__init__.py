"""
Witness 见证方: a small programme for other institutions that signs what it sees of a ledger, and never two versions.

It needs no database and no platform: a folder for what it saw, a key, and the public keys of the logs. memory.py is
what it must never forget, judgement.py what it signs, server.py its one door (C2SP tlog-witness).
"""
