"""
Append-only logs that others can check: Merkle trees, tiles, signed notes, checkpoints.

Pure code without storage: tree.py (RFC 6962), tiles.py (C2SP tlog-tiles), note.py (C2SP signed-note and
cosignature/v1), checkpoint.py (C2SP tlog-checkpoint). Who keeps a log stores what these return.
"""
