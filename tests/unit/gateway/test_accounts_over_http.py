from datetime import timedelta
from typing import ClassVar
from urllib.parse import urlencode

import pytest

from gateway.app import build
from gateway.http import routers
from gateway.identity.accounts import FirstAccount, enter
from gateway.identity.demonstration import DemonstrationPerson
from gateway.identity.passwords import Passwords, load_policy
from kernel.access.rules import rule_of
from kernel.access.tokens import Verifier, public_half
from kernel.errors import RuleViolation
from kernel.hosting.api import build_api, walk
from kernel.hosting.runtime import Runtime
from kernel.ledger.checkpoint import read_checkpoint
from kernel.settings import Settings
from kernel.storage.audit_seal import AuditSealer
from tests.support.gateway import NOW, PASSWORD, TREE, UNIT
from tests.support.http import Client
from tests.support.stores import built

ROOT = "/api/gateway/v1"
NEW = {"account": "lisi", "name": "李四", "unit": "1501", "password": "Linshi-Kouling-9"}


class TestRights:
    """Who may knock where; the rows are the product's table of rights (R36)."""

    PUBLIC: ClassVar = {
        "POST /sessions", "POST /sessions/renew", "POST /passwords", "GET /demonstration", "POST /clues",
        "POST /clues/{receipt}/follow", "POST /partners/tokens",
    }  # fmt: skip
    WRITES: ClassVar = {
        "system_admin": {
            "POST /units", "POST /units/{code}/versions", "POST /accounts", "POST /accounts/{account}/state",
            "POST /accounts/{account}/unit",
            "POST /grants", "PUT /partners/{system}", "POST /factor-removals",
        },
        "security_admin": {
            "POST /grants/{grant}/decision", "DELETE /grants/{grant}", "POST /partners/{system}/keys",
            "DELETE /partners/{system}/keys", "POST /factor-removals/{removal}/decision",
        },
        "unit_head": {"POST /grants", "POST /factor-removals"},
        "inspector": {
            "POST /quarantine/{entry}/release", "POST /quarantine/{entry}/refusal", "POST /answers/{answer}/attempts",
            "POST /clues/{receipt}/amendments",
        },
        "audit_admin": set(), "reviewer": set(), "reporter": set(), "third_party": set(), "external_system": set(),
    }  # fmt: skip

    def routes(self, app):
        for router in routers(app):
            for route in walk(router.routes):
                for method in route.methods:
                    yield f"{method} {route.path}", rule_of(route.endpoint)

    def test_what_is_open_to_everybody(self, app):
        assert {name for name, rule in self.routes(app) if rule.is_public} == self.PUBLIC

    def test_who_may_change_what(self, app):
        own = {"DELETE /sessions/current", "POST /second-factor", "POST /second-factor/confirmation"}
        found = {role: set() for role in self.WRITES}
        for name, rule in self.routes(app):
            if not name.startswith("GET") and name not in own:
                for role in rule.roles:
                    found[role].add(name)
        assert found == self.WRITES

    def test_the_wrong_role_is_refused_and_audited(self, app, as_account):
        from sqlalchemy import select

        answer = as_account("tianbao")("GET", "/clues")
        assert (answer.status_code, answer.json()["code"]) == (403, "identity.not_allowed")
        table = app.store.spine.audit
        with app.store.reading() as session:
            actions = session.scalars(
                select(table.c.action).where(table.c.actor == "tianbao", table.c.result == "denied")
            )
            assert any(action.startswith("GET /") and action.endswith("/clues") for action in actions)


