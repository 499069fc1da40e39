"""Units, the three administrators, partners: what an operator enters before anybody can sign in."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fazhi.cli import app
from fazhi.services import build
from gateway.app import Gateway
from gateway.partners.signature import BadSignature, read_secret_text, sign
from kernel.clock import SystemClock
from kernel.errors import Conflict, Invalid, NotFound, RuleViolation
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
from tests.support.stores import built

UNITS = """code,name,kind,level,parent,region_code,valid_from
15,自治区人民政府,government,province,,150000,2019-01-01
15-sft,自治区司法厅,department,province,15,150000,2019-01-01
"""
PEOPLE = ("--system", "xitong", "甲", "--security", "anquan", "乙", "--audit", "shenji", "丙")
PASSWORDS = "Qingming-2026-river\nGuyu-2026-mountain\nLixia-2026-lake\n"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a new installation, migrated and empty."""
    folder = tmp_path / "data"
    monkeypatch.setenv("FAZHI_DATA", str(folder))
    runtime = Runtime(Settings(), SystemClock())
    built(runtime, "gateway")
    runtime.close()
    return folder


@pytest.fixture
def gateway(data: Path) -> Gateway:
    return build("gateway", Runtime(Settings(), SystemClock())).app


@pytest.fixture
def units(data: Path, tmp_path: Path) -> Path:
    file = tmp_path / "units.csv"
    file.write_text(UNITS)
    return file


@pytest.fixture
def passwords(tmp_path: Path) -> Path:
    file = tmp_path / "passwords"
    file.touch(mode=0o600)
    file.write_text(PASSWORDS)
    return file


def fazhi(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def refused(*words: object) -> BaseException:
    done = fazhi(*words)
    assert done.exit_code != 0
    assert done.exception is not None
    return done.exception


class TestUnits:
    def test_are_loaded_once_and_then_only_what_changed(self, units, gateway):
        assert "新增 2 个" in fazhi("units", "load", units).output
        units.write_text(UNITS.replace("司法厅", "司法和行政厅"))
        assert "变更 1 个，未变 1 个" in fazhi("units", "load", units).output
        assert gateway.directory.path_of("15-sft") == "/15/15-sft/"

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            (UNITS.replace("department", "ministry"), "directory.bad_row"),
            (UNITS.replace("kind,", "sort,"), "directory.missing_columns"),
            (UNITS + "16\n", "directory.bad_row"),
            (UNITS.replace(",15,", ",16,"), "directory.invalid"),
        ],
    )
    def test_a_file_with_a_fault_loads_nothing(self, units, gateway, text, code):
        units.write_text(text)
        assert refused("units", "load", units).stable_code == code
        with pytest.raises(NotFound):
            gateway.directory.path_of("15")

    def test_a_file_in_another_encoding_is_said_so(self, units):
        units.write_bytes(UNITS.encode("gbk"))
        assert refused("units", "load", units).stable_code == "directory.bad_row"


class TestTheThreeAdministrators:
    def test_can_sign_in_each_with_the_own_duty(self, units, passwords, gateway):
        fazhi("units", "load", units)
        assert fazhi("accounts", "establish", "15-sft", *PEOPLE, "--passwords", passwords).exit_code == 0
        roles = {}
        for (account, _), password in zip(
            zip(PEOPLE[1::3], PEOPLE[2::3], strict=True), PASSWORDS.split(), strict=True
        ):
            me = gateway.sessions.sign_in(account, password, address="10.0.0.1").me
            roles[account] = [role for role, _ in me.roles]
        assert roles == {"xitong": ["system_admin"], "anquan": ["security_admin"], "shenji": ["audit_admin"]}

    def test_are_established_once(self, units, passwords):
        fazhi("units", "load", units)
        fazhi("accounts", "establish", "15-sft", *PEOPLE, "--passwords", passwords)
        again = refused("accounts", "establish", "15-sft", *PEOPLE, "--passwords", passwords)
        assert isinstance(again, Conflict)

    def test_what_they_hold_is_told_again_when_an_operator_asks(self, units, passwords):
        fazhi("units", "load", units)
        fazhi("accounts", "establish", "15-sft", *PEOPLE, "--passwords", passwords)
        assert "已重新告知 3 个账号" in fazhi("accounts", "tell-again").output

    def test_belong_to_a_unit_that_is_in_the_directory(self, passwords):
        error = refused("accounts", "establish", "15-sft", *PEOPLE, "--passwords", passwords)
        assert error.stable_code == "directory.unknown_unit"

    def test_are_three_people(self, units, passwords):
        fazhi("units", "load", units)
        two = [word.replace("shenji", "anquan") for word in PEOPLE]
        assert isinstance(
            refused("accounts", "establish", "15-sft", *two, "--passwords", passwords), RuleViolation
        )

    def test_a_weak_password_establishes_nobody(self, units, passwords, gateway):
        fazhi("units", "load", units)
        passwords.write_text(PASSWORDS.replace("Lixia-2026-lake", "short"))
        error = refused("accounts", "establish", "15-sft", *PEOPLE, "--passwords", passwords)
        assert error.stable_code == "identity.weak_password"
        passwords.write_text(PASSWORDS)
        assert fazhi("accounts", "establish", "15-sft", *PEOPLE, "--passwords", passwords).exit_code == 0

    def test_a_password_file_others_may_read_is_refused(self, units, passwords):
        fazhi("units", "load", units)
        passwords.chmod(0o644)
        error = refused("accounts", "establish", "15-sft", *PEOPLE, "--passwords", passwords)
        assert error.stable_code == "identity.open_password_file"

    def test_no_option_takes_a_password(self):
        said = fazhi("accounts", "establish", "--help").output
        assert "--password " not in said
        assert "口令文件" in said

    def test_without_a_terminal_nobody_is_asked(self, units):
        fazhi("units", "load", units)
        assert refused("accounts", "establish", "15-sft", *PEOPLE).stable_code == "identity.no_terminal"


