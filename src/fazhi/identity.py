"""Which keys sign and check tokens in this process."""

from kernel.access.tokens import Verifier, make_key, public_half
from kernel.hosting.runtime import Runtime


def verifier(runtime: Runtime) -> Verifier:
    """Checks tokens: with the public key file of the settings, or the key pair in the data folder."""
    settings = runtime.settings
    if settings.identity_public_key_file is not None:
        return Verifier(settings.identity_public_key_file.read_bytes(), runtime.clock)
    path = settings.identity_key_file or runtime.folder("keys") / "identity.pem"
    make_key(path)
    return Verifier(public_half(path.read_bytes()), runtime.clock)
