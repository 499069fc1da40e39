"""The second factor on both databases, from the door: what opens, what is refused, and what is taken only once (R39)."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.identity.demonstration import DemonstrationPerson
from kernel.access.principal import Principal
from tests.support.gateway import PASSWORD, TREE, furnish, principal
from tests.support.office import ROOT, STEP, Office, enrolled

DUCHA = Principal(account="ducha")


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """A data folder with units and accounts, made once."""
    folder = tmp_path_factory.mktemp("furnished")
    made = Office(folder, "")
    furnish(made.app)
    made.runtime.close()
    return folder


@pytest.fixture
def small(furnished, tmp_path):
    """The gateway over SQLite."""
    made = Office(Path(shutil.copytree(furnished, tmp_path / "data")), "")
    yield made
    made.runtime.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request, tmp_path):
    """The same on each database in turn, for what the database decides."""
    if request.param == "sqlite":
        yield request.getfixturevalue("small")
        return
    made = Office(tmp_path, request.getfixturevalue("postgresql_url"))
    furnish(made.app)
    yield made
    made.runtime.close()


class TestBeforeAFactorIsEnrolled:
    def test_reviewers_inspectors_and_administrators_may_only_enrol(self, small):
        for account in ("shenhe", "xitong", "anquan", "shenji"):
            assert small.as_account(account).me["must_enrol"] is True
        person = small.as_account("ducha")
        assert person.me["must_enrol"] is True
        for method, path in (("GET", "/units"), ("GET", "/accounts"), ("GET", "/clues"), ("POST", "/grants")):
            answer = person.ask(method, path, json={} if method == "POST" else None)
            assert (answer.status_code, answer.json()["code"]) == (403, "identity.enrol_first"), path
            assert "绑定" in answer.json()["message"]
        assert person.ask("GET", "/sessions/current").status_code == 200
        assert person.ask("GET", "/second-factor").json()["must_enrol"] is True

    def test_the_token_itself_carries_no_role_and_no_unit(self, small):
        who, _ = small.checks.principal(small.as_account("ducha").me["token"])
        assert (who.roles, who.unit, who.unit_path, who.is_enrolling) == (frozenset(), "", "", True)

    def test_nothing_else_in_the_whole_gateway_opens_to_it(self, small):
        from kernel.access.rules import rule_of
        from kernel.hosting.api import walk

        lets = {
            route.path.removeprefix(ROOT)
            for route in walk(small.api.routes)
            if (rule := rule_of(route.endpoint)) is not None and rule.lets_enrolling
        }
        assert lets == {"/sessions/current", "/second-factor", "/second-factor/confirmation"}

    def test_who_only_reports_needs_none_and_may_have_one(self, small):
        person = small.as_account("tianbao")
        assert person.me["must_enrol"] is False
        assert person.ask("GET", "/units").status_code == 200
        key, _ = small.enrol("tianbao")
        assert small.sign_in("tianbao").json()["code"] == "identity.code_needed"
        assert small.sign_in("tianbao", code=small.code(key)).status_code == 201

    def test_where_certificates_sign_people_in_it_may_be_optional(self, tmp_path):
        office = Office(tmp_path, "", second_factor="optional")
        furnish(office.app)
        assert office.as_account("ducha").me["must_enrol"] is False
        key, _ = office.enrol("ducha")
        assert office.sign_in("ducha").json()["code"] == "identity.code_needed"
        assert office.sign_in("ducha", code=office.code(key)).status_code == 201
        office.runtime.close()


class TestEnrolling:
    def test_ends_every_session_and_begins_one_under_a_new_id(self, small):
        tab, other = small.browser(), small.browser()
        first = small.sign_in("ducha", browser=tab).json()
        small.sign_in("ducha", browser=other)
        former = tab.cookies["fazhi_session"]
        csrf = {"x-fazhi-csrf": first["csrf"]}
        offer = tab.post(f"{ROOT}/second-factor", json={"password": PASSWORD}, headers=csrf).json()
        code = small.code(offer["key"])
        done = tab.post(f"{ROOT}/second-factor/confirmation", json={"code": code}, headers=csrf)
        assert done.status_code == 200
        assert done.json()["session"]["must_enrol"] is False
        assert tab.cookies["fazhi_session"] != former
        assert tab.get(f"{ROOT}/units").status_code == 200
        assert other.post(f"{ROOT}/sessions/renew", json={}).status_code == 401
        tab.cookies.set("fazhi_session", former)
        assert tab.post(f"{ROOT}/sessions/renew", json={}).status_code == 401
        assert len(done.json()["recovery_codes"]) == 10

    def test_needs_the_password_again(self, small):
        answer = small.as_account("ducha").ask("POST", "/second-factor", json={"password": "not-it"})
        assert (answer.status_code, answer.json()["code"]) == (401, "identity.wrong_credentials")

    def test_a_wrong_first_code_enrols_nothing(self, small):
        ask = small.as_account("ducha").ask
        offer = ask("POST", "/second-factor", json={"password": PASSWORD}).json()
        wrong = "000000" if small.code(offer["key"]) != "000000" else "111111"
        answer = ask("POST", "/second-factor/confirmation", json={"code": wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "identity.wrong_code")
        assert ask("GET", "/second-factor").json()["is_enrolled"] is False

    def test_an_offer_ends_after_a_quarter_of_an_hour(self, small):
        ask = small.as_account("ducha").ask
        offer = ask("POST", "/second-factor", json={"password": PASSWORD}).json()
        small.clock.advance(timedelta(minutes=16))
        again = small.as_account("ducha").ask
        answer = again("POST", "/second-factor/confirmation", json={"code": small.code(offer["key"])})
        assert (answer.status_code, answer.json()["code"]) == (409, "identity.nothing_offered")

    def test_replacing_one_needs_a_code_of_the_one_in_force(self, small):
        key, _ = small.enrol("ducha")
        ask = small.as_account("ducha", small.code(key)).ask
        small.clock.advance(STEP)
        refused = ask("POST", "/second-factor", json={"password": PASSWORD})
        assert refused.json()["code"] == "identity.code_needed"
        offer = ask("POST", "/second-factor", json={"password": PASSWORD, "code": small.code(key)}).json()
        assert ask("POST", "/second-factor/confirmation", json={"code": small.code(offer["key"])}).is_success
        small.clock.advance(STEP)
        assert small.sign_in("ducha", code=small.code(key)).status_code == 401
        assert small.sign_in("ducha", code=small.code(offer["key"])).status_code == 201

    def test_neither_the_key_nor_a_recovery_code_lies_open_in_the_database(self, small):
        headers = {"idempotency-key": "once-more"}
        ask = small.as_account("ducha").ask
        token = small.sign_in("ducha").json()["token"]
        headers |= {"authorization": f"Bearer {token}"}
        offer = (
            small.browser().post(f"{ROOT}/second-factor", json={"password": PASSWORD}, headers=headers).json()
        )
        done = ask("POST", "/second-factor/confirmation", json={"code": small.code(offer["key"])}).json()
        with small.app.store.reading() as session:
            tables = ("second_factors", "recovery_codes", "idempotency", "audit")
            dumped = str([session.execute(text(f"SELECT * FROM {name}")).fetchall() for name in tables])  # noqa: S608
        assert offer["key"] not in dumped
        assert not [
            code for code in done["recovery_codes"] if code in dumped or code.replace("-", "") in dumped
        ]


class TestSigningInWithAFactor:
    def test_a_code_is_needed_and_taken_once(self, office):
        key, _ = office.enrol("ducha")
        answer = office.sign_in("ducha")
        assert (answer.status_code, answer.json()["code"]) == (401, "identity.code_needed")
        assert "set-cookie" not in answer.headers
        code = office.code(key)
        assert office.sign_in("ducha", code=code).status_code == 201
        replayed = office.sign_in("ducha", code=code)
        assert (replayed.status_code, replayed.json()["code"]) == (401, "identity.wrong_credentials")
        office.clock.advance(STEP)
        code = office.code(key)
        with ThreadPoolExecutor(5) as pool:
            at_once = list(pool.map(lambda _: office.app.factors.spend("ducha", code, DUCHA), range(10)))
        assert at_once.count(True) == 1

    def test_clocks_may_differ_by_one_step(self, small):
        key, _ = small.enrol("ducha")
        small.clock.advance(4 * STEP)
        for steps, status in ((2, 401), (-2, 401), (-1, 201), (0, 201), (1, 201)):
            assert small.sign_in("ducha", code=small.code(key, steps)).status_code == status, steps

    def test_a_code_before_one_that_was_taken_is_not_taken(self, small):
        key, _ = small.enrol("ducha")
        small.clock.advance(4 * STEP)
        assert small.sign_in("ducha", code=small.code(key, 1)).status_code == 201
        assert small.sign_in("ducha", code=small.code(key)).status_code == 401

    def test_a_wrong_password_and_a_wrong_code_get_one_answer(self, small):
        key, _ = small.enrol("ducha")
        wrong = "000000" if small.code(key) != "000000" else "111111"
        said = [
            small.sign_in("ducha", "not-the-password", small.code(key)),
            small.sign_in("ducha", PASSWORD, wrong),
            small.sign_in("nobody", PASSWORD, wrong),
        ]
        plain = [{name: one.json()[name] for name in ("code", "message")} for one in said]
        assert plain[0] == plain[1] == plain[2]
        assert [one.status_code for one in said] == [401] * 3

    def test_wrong_codes_lock_as_wrong_passwords_do_and_from_wherever_they_come(self, small):
        key, _ = small.enrol("ducha")
        wrong = "000000" if small.code(key) != "000000" else "111111"
        for number in range(5):
            answer = small.sign_in("ducha", code=wrong, browser=small.browser(f"10.0.{number}.1"))
            assert answer.status_code == 401
        locked = small.sign_in("ducha", code=small.code(key), browser=small.browser("10.9.9.9"))
        assert (locked.status_code, locked.json()["code"]) == (429, "identity.locked")
        small.clock.advance(timedelta(minutes=15))
        assert small.sign_in("ducha", code=small.code(key)).status_code == 201

    def test_asking_for_the_code_takes_back_no_count(self, small):
        small.enrol("ducha")
        for _ in range(5):
            assert small.sign_in("ducha").json()["code"] == "identity.code_needed"
        assert small.sign_in("ducha").json()["code"] == "identity.locked"

    def test_a_stranger_without_the_password_cannot_lock_the_codes(self, small):
        key, _ = small.enrol("ducha")
        for number in range(6):
            small.sign_in("ducha", "not-it", "123456", small.browser(f"203.0.113.{number}"))
        assert small.sign_in("ducha", code=small.code(key)).status_code == 201

    def test_a_recovery_code_opens_once(self, small):
        _, done = small.enrol("ducha")
        code = done["recovery_codes"][3]
        assert small.sign_in("ducha", code=code.upper().replace("-", " ")).status_code == 201
        assert small.sign_in("ducha", code=code).status_code == 401
        person = small.as_account("ducha", done["recovery_codes"][4])
        assert person.ask("GET", "/second-factor").json()["recovery_left"] == 8
        assert len(small.audited("factor.recovery_code_used")) == 2

    def test_changing_the_password_needs_the_code_too(self, small):
        key, _ = small.enrol("ducha")
        change = {"account": "ducha", "password": PASSWORD, "new_password": "Xin-Kouling-2027"}
        answer = small.browser().post(f"{ROOT}/passwords", json=change)
        assert answer.json()["code"] == "identity.code_needed"
        change["code"] = small.code(key)
        assert small.browser().post(f"{ROOT}/passwords", json=change).status_code == 204

    def test_a_session_opened_without_the_code_in_the_moment_of_enrolment_is_no_good(self, small):
        small.enrol("ducha")
        with small.app.store.work() as work:
            begun = small.app.sessions._begin(work, "tianbao", "150102-scjg", "x", by_code=False)
            work.commit()
        small.app.sessions.renew(begun.session)
        small.enrol("tianbao")
        tab = small.browser()
        tab.cookies.set("fazhi_session", begun.session)
        assert tab.post(f"{ROOT}/sessions/renew", json={}).status_code == 401


class TestALostFactor:
    def test_is_removed_by_two_people_and_enrolled_anew(self, office):
        system, security = enrolled(office, "xitong"), enrolled(office, "anquan")
        office.enrol("ducha")
        reason = {"account": "ducha", "reason": "手机遗失，已当面核对身份证"}
        removal = system("POST", "/factor-removals", json=reason).json()["id"]
        again = system("POST", "/factor-removals", json=reason)
        assert (again.status_code, again.json()["code"]) == (409, "identity.removal_exists")
        own = system("POST", f"/factor-removals/{removal}/decision", json={"approve": True})
        assert own.status_code == 403
        (line,) = security("GET", "/factor-removals").json()
        assert (line["state"], line["proposed_by"], line["reason"]) == (
            "proposed",
            "xitong",
            reason["reason"],
        )
        decision = f"/factor-removals/{removal}/decision"
        assert security("POST", decision, json={"approve": True, "note": "已核实"}).status_code == 204
        assert security("POST", decision, json={"approve": True}).status_code == 409
        assert office.as_account("ducha").me["must_enrol"] is True
        assert office.audited("factor.removal_proposed")[0][:2] == ("xitong", "accounts/ducha")
        assert office.audited("factor.removed")[0][:2] == ("anquan", "accounts/ducha")

    def test_is_never_removed_for_oneself_nor_at_ones_own_request(self, small):
        small.enrol("anquan")
        both = principal("anquan", "15", "/15/", "security_admin", "system_admin")
        system = principal("xitong", "15", "/15/", "system_admin")
        with pytest.raises(Exception, match="own_factor"):
            small.app.removals.propose(both, account="anquan", reason="x")
        removal = small.app.removals.propose(system, account="anquan", reason="x")
        with pytest.raises(Exception, match="four_eyes"):
            small.app.removals.decide(both, removal, approve=True)

    def test_found_again_or_replaced_it_is_not_removed_by_the_request_of_before(self, small):
        system, security = enrolled(small, "xitong"), enrolled(small, "anquan")
        _, shown = small.enrol("ducha")
        lost = {"account": "ducha", "reason": "手机遗失"}
        removal = system("POST", "/factor-removals", json=lost).json()["id"]
        small.clock.advance(STEP)
        code, again = shown["recovery_codes"][:2]
        ask = small.as_account("ducha", code).ask
        offer = ask("POST", "/second-factor", json={"password": PASSWORD, "code": again}).json()
        proof = {"code": small.code(offer["key"])}
        assert ask("POST", "/second-factor/confirmation", json=proof).status_code == 200
        decision = f"/factor-removals/{removal}/decision"
        answer = security("POST", decision, json={"approve": True})
        assert (answer.status_code, answer.json()["code"]) == (409, "identity.factor_renewed")
        assert small.sign_in("ducha").json()["code"] == "identity.code_needed"
        assert security("POST", decision, json={"approve": False}).status_code == 204
        small.clock.advance(STEP)
        anew = system("POST", "/factor-removals", json=lost).json()["id"]
        assert (
            security("POST", f"/factor-removals/{anew}/decision", json={"approve": True}).status_code == 204
        )
        assert small.as_account("ducha").me["must_enrol"] is True

    def test_of_another_part_of_the_tree_is_unknown(self, small):
        small.enrol("ducha")
        far = principal("yuan", "1502", "/15/1502/", "system_admin")
        with pytest.raises(Exception, match="unknown_account"):
            small.app.removals.propose(far, account="ducha", reason="x")

    def test_refused_it_stays_in_force(self, small):
        system, security = enrolled(small, "xitong"), enrolled(small, "anquan")
        key, _ = small.enrol("ducha")
        removal = system("POST", "/factor-removals", json={"account": "ducha", "reason": "x"}).json()["id"]
        answer = {"approve": False, "note": "未见本人"}
        assert security("POST", f"/factor-removals/{removal}/decision", json=answer).status_code == 204
        assert small.sign_in("ducha").json()["code"] == "identity.code_needed"
        assert small.sign_in("ducha", code=small.code(key)).status_code == 201


class TestDemonstrationAccounts:
    PEOPLE = (
        DemonstrationPerson(account="demo", name="演示", title="督察员", unit="15", roles=("inspector",)),
    )

    def shown(self, office):
        office.app.directory.load(TREE)
        office.app.demonstrations.create_demonstration(self.PEOPLE, province="x", size="county", seed=1)
        return office.app.demonstrations.shown().accounts[0]

    def test_sign_in_with_the_password_alone_until_they_enrolled(self, tmp_path):
        office = Office(tmp_path, "")
        demo = self.shown(office)
        person = office.as_account("demo", password=demo.password)
        assert person.me["must_enrol"] is False
        assert person.ask("GET", "/units").status_code == 200
        key, _ = office.enrol("demo", demo.password)
        assert office.sign_in("demo", demo.password).json()["code"] == "identity.code_needed"
        assert office.sign_in("demo", demo.password, office.code(key)).status_code == 201
        office.runtime.close()
