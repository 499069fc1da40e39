"""Which keys a process must have before it tells scored events, or takes them (R21, R27)."""

from fazhi.services import NAMES
from kernel.errors import Invalid
from kernel.hosting.runtime import Runtime


def demand_source_keys(runtime: Runtime, service: str) -> None:
    """In production every process signs what its service tells, and assessment has everybody's public keys."""
    if not runtime.settings.production:
        return
    path = runtime.settings.source_key_file_of(service)
    if path is None or not path.exists():
        raise Invalid(
            "正式环境须用 FAZHI_SOURCE_KEY_FILE 指明本服务签署计分事件的私钥（deploy/secrets.sh 生成）。",
            code="fazhi.no_source_key",
        )
    if service == "assessment" and (missing := _unknown(runtime)):
        raise Invalid(
            f"正式环境须用 FAZHI_SOURCE_PUBLIC_KEYS 指明各来源公钥所在的文件夹，其中还没有：{'、'.join(missing)}。",
            code="fazhi.no_source_public_keys",
        )


def _unknown(runtime: Runtime) -> list[str]:
    if runtime.settings.source_public_keys is None:
        return list(NAMES)
    rings = runtime.source_rings()
    return [name for name in NAMES if not (ring := rings.ring(name)) or not ring.keys]
