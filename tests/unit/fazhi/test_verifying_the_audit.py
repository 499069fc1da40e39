"""`fazhi audit` as an auditor types it: what is whole, what is not and where, against checkpoints kept elsewhere."""

import sqlite3

import pytest
from typer.testing import CliRunner

from fazhi.cli import app
from kernel.access.principal import Principal
from kernel.errors import Invalid, NotFound
from kernel.storage.audit_seal import AuditSealer
from tests.support.stores import built, sqlite_runtime


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A gateway with five acts on record, sealed at three."""
    monkeypatch.setenv("FAZHI_DATA", str(tmp_path))
    runtime = sqlite_runtime(tmp_path)
    store = built(runtime, "gateway").store
    sealer = AuditSealer(store)
    for number in range(5):
        with store.work() as work:
            work.audit(Principal(account="ducha"), "clue.read", f"clues/{number}")
            work.commit()
        if number == 2:
            sealer.seal()
    runtime.close()
    return tmp_path


def fazhi(*words, code=0):
    done = CliRunner().invoke(app, ["audit", *words], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def tamper(folder, *statements):
    with sqlite3.connect(folder / "gateway.db") as connection:
        for table in ("audit", "audit_leaves", "audit_checkpoints"):
            connection.execute(f"DROP TRIGGER {table}_no_update")
            connection.execute(f"DROP TRIGGER {table}_no_delete")
        for statement in statements:
            connection.execute(statement)


def test_a_whole_log_is_said_to_be_whole(folder):
    assert "审计日志 5 条、检查点 1 个，与写入时一致" in fazhi("verify", "gateway")


def test_what_was_altered_is_named(folder):
    tamper(folder, "UPDATE audit SET actor = 'nobody' WHERE object = 'clues/1'")
    said = fazhi("verify", "gateway", code=1)
    assert "第 2 条记录被改动，现为：nobody clue.read clues/1" in said
    assert "发现 1 处问题" in said


def test_a_checkpoint_kept_elsewhere_finds_what_the_database_no_longer_tells(folder, tmp_path):
    kept = tmp_path / "kept.txt"
    kept.write_text(fazhi("checkpoint", "gateway"))
    key = fazhi("key", "gateway").strip()
    assert "与写入时一致" in fazhi("verify", "gateway", "--kept", str(kept), "--key", key)
    tamper(
        folder,
        "DELETE FROM audit WHERE object <> 'clues/0'",
        "DELETE FROM audit_leaves WHERE number > 1",
        "DELETE FROM audit_checkpoints",
        "UPDATE audit_head SET size = 1",
    )
    assert "与写入时一致" in fazhi("verify", "gateway")
    assert "末尾被删除" in fazhi("verify", "gateway", "--kept", str(kept), "--key", key, code=1)


def test_a_checkpoint_of_another_log_or_hand_is_refused(folder, tmp_path):
    kept = tmp_path / "kept.txt"
    kept.write_text(fazhi("checkpoint", "gateway").replace("/audit/gateway", "/audit/disputes"))
    with pytest.raises(Invalid, match="disputes"):
        fazhi("verify", "gateway", "--kept", str(kept))
    kept.write_text(fazhi("checkpoint", "gateway").replace("\n3\n", "\n4\n"))
    with pytest.raises(Invalid, match="签名"):
        fazhi("verify", "gateway", "--kept", str(kept))


def test_what_is_not_there_is_said(folder):
    with pytest.raises(NotFound, match="none-such"):
        fazhi("verify", "none-such")
    tamper(folder, "DELETE FROM audit_checkpoints")
    with pytest.raises(NotFound, match="检查点"):
        fazhi("checkpoint", "gateway")
