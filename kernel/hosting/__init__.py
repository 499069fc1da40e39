"""Hosting: one file per kind of process. worker.py is the only door to nameko, rpc.py to grpc."""
