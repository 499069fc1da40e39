"""
Ledger 存证账本: every scored event is a leaf of a Merkle tree whose checkpoints others sign too (R20–R28).

Sealing (sealing.py) grows the trees and signs checkpoints, witnessing.py has them cosigned, service.py answers for
what is proved, receipts.py hands it out by unit, verification.py holds the whole database against it.
"""