class TestAdministrators:
    def test_from_a_new_account_to_its_first_session(self, http, as_account):
        system, security = as_account("xitong"), as_account("anquan")
        account = {"account": "lisi", "name": "李四", "unit": "1501", "password": "Linshi-Kouling-9"}
        assert system("POST", "/accounts", json=account).status_code == 201
        grant = system(
            "POST", "/grants", json={"account": "lisi", "role": "reviewer", "unit": "1501"}
        ).json()["id"]
        assert [g["id"] for g in security("GET", "/grants?state=proposed").json()] == [grant]
        assert security("POST", f"/grants/{grant}/decision", json={"approve": True}).status_code == 204
        first = http.post(f"{ROOT}/sessions", json={"account": "lisi", "password": "Linshi-Kouling-9"})
        assert (first.status_code, first.json()["code"]) == (403, "identity.password_expired")
        change = {"account": "lisi", "password": "Linshi-Kouling-9", "new_password": "Wode-Xin-Kouling-8"}
        assert http.post(f"{ROOT}/passwords", json=change).status_code == 204
        me = http.post(f"{ROOT}/sessions", json={"account": "lisi", "password": "Wode-Xin-Kouling-8"}).json()
        assert [role["code"] for role in me["roles"]] == ["reviewer"]

    def test_the_head_of_a_unit_proposes_for_the_own_area_and_sees_what_became_of_it(self, as_account):
        system, security, head = (as_account(account) for account in ("xitong", "anquan", "tianbao"))
        assert system("POST", "/accounts", json=NEW | {"unit": UNIT}).status_code == 201
        assert [row["account"] for row in head("GET", "/accounts").json()] == ["lisi", "tianbao"]
        asked = {
            "account": "lisi",
            "role": "reporter",
            "unit": UNIT,
            "until_on": "2027-06-30",
            "reason": "新到岗",
        }
        grant = head("POST", "/grants", json=asked).json()["id"]
        for beyond in ({"account": "shenhe"}, {"unit": "1501"}):
            assert head("POST", "/grants", json=asked | beyond).status_code == 404
        assert head("POST", f"/grants/{grant}/decision", json={"approve": True}).status_code == 403

        def seen():
            rows = head("GET", "/grants").json()
            assert {row["unit"] for row in rows} == {UNIT}
            return next(row for row in rows if row["id"] == grant)

        waiting = seen()
        assert (waiting["state"], waiting["until_on"], waiting["proposed_by"]) == (
            "proposed",
            "2027-06-30",
            "tianbao",
        )
        refusal = {"approve": False, "note": "请补任职文件"}
        assert security("POST", f"/grants/{grant}/decision", json=refusal).status_code == 204
        assert (seen()["state"], seen()["decided_by"], seen()["note"]) == (
            "refused",
            "anquan",
            "请补任职文件",
        )
        assert head("GET", "/factor-removals").json() == []

    def test_a_superior_unit_out_of_reach_and_one_that_never_was_are_answered_alike(
        self, app, http, as_account
    ):
        first = FirstAccount(
            account="shixi", name="市系统", unit="1502", roles=("system_admin",), password=PASSWORD
        )
        with app.store.work() as work:
            enter(work, first, Passwords(load_policy(Settings().catalog)).hashed(PASSWORD, first.account))
            work.commit()
        unit = {
            "code": "new",
            "name": "新局",
            "kind": 2,
            "level": 3,
            "region_code": "150102",
            "reason": "新设",
        }
        unit["valid_from"] = "2026-01-01"
        system = as_account("shixi")
        said = [system("POST", "/units", json=unit | {"parent": parent}) for parent in ("150102", "no-such")]
        assert [one.status_code for one in said] == [404, 404]
        assert said[0].json()["message"] == said[1].json()["message"]

    def test_a_weak_password_is_refused_with_the_reason(self, as_account):
        account = {"account": "lisi", "name": "李四", "unit": "1501", "password": "password1234"}
        answer = as_account("xitong")("POST", "/accounts", json=account)
        assert (answer.status_code, answer.json()["code"]) == (422, "identity.weak_password")
        assert "password1234" not in answer.text

    def test_units_are_listed_as_the_console_reads_them(self, as_account):
        page = as_account("ducha")("GET", "/units?parent=15").json()
        assert page["total"] == 2
        assert page["rows"][0] | {} == page["rows"][0]
        assert {"code", "name", "kind", "level", "parent", "path", "region_code", "children"} <= set(
            page["rows"][0]
        )

    def test_a_partner_key_is_shown_once_and_works(self, http, as_account):
        as_account("xitong")("PUT", "/partners/petition", json={"title": "信访"})
        secret = as_account("anquan")("POST", "/partners/petition/keys").json()["secret"]
        from gateway.partners.signature import read_secret_text, sign
        from tests.support.gateway import NOW

        for body, status in ((b'{"purpose": "token"}', 200), (b"{}", 422)):
            headers = sign(read_secret_text(secret), "t-1", NOW, body)
            answer = http.post(f"{ROOT}/partners/tokens", content=body, headers=headers)
            assert answer.status_code == status
        assert answer.json()["code"] == "partners.wrong_purpose"

    @pytest.mark.parametrize(
        "url",
        [
            "ftp://x/",
            "http:///nohost",
            "http://u:p@h/",
            "nonsense",
            "http://h:99999/",
            "http://h:x/",
            "http://a..b/",
        ],
    )
    def test_an_unusable_answer_address_is_refused(self, as_account, url):
        answer = as_account("xitong")("PUT", "/partners/petition", json={"title": "信访", "answer_url": url})
        assert (answer.status_code, answer.json()["code"]) == (422, "partners.bad_address")


