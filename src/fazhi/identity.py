"""Which keys sign and check tokens in this process."""

from kernel.access.keyring import KeyFile, warn_of_readers
from kernel.access.tokens import Verifier, make_key
from kernel.errors import Invalid
from kernel.hosting.runtime import Runtime


def verifier(runtime: Runtime) -> Verifier:
    """Checks tokens: with the public keys the settings name, or the keys in the data folder; follows the file."""
    settings = runtime.settings
    if settings.identity_public_key_file is not None:
        return Verifier(KeyFile(settings.identity_public_key_file), runtime.clock)
    if settings.production and settings.identity_key_file is None:
        raise Invalid(
            "正式环境须用 FAZHI_IDENTITY_PUBLIC_KEY_FILE 指明核验登录凭证的公钥（网关用 FAZHI_IDENTITY_KEY_FILE 指明私钥）。",
            code="fazhi.no_identity_key",
        )
    path = settings.identity_key_file or runtime.folder("keys") / "identity.pem"
    make_key(path)
    warn_of_readers(path)
    return Verifier(KeyFile(path), runtime.clock)
