"""`fazhi audit` as an auditor types it: what is whole, what is not and where, against checkpoints kept elsewhere."""

import sqlite3

import pytest
from typer.testing import CliRunner

from fazhi.cli import app
from gateway.tables import UNITS
from kernel.access.principal import Principal
from kernel.errors import Invalid, NotFound
from kernel.storage.audit_read import AuditRecords
from kernel.storage.audit_seal import AuditSealer, sealing
from kernel.telemetry import metrics
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
            connection.execute(f"DROP TRIGGER IF EXISTS {table}_no_update")
            connection.execute(f"DROP TRIGGER IF EXISTS {table}_no_delete")
        for statement in statements:
            connection.execute(statement)


def test_a_whole_log_is_said_to_be_whole(folder):
    assert "审计日志 5 条、检查点 1 个，与写入时一致" in fazhi("verify", "gateway")


def test_what_a_check_found_is_on_record_and_the_alarm_stands_until_a_better_one(folder, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "shenji")
    runtime = sqlite_runtime(folder)
    store = built(runtime, "gateway").store
    turn = sealing(store)

    def last():
        turn()
        found = AuditRecords(store, UNITS.table).seal().verified
        damaged = metrics.AUDIT_DAMAGED.labels("gateway")._value.get()
        return found and (found.verified_by, found.size, found.faults, found.first), damaged

    assert last() == (None, 0)
    root = AuditRecords(store, UNITS.table).seal().root  # of the five
    fazhi("verify", "gateway")
    assert last() == (("shenji", 5, 0, ""), 0)
    assert AuditRecords(store, UNITS.table).seal().verified.root == root
    tamper(folder, "UPDATE audit SET actor = 'nobody' WHERE object = 'clues/4'")
    fazhi("verify", "gateway", code=1)
    assert last() == (("shenji", 6, 1, "altered"), 1)
    tamper(folder, "UPDATE audit SET actor = 'ducha' WHERE object = 'clues/4'")
    assert last()[1] == 1  # mended, but nobody has looked
    fazhi("verify", "gateway")
    assert last() == (("shenji", 7, 0, ""), 0)
    runtime.close()


def test_a_log_too_damaged_to_be_written_to_is_still_told_of(folder):
    tamper(folder, "UPDATE audit_head SET size = 3")
    said = fazhi("verify", "gateway", code=1)
    assert "日志的长度被改为 3" in said
    assert "核验结果没有记下" in said


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


@pytest.fixture
def rotated(folder):
    """The same log with a new key: sealed at three with the old one, at five with the new. Gives both, old first."""
    old = fazhi("key", "gateway").strip()
    (folder / "keys" / "audit-gateway.pem").unlink()
    runtime = sqlite_runtime(folder)
    AuditSealer(built(runtime, "gateway").store).seal()
    runtime.close()
    return old, fazhi("key", "gateway").strip()


def test_keys_rotate_and_a_log_of_two_keys_is_whole(rotated):
    old, new = rotated
    assert old != new
    for words in (("--key", old, "--key", new), ("--key", new, "--key", old), ("--key", f"{old},{new}")):
        assert "检查点 2 个，与写入时一致" in fazhi("verify", "gateway", *words)


def test_a_checkpoint_by_a_key_nobody_named_is_named(rotated):
    for key, size in zip(rotated, (5, 3), strict=True):
        assert f"检查点 {size}" in fazhi("verify", "gateway", "--key", key, code=1)
    assert "检查点 3" in fazhi("verify", "gateway", code=1)  # of itself it knows the key of now


def test_a_forged_signature_under_a_named_key_is_found_among_several(folder, rotated):
    forged = "UPDATE audit_checkpoints SET note = replace(note, 'fazhi.local/audit/gateway\n3', 'fazhi.local/audit/gateway\n2')"
    tamper(folder, forged)
    said = fazhi("verify", "gateway", "--key", rotated[0], "--key", rotated[1], code=1)
    assert "检查点 3" in said


def test_keys_of_other_logs_are_told_apart(rotated):
    other = fazhi("key", "disputes").strip()
    with pytest.raises(Invalid, match="没有一把属于"):
        fazhi("verify", "gateway", "--key", other)
    old, new = rotated
    assert "与写入时一致" in fazhi("verify", "gateway", "--key", other, "--key", old, "--key", new)


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