class TestAuditRecord:
    def test_the_audit_administrator_reads_who_was_refused_and_that_is_on_record_too(self, http, as_account):
        http.post(f"{ROOT}/sessions", json={"account": "nobody", "password": "x"})
        audit = as_account("shenji")
        (refused,) = audit("GET", "/audit?action=session.refused").json()
        assert (refused["actor"], refused["reason_code"]) == ("nobody", "identity.wrong_credentials")
        assert audit("GET", "/audit?action=audit.read&actor=shenji").json()
        assert as_account("xitong")("GET", "/audit").status_code == 403

    def test_it_is_searched_by_who_what_object_and_time(self, app, http, as_account, clock):
        system = as_account("xitong")
        system("POST", "/accounts", json=NEW)
        clock.advance(timedelta(minutes=1))
        system("POST", "/accounts/lisi/state", json={"state": "disabled"})
        audit = as_account("shenji")

        def found(query: str) -> list[str]:
            return [line["action"] for line in audit("GET", f"/audit?{query}").json()]

        assert found("object=accounts/lisi") == ["account.disabled", "account.created"]
        assert found("object=accounts/lisi&action=account.dis&actor=xitong") == ["account.disabled"]
        between = NOW + timedelta(seconds=30)
        said = {"since": between.isoformat(), "until": between.isoformat()}
        assert found(urlencode({"object": "lisi", "since": said["since"]})) == ["account.disabled"]
        assert found(urlencode({"object": "lisi", "until": said["until"]})) == ["account.created"]
        assert found("object=lisi&result=denied") == []
        assert audit("GET", "/audit?since=2026-11-20").status_code == 422

    def test_who_audits_a_part_of_the_tree_reads_of_its_people_alone(self, app, http, as_account):
        first = FirstAccount(
            account="shenji2", name="市审计", unit="1502", roles=("audit_admin",), password=PASSWORD
        )
        with app.store.work() as work:
            enter(work, first, Passwords(load_policy(Settings().catalog)).hashed(PASSWORD, first.account))
            work.commit()
        as_account("xitong")
        as_account("ducha2")
        read = as_account("shenji2")("GET", "/audit").json()
        assert {line["actor"] for line in read} == {"ducha2", "shenji2"}

    def test_it_says_how_far_it_is_sealed(self, app, as_account):
        audit = as_account("shenji")
        before = audit("GET", "/audit/seal").json()
        assert (before["sealed"], before["sealed_at"]) == (0, None)
        sealed = AuditSealer(app.store).seal()
        after = audit("GET", "/audit/seal").json()
        assert after["sealed"] == after["size"] > 0
        assert after["root"] == read_checkpoint(sealed.text).root.hex()


class TestTheRegister:
    def test_says_reach_state_and_whether_a_factor_is_due_and_never_a_secret(self, http, as_account):
        system = as_account("xitong")
        system("POST", "/accounts", json=NEW)
        lines = {line["account"]: line for line in system("GET", "/accounts").json()}
        assert lines["ducha"]["factor"] == "missing"
        assert lines["tianbao"]["factor"] == "none"
        assert [held["unit_name"] for held in lines["shenhe"]["roles"]] == ["首府市人民政府"]
        assert (lines["lisi"]["must_change"], lines["lisi"]["roles"]) == (True, [])
        assert "hash" not in str(lines)
        assert [line["account"] for line in system("GET", "/accounts?query=李").json()] == ["lisi"]
        assert [line["account"] for line in system("GET", "/accounts?query=钢城").json()] == ["ducha2"]
        assert system("GET", "/accounts?state=disabled").json() == []

    def test_a_grant_says_who_asked_why_and_what_was_said_to_it(self, http, as_account):
        system, security = as_account("xitong"), as_account("anquan")
        wanted = {"account": "shenhe", "role": "inspector", "unit": "1501", "reason": "岗位调整"}
        grant = system("POST", "/grants", json=wanted).json()["id"]
        security("POST", f"/grants/{grant}/decision", json={"approve": True})
        assert security("DELETE", f"/grants/{grant}?note=任期届满").status_code == 204
        line = next(one for one in system("GET", "/grants?account=shenhe").json() if one["id"] == grant)
        assert (line["proposed_by"], line["reason"]) == ("xitong", "岗位调整")
        assert (line["state"], line["decided_by"], line["note"]) == ("revoked", "anquan", "任期届满")


