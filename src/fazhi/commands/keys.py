"""
Keys 钥匙: what signs sign-in tokens, or a source's scored events, is rotated and revoked without a restart; partners'
root key with one (R27, R53).

Works on files only, so it also runs where the files are kept and no server can be reached. The public file is
written first: nobody may sign with a key before it can be checked, or go on being believed after it is revoked.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fazhi.commands.progress import console
from kernel.settings import Settings

if TYPE_CHECKING:
    from kernel.access.keyring import Ring

SOURCE = Annotated[
    str, typer.Option("--source", help="改为一个来源签署计分事件的钥匙：legislation、gateway、assessment 等")
]
STATES = {"pending": "待启用", "active": "使用中", "retired": "已退役（仍可核验）", "revoked": "已撤销"}


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(
        help="钥匙：查看、轮换、撤销签发登录凭证、签署计分事件的钥匙，不用重启。", no_args_is_help=True
    )
    group.command("list")(list_keys)
    group.command()(rotate)
    # The hash of a key may begin with a dash.
    group.command(context_settings={"ignore_unknown_options": True})(revoke)
    app.add_typer(group, name="keys")


def list_keys(source: SOURCE = "") -> None:
    """列出签发登录凭证的钥匙，或一个来源的钥匙：编号、状态、何时启用、何时撤销。"""
    from rich.table import Column, Table

    now = datetime.now(UTC)
    private, public = _files(source)
    ring = _read(private if private.exists() else public or private)
    table = Table(Column("编号", overflow="fold"), "状态", "启用时间", "撤销时间", "私钥")
    for each in ring.keys:
        state = STATES[ring.state(each, now)]
        held = "有" if each.key.is_private else "无"
        table.add_row(each.kid, state, _written(each.active_from), _written(each.revoked_at), held)
    console.print(table)
    if source:
        from contracts.findings.signatures import keys_of

        for known in keys_of(source, ring):
            console.print(f"--source {known}", markup=False, soft_wrap=True)


def rotate(
    after: Annotated[
        float, typer.Option(min=0, help="新钥匙几分钟后启用，应长于文件分发到每个节点的时间；0 为立即")
    ] = 10,
    partners: Annotated[
        bool, typer.Option("--partners", help="改为轮换密封外部系统密钥的根钥匙；网关重启后用新的密封")
    ] = False,
    source: SOURCE = "",
) -> None:
    """换一把新钥匙，旧的退役；旧钥匙签发的凭证在有效期内照样有效，它签过的计分事件永远可以核验。"""
    if partners:
        _rotate_partners()
        return
    now = datetime.now(UTC)
    files = _files(source)
    ring = _read(files[0]).rotated(now, after=timedelta(minutes=after), forgets=not source)
    _write(ring, *files)
    console.print(
        f"新钥匙 {ring.keys[-1].kid}，{_written(ring.keys[-1].active_from)} 起启用。", soft_wrap=True
    )


def revoke(
    kid: Annotated[str, typer.Argument(help="钥匙编号，写出能区分的开头几位即可")], source: SOURCE = ""
) -> None:
    """立即撤销一把钥匙：它签发的凭证、此后收到的由它签署的事件不再有效；撤销的是使用中的，则同时启用一把新的。"""
    from kernel.errors import NotFound

    files = _files(source)
    ring = _read(files[0])
    fitting = [each.kid for each in ring.keys if each.kid.startswith(kid)]
    if len(fitting) != 1:
        raise NotFound(
            f"有 {len(fitting)} 把钥匙的编号以 {kid} 开头，请用 fazhi keys list 核对。",
            code="keys.unknown_key",
        )
    now = datetime.now(UTC)
    left = ring.revoked(fitting[0], now)
    _write(left, *files)
    console.print(f"已撤销 {fitting[0]}；使用中的钥匙是 {left.signing(now).kid}。", soft_wrap=True)


def _rotate_partners() -> None:
    from gateway.partners.vault import add_root

    path = Settings().partner_key_file or Settings().data / "keys" / "partners.key"
    _demand(path)
    console.print(
        f"{path} 现有 {add_root(path)} 把根钥匙。分发到网关的每个节点以后，逐个重启网关的进程，新根钥匙即用于密封；"
        "旧的不要删除：以前密封的要用它打开。",
        soft_wrap=True,
    )


def _files(source: str) -> tuple[Path, Path | None]:
    """The file of the one that signs, and that for those who check; in the embedded form there may be none."""
    settings = Settings()
    folder = settings.data / "keys"
    if source:
        private = settings.source_key_file_of(source) or folder / f"source-{source}.pem"
        known = settings.source_public_keys
        given = known and known / f"source-{source}.pub.pem"
    else:
        private, given = (
            settings.identity_key_file or folder / "identity.pem",
            settings.identity_public_key_file,
        )
    beside = private.with_suffix(".pub.pem")
    return private, given or (beside if beside.exists() else None)


def _read(path: Path) -> "Ring":
    from kernel.access.keyring import read_ring

    _demand(path)
    return read_ring(path.read_bytes())


def _write(ring: "Ring", private: Path, public: Path | None) -> None:
    from kernel.access.files import replace_file

    if public is not None:
        replace_file(public, ring.public_text(), mode=0o644)
    replace_file(private, ring.text())


def _demand(path: Path) -> None:
    from kernel.errors import NotFound

    if not path.exists():
        raise NotFound(
            f"没有 {path}；请用 FAZHI_IDENTITY_KEY_FILE、FAZHI_SOURCE_KEY_FILE、FAZHI_PARTNER_KEY_FILE 或 FAZHI_DATA 指明钥匙在哪里。",
            code="keys.no_file",
        )


def _written(at: datetime | None) -> str:
    from kernel.clock import SHANGHAI

    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}" if at else "—"
