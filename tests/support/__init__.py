"""
The room that starts real servers.

RabbitMQ, PostgreSQL, OpenSearch and Prometheus are started from the machine's own packages, on free
loopback ports and in folders of their own, and are gone when the block ends. Tests reach them through
the fixtures in tests/conftest.py; `fazhi bench`, `fazhi prove` and `fazhi up --with-servers` use the
classes directly, so nothing here imports pytest. Start reading at servers.py.
"""