class TestDemonstration:
    PEOPLE = (
        DemonstrationPerson(
            account="demo-ducha", name="演示督察员", title="督察员", unit="15", roles=("inspector",)
        ),
    )

    def gateway(self, folder, *, production=False):
        runtime = Runtime(Settings(data=folder, cookie_secure=False, production=production))
        app = built(runtime, "gateway")
        app.directory.load(TREE)
        return app, runtime

    def test_accounts_are_shown_with_passwords_that_open(self, tmp_path):
        app, runtime = self.gateway(tmp_path)
        app.demonstrations.create_demonstration(self.PEOPLE, province="内蒙古自治区", size="county", seed=1)
        (shown,) = app.demonstrations.shown().accounts
        app.sessions.sign_in(shown.account, shown.password, address="x")
        pem = (runtime.folder("keys") / "identity.pem").read_bytes()
        api = build_api("gateway", "网关", routers(app), Verifier(public_half(pem), runtime.clock), app.store)
        answer = Client(api).get(f"{ROOT}/demonstration").json()
        assert answer["accounts"] == [
            {
                "account": "demo-ducha",
                "password": shown.password,
                "title": "督察员",
                "unit_name": "自治区人民政府",
            }
        ]
        assert (answer["size"], answer["seed"]) == ("county", 1)

    def test_made_twice_they_stay_as_they_were(self, tmp_path):
        app, _ = self.gateway(tmp_path)
        once = app.demonstrations.create_demonstration(self.PEOPLE, province="x", size="county", seed=1)
        assert (
            app.demonstrations.create_demonstration(self.PEOPLE, province="x", size="county", seed=1) == once
        )

    def test_passwords_differ_from_one_data_folder_to_the_next(self, tmp_path):
        shown = [
            self.gateway(tmp_path / name)[0].demonstrations.create_demonstration(
                self.PEOPLE, province="x", size="county", seed=1
            )
            for name in "ab"
        ]
        assert shown[0].accounts[0].password != shown[1].accounts[0].password

    def test_a_real_installation_has_none_and_takes_none(self, app, http):
        answer = http.get(f"{ROOT}/demonstration")
        assert (answer.status_code, answer.json()["code"]) == (404, "identity.no_demonstration")
        with pytest.raises(RuleViolation):
            app.demonstrations.create_demonstration(self.PEOPLE, province="x", size="county", seed=1)

    def test_production_refuses_them_even_over_demonstration_data(self, tmp_path):
        app, runtime = self.gateway(tmp_path)
        app.demonstrations.create_demonstration(self.PEOPLE, province="x", size="county", seed=1)
        runtime.close()
        strict = build(Runtime(Settings(data=tmp_path, production=True)))
        with pytest.raises(RuleViolation):
            strict.demonstrations.create_demonstration(self.PEOPLE, province="x", size="county", seed=1)


def test_keys_that_others_may_read_stop_the_start(tmp_path):
    runtime = Runtime(Settings(data=tmp_path, cookie_secure=False))
    build(runtime)
    (tmp_path / "keys" / "partners.key").chmod(0o644)
    with pytest.raises(PermissionError, match="chmod"):
        build(Runtime(Settings(data=tmp_path, cookie_secure=False)))


def test_the_public_half_checks_what_the_private_half_signed(app, runtime, clock):
    token = app.partners.service_token("assessment", "legislation")
    pem = (runtime.folder("keys") / "identity.pem").read_bytes()
    principal, _ = Verifier(public_half(pem), clock, "legislation").principal(token)
    assert principal.account == "assessment"
    from kernel.errors import NotSignedIn

    with pytest.raises(NotSignedIn):
        Verifier(public_half(pem), clock, "disputes").principal(token)


def test_partner_brokers_are_read_from_settings(tmp_path):
    brokers = "petition=amqp://a:b@h/p, hotline=amqp://c:d%2C@h/q"
    assert set(build(Runtime(Settings(data=tmp_path, partner_brokers=brokers))).doors) == {
        "petition",
        "hotline",
    }
