"""
Ledger 存证账本: verify, prove, export, key and witness.

Exit codes of `verify`: 0 good, 1 tampered with (the record or the range is named), 2 wrong usage, 3 unreadable.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from fazhi.commands.progress import advancing, console, progress
from kernel.settings import Settings

if TYPE_CHECKING:
    from contracts.findings.signatures import Signatures
    from kernel.hosting.runtime import Runtime
    from kernel.ledger.note import NoteKey
    from services.assessment.app import Assessment
    from services.assessment.ledger.findings import Report, Trust, Verified

TAMPERED, USAGE, UNREADABLE = 1, 2, 3
STANDINGS = {
    "signed": "签名成立",
    "unsigned": "未签名（来源开始签名之前）",
    "unchecked": "未核对（没有它的公钥）",
    "refused": "没有通过",
}
LOG_KEYS = Annotated[
    list[str] | None, typer.Option("--log-key", help="账本的公钥；不写则用设置中的公钥或本机私钥对应的公钥")
]
WITNESS_KEYS = Annotated[
    list[str] | None, typer.Option("--witness-key", help="见证方的公钥；不写则用设置中的")
]
STATES = Annotated[
    list[Path] | None, typer.Option("--witness-state", help="见证方的状态目录，或从那里抄来的检查点文件")
]
SOURCE_KEYS = Annotated[
    list[str] | None, typer.Option("--source", help="来源的公钥，可多次；不写则用设置中的")
]
URLS = Annotated[list[str] | None, typer.Option("--witness-url", help="见证方的网址，取它记住的检查点")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(help="存证账本：验证、证明、导出、见证。", no_args_is_help=True)
    group.command()(verify)
    group.command()(prove)
    group.command()(export)
    group.command()(key)
    group.command()(witness)
    app.add_typer(group, name="ledger")


def verify(
    log_key: LOG_KEYS = None,
    witness_key: WITNESS_KEYS = None,
    witness_state: STATES = None,
    witness_url: URLS = None,
    source: SOURCE_KEYS = None,
    evidence: Annotated[bool, typer.Option("--evidence", help="同时核对事件所指佐证材料的原件")] = False,
    since: Annotated[
        Path | None, typer.Option("--since", help="增量验证：从此文件记住的检查点开始，并在验证无误后更新它")
    ] = None,
    record: Annotated[bool, typer.Option("--record", help="把结果记入数据库，供指标和账本页面显示")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="只输出一行 JSON")] = False,
) -> None:
    """逐条重新计算哈希，核对列、瓦片、检查点、签名和见证方的记忆；无误退出码为 0，发现改动为 1。"""
    from kernel.hosting.runtime import Runtime
    from services.assessment.ledger.stored import log_size
    from services.assessment.ledger.verdicts import keep_verdict
    from services.assessment.ledger.verification import Verification

    runtime = Runtime(Settings())
    with _readable():
        app = _assessment(runtime)
        keys = _keys(runtime, log_key, witness_key)
        trust = _trust(runtime, *keys, witness_state, witness_url)
        trust = replace(trust, signatures=_signatures(runtime, source))
        begun = _begun(since)
        held = None
        if evidence:
            from fazhi.evidence import evidence_check

            held = evidence_check(runtime)
        with app.store.reading() as session, progress() as bars:
            advance = _silently if as_json else advancing(bars, "验证", log_size(session))
            report = Verification(session, trust, held=held, advance=advance).run(begun)
        if record:
            keep_verdict(app.store, report)
    _say(report, trust, as_json=as_json)
    if since is not None and report.verified is not None:
        report.verified.keep(since)
    raise typer.Exit(TAMPERED if report.fault_count else 0)


def prove(
    seq: Annotated[int, typer.Argument(help="计分事件的编号", min=1)],
    size: Annotated[int, typer.Option(help="对哪个检查点证明；0 为最新", min=0)] = 0,
) -> None:
    """输出一条计分事件的凭据：叶、包含证明、检查点及见证签名，一行 JSON，可离线验证。"""
    from kernel.hosting.runtime import Runtime
    from services.assessment.ledger.receipts import receipt

    app = _assessment(Runtime(Settings()))
    typer.echo(orjson.dumps(receipt(app.store, app.ledger, seq, size)).decode())


def export(folder: Annotated[Path, typer.Argument(help="写入的新目录")]) -> None:
    """导出存证包：全部叶、检查点、见证签名和公钥，交给审计机关用独立的程序验证。"""
    from kernel.hosting.runtime import Runtime
    from services.assessment.app import ledger_keys
    from services.assessment.ledger.bundle import export as write

    runtime = Runtime(Settings())
    app = _assessment(runtime)
    with app.store.reading() as session:
        count = write(
            session,
            folder,
            origin=app.ledger.origin,
            log_keys=ledger_keys(runtime),
            witness_keys=[one.key for one in app.ledger.witnesses],
            now=runtime.clock.now(),
        )
    console.print(f"已写入 {folder}：{count} 条计分事件")


def key() -> None:
    """输出账本的公钥，交给见证方和需要验证的人；没有私钥时生成（内嵌形态）。"""
    from kernel.hosting.runtime import Runtime
    from services.assessment.app import ledger_keys

    for one in ledger_keys(Runtime(Settings())):
        typer.echo(str(one))


def witness(
    state: Annotated[Path, typer.Option(help="状态目录；丢失即须停用")],
    key_file: Annotated[
        Path, typer.Option("--key", help="见证方的 Ed25519 私钥（PEM）；首次启动时没有则生成")
    ],
    name: Annotated[str, typer.Option(help="见证方的名称，如 audit.example.gov.cn")],
    log_key: Annotated[
        list[str], typer.Option("--log-key", help="所见证账本的公钥（fazhi ledger key），可多次")
    ],
    port: Annotated[int, typer.Option(help="端口", min=0, max=65535)] = 8090,
    host: Annotated[str, typer.Option(help="监听地址")] = "127.0.0.1",
    first: Annotated[bool, typer.Option("--first", help="首次启动：建立状态目录")] = False,
) -> None:
    """运行见证方：给其他机构用的独立小程序，不需要数据库；只签署与它所见一致的检查点。"""
    from fazhi.witness.process import serve

    serve(state, key_file, name, log_key, (host, port), first=first)


def _silently(_count: int) -> None:
    """One line of JSON and nothing else."""


@contextmanager
def _readable() -> Iterator[None]:
    """What cannot be read is exit code 3, so that nobody takes it for good or for tampered with."""
    from sqlalchemy.exc import DBAPIError

    from kernel.errors import PlatformError
    from services.assessment.ledger.rules import LedgerDamaged

    try:
        yield
    except LedgerDamaged:
        raise  # that is no reading error: exit code 1
    except (PlatformError, DBAPIError, OSError, ValueError) as error:
        said = (
            error.text if isinstance(error, PlatformError) else f"{type(error).__name__}：{str(error)[:300]}"
        )
        console.print(f"无法验证：{said}", markup=False, soft_wrap=True)
        raise typer.Exit(UNREADABLE) from error


def _assessment(runtime: "Runtime") -> "Assessment":
    from fazhi.services import build

    app: Assessment = build("assessment", runtime).app
    return app


def _keys(
    runtime: "Runtime", log_key: list[str] | None, witness_key: list[str] | None
) -> "tuple[tuple[NoteKey, ...], tuple[NoteKey, ...]]":
    """The keys that are believed, of the log and of witnesses; one that is none is wrong usage."""
    from kernel.errors import Invalid
    from kernel.ledger.note import read_key
    from services.assessment.app import ledger_keys
    from services.assessment.ledger.rules import read_witnesses
    from services.assessment.ledger.rules import witness_key as read_witness_key

    if not (log_key or runtime.settings.ledger_public_keys or _has_own_key(runtime.settings)):
        # A key made now would fit no checkpoint, and a good log would look forged.
        console.print(
            "这里没有账本的钥匙：请用 --log-key 给出账本的公钥（在平台上运行 fazhi ledger key 得到）。"
        )
        raise typer.Exit(USAGE)
    try:
        log_keys = tuple(read_key(one) for one in log_key) if log_key else ledger_keys(runtime)
        if witness_key:
            return log_keys, tuple(read_witness_key(one) for one in witness_key)
        configured = read_witnesses(runtime.settings.ledger_witnesses)
        return log_keys, tuple(one.key for one in configured)
    except Invalid as error:
        console.print(error.text, markup=False, soft_wrap=True)
        raise typer.Exit(USAGE) from error


def _has_own_key(settings: Settings) -> bool:
    return (settings.ledger_key_file or settings.data / "keys" / "ledger.pem").exists()


def _trust(
    runtime: "Runtime",
    log_keys: "tuple[NoteKey, ...]",
    witness_keys: "tuple[NoteKey, ...]",
    states: list[Path] | None,
    urls: list[str] | None,
) -> "Trust":
    from fazhi.witness.memory import remembered
    from fazhi.witness.remote import fetch
    from services.assessment.ledger.findings import Trust

    origin = runtime.settings.ledger_origin
    notes = [note for place in states or () for note in remembered(place)]
    notes += [note for url in urls or () for note in fetch(url, origin)]
    return Trust(origin, log_keys, witness_keys, tuple(notes))


def _signatures(runtime: "Runtime", written: list[str] | None) -> "Signatures":
    """What checks who told the events: by the keys that were named, or those of the settings."""
    from contracts.findings.signatures import Signatures, read_source_key, rings_of
    from kernel.errors import Invalid
    from services.assessment.app import source_signatures

    if not written:
        return source_signatures(runtime)
    try:
        return Signatures(rings_of(read_source_key(one) for one in written))
    except Invalid as error:
        console.print(error.text, markup=False, soft_wrap=True)
        raise typer.Exit(USAGE) from error


def _begun(path: Path | None) -> "Verified | None":
    from services.assessment.ledger.findings import Verified

    return Verified.read(path) if path is not None and path.exists() else None


def _say(report: "Report", trust: "Trust", *, as_json: bool) -> None:
    from services.assessment.ledger.rules import LIMITS

    if as_json:
        counts = {name: getattr(report, name) for name in ("events", "sealed", "witnessed", "checkpoints")}
        counts |= {name: getattr(report, name) for name in ("cosignatures", "evidence", "remembered")}
        counts |= {"sources": report.sources}
        faults = [[fault.kind, fault.first, fault.last, fault.message] for fault in report.faults]
        said = {"good": not report.fault_count, **counts, "fault_count": report.fault_count, "faults": faults}
        typer.echo(orjson.dumps(said).decode())
        return
    for fault in report.faults:
        where = (
            f"第 {fault.first} 号" if fault.first == fault.last else f"第 {fault.first} 至 {fault.last} 号"
        )
        console.print(f"[bold red]改动[/]  {where}  {fault.message}  ({fault.kind})", soft_wrap=True)
    verdict = "发现改动" if report.fault_count else "一致"
    console.print(
        f"{verdict}：事件 {report.events}，已封块 {report.sealed}，已见证 {report.witnessed}，"
        f"检查点 {report.checkpoints}，见证签名 {report.cosignatures}，佐证 {report.evidence}，"
        f"见证方记忆 {report.remembered}",
        soft_wrap=True,
    )
    for source, standings in sorted(report.sources.items()):
        told = "，".join(f"{STANDINGS[one]} {count}" for one, count in standings.items())
        console.print(f"来源 {source}：{told}", markup=False, soft_wrap=True)
    if not trust.remembered:
        console.print(
            "未与见证方记住的检查点比对（--witness-state、--witness-url）：整库改写并用同一私钥重新签名、整库回退，须靠它发现。",
            soft_wrap=True,
        )
    console.print(LIMITS, soft_wrap=True)
