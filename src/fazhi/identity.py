"""Which keys sign and check tokens in this process."""

from kernel.access.tokens import Verifier, make_key, public_half
from kernel.errors import Invalid
from kernel.hosting.runtime import Runtime


def verifier(runtime: Runtime) -> Verifier:
    """Checks tokens: with the public key file of the settings, or the key pair in the data folder."""
    settings = runtime.settings
    if settings.identity_public_key_file is not None:
        return Verifier(settings.identity_public_key_file.read_bytes(), runtime.clock)
    if settings.production and settings.identity_key_file is None:
        raise Invalid(
            "正式环境须用 FAZHI_IDENTITY_PUBLIC_KEY_FILE 指明核验登录凭证的公钥（网关用 FAZHI_IDENTITY_KEY_FILE 指明私钥）。",
            code="fazhi.no_identity_key",
        )
    path = settings.identity_key_file or runtime.folder("keys") / "identity.pem"
    make_key(path)
    return Verifier(public_half(path.read_bytes()), runtime.clock)