class TestPartners:
    BODY = b"{}"

    def sender(self, gateway: Gateway, secret: str) -> str:
        headers = sign(read_secret_text(secret), "m-1", gateway.store.clock.now(), self.BODY)
        return gateway.partners.authenticate(headers, self.BODY).system

    def test_a_key_signs_until_it_is_revoked(self, gateway):
        assert fazhi("partners", "add", "hotline").exit_code == 0
        secret = fazhi("partners", "key", "hotline").output.strip()
        assert self.sender(gateway, secret) == "hotline"
        assert "1 把" in fazhi("partners", "revoke", "hotline").output
        with pytest.raises(BadSignature):
            self.sender(gateway, secret)

    def test_the_newest_key_may_be_kept(self, gateway):
        fazhi("partners", "add", "hotline")
        old, new = (fazhi("partners", "key", "hotline").output.strip() for _ in range(2))
        fazhi("partners", "revoke", "hotline", "--keep", 1)
        assert self.sender(gateway, new) == "hotline"
        with pytest.raises(BadSignature):
            self.sender(gateway, old)

    def test_a_key_can_go_into_a_file_for_one_pair_of_eyes(self, gateway, tmp_path):
        fazhi("partners", "add", "hotline")
        file = tmp_path / "hotline.key"
        shown = fazhi("partners", "key", "hotline", "--to", file)
        assert file.read_text().strip() not in shown.output
        assert file.stat().st_mode & 0o777 == 0o600
        assert self.sender(gateway, file.read_text().strip()) == "hotline"
        assert isinstance(refused("partners", "key", "hotline", "--to", file), Conflict)

    def test_no_file_is_left_when_no_key_was_given(self, data, tmp_path):
        file = tmp_path / "hotline.key"
        assert isinstance(refused("partners", "key", "hotline", "--to", file), NotFound)
        assert not file.exists()

    def test_only_systems_with_a_link_are_entered(self, data):
        error = refused("partners", "add", "rumours")
        assert error.stable_code == "partners.no_link"
        assert "hotline" in error.text

    def test_an_unusable_address_is_refused(self, data):
        assert isinstance(refused("partners", "add", "hotline", "--answer-url", "answers.example"), Invalid)


def test_what_the_operator_does_is_audited(gateway):
    fazhi("partners", "add", "hotline")
    with gateway.store.reading() as session:
        rows = session.execute(gateway.store.spine.audit.select()).all()
    assert [(row.actor, row.action) for row in rows] == [("operator", "partner.registered")]


def test_the_only_security_administrator_who_lost_the_factor_enrols_anew(gateway, units, passwords):
    from pyotp import TOTP

    from gateway.identity.locks import hash_of
    from kernel.access.principal import Principal

    fazhi("units", "load", units)
    fazhi("accounts", "establish", "15-sft", *PEOPLE, "--passwords", passwords)
    own = PASSWORDS.splitlines()[1]
    who = Principal(
        account="anquan", session=hash_of(gateway.sessions.sign_in("anquan", own, address="x").session)
    )
    key = gateway.enrolment.begin(who, own, "").key
    gateway.enrolment.confirm(who, TOTP(key).at(gateway.store.clock.now()))
    with pytest.raises(NotFound):
        gateway.removals.by_operator("xitong", reason="none there")
    assert fazhi("accounts", "remove-factor", "anquan", "--reason", "手机遗失，当面核实").exit_code == 0
    assert gateway.sessions.sign_in("anquan", own, address="x").me.must_enrol


@pytest.mark.parametrize(
    "command", ["migrate", "maintain", "quarantine list", "quarantine release", "quarantine refuse"]
)
def test_a_service_there_is_not_is_said_with_those_there_are(command: str) -> None:
    given = [*command.split(), "assesment", *(["x"] if command.endswith(("release", "refuse")) else [])]
    result = CliRunner().invoke(app, given)
    assert isinstance(result.exception, NotFound)
    assert "assessment" in result.exception.text
