"""
Whom outgoing calls trust: the certificates of this machine, so that a province's own authority counts like any other.

It is put into the system's store (update-ca-certificates), or named by SSL_CERT_FILE; a list that came with a library
would know neither. Host names are checked (R33).
"""

import ssl

TRUSTED = ssl.create_default_context()
