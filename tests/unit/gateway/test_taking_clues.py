import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from standardwebhooks import Webhook

from contracts.clues.v1.clues_pb2 import ClueRouted
from gateway.clues.model import ClueOriginal, ClueRow
from gateway.partners.signature import secret_text
from kernel.access.principal import SYSTEM
from tests.support.gateway import NOW, body_of, hotline_order, partner

CLUES = "/api/gateway/v1/clues"


def send(http, sender, message, at=NOW, **headers):
    body = message if isinstance(message, bytes) else body_of(message)
    return http.post(CLUES, content=body, headers={**sender.signed(body, at), **headers})


def held(app):
    table = app.store.spine.quarantine
    with app.store.reading() as session:
        return session.execute(select(table).order_by(table.c.held_at)).fetchall()


def told(app, name):
    table = app.store.spine.outbox
    with app.store.reading() as session:
        return [row.body for row in session.execute(select(table).where(table.c.name == name))]


def count(app, model=ClueRow):
    with app.store.reading() as session:
        return session.execute(select(func.count()).select_from(model)).scalar_one()


class TestAGoodClue:
    def test_gets_a_receipt_and_goes_to_the_service_that_deals_with_it(self, app, http, hotline):
        answer = send(http, hotline, hotline_order())
        assert answer.status_code == 202
        receipt = answer.json()
        assert (receipt["duplicate"], receipt["state"]) == (False, "routed")
        (body,) = told(app, "clue_routed_to_enforcement.v1")
        routed = ClueRouted.FromString(body)
        assert routed.receipt == receipt["receipt"]
        assert (routed.clue.system, routed.clue.external_id) == ("hotline", "HT-2026-0001")
        assert (routed.clue.kind, routed.clue.unit) == (1, "150102-scjg")

    def test_names_and_numbers_of_people_go_no_further_than_the_door(self, app, http, hotline):
        send(http, hotline, hotline_order())
        (body,) = told(app, "clue_routed_to_enforcement.v1")
        assert b"13800138000" not in body
        with app.store.reading() as session:
            row = session.scalars(select(ClueRow)).one()
            original = session.scalars(select(ClueOriginal)).one()
        assert len(row.person_hash) == 64
        assert b"13800138000" not in original.sealed
        assert b"13800138000" in app.intake._vault.open(f"clue/{row.receipt}", original.sealed)

    def test_the_same_person_is_recognised_however_the_number_is_written(self, app, http, hotline):
        send(http, hotline, hotline_order("A-1"))
        send(http, hotline, hotline_order("A-2", 来电号码="138 0013-8000"))
        with app.store.reading() as session:
            assert len(set(session.scalars(select(ClueRow.person_hash)))) == 1

    def test_a_dispute_goes_to_disputes(self, app, http, hotline):
        send(http, hotline, hotline_order(来电类别="求助", 工单标题="与物业的纠纷", 主要内容="请求调解"))
        assert told(app, "clue_routed_to_disputes.v1")

    def test_one_that_is_nobodys_business_here_is_sent_back_with_the_reason(self, app, http, hotline):
        answer = send(http, hotline, hotline_order(来电类别="表扬", 工单标题="感谢", 主要内容="办事很快"))
        assert answer.json()["state"] == "returned"
        with app.store.reading() as session:
            from gateway.clues.model import AnswerRow

            answer_body = json.loads(session.scalars(select(AnswerRow.body)).one())
        assert answer_body["办理状态"] == "退回"
        assert answer_body["工单编号"] == "HT-2026-0001"

    def test_a_court_judgment_is_found_by_its_case_number_and_the_organs_credit_code(self, app, http):
        litigation = partner(app, "litigation")
        judgment = {
            "案号": "(2026)内0102行初12号", "案由": "不服行政处罚", "裁判日期": "2026-11-10",
            "法院所在地区划代码": "150102", "被告机关统一社会信用代码": "11150102MB1234567A",
            "法院": "新城区人民法院", "审级": "一审", "裁判结果": "撤销", "原告": "某公司",
        }  # fmt: skip
        answer = send(http, litigation, judgment)
        assert answer.status_code == 202
        (body,) = told(app, "clue_routed_to_disputes.v1")
        clue = ClueRouted.FromString(body).clue
        assert (clue.external_id, clue.unit, clue.attributes["outcome"]) == (
            "（2026）内0102行初12号",
            "150102-scjg",
            "LT02",
        )

    def test_rare_characters_of_names_come_through(self, app, http, hotline):
        send(http, hotline, hotline_order(工单标题="投诉𠮷祥䶮餐馆执法检查"))
        with app.store.reading() as session:
            assert "𠮷祥䶮" in session.scalars(select(ClueRow.title)).one()

    def test_a_signature_made_by_the_public_library_is_good(self, app, http, hotline):
        body = body_of(hotline_order())
        signature = Webhook(secret_text(hotline.secret)).sign("lib-1", NOW, body.decode())
        headers = {
            "webhook-id": "lib-1",
            "webhook-timestamp": str(int(NOW.timestamp())),
            "webhook-signature": signature,
        }
        assert http.post(CLUES, content=body, headers=headers).status_code == 202


class TestRepeats:
    def test_a_hundred_sends_ten_at_a_time_are_one_clue_with_one_receipt(self, app, hotline):
        body = body_of(hotline_order())

        def take(_number: int) -> str:
            sender = app.partners.authenticate(hotline.signed(body, NOW), body)
            return app.intake.take(sender, body).receipt

        with ThreadPoolExecutor(10) as pool:
            receipts = set(pool.map(take, range(100)))
        assert len(receipts) == 1
        assert count(app) == 1
        assert len(told(app, "clue_routed_to_enforcement.v1")) == 1

    def test_a_replayed_message_gets_the_same_receipt(self, app, http, hotline):
        body = body_of(hotline_order())
        headers = hotline.signed(body, NOW)
        first = http.post(CLUES, content=body, headers=headers).json()
        again = http.post(CLUES, content=body, headers=headers).json()
        assert (again["receipt"], again["duplicate"]) == (first["receipt"], True)

    def test_the_same_content_written_down_differently_is_the_same_clue(self, app, http, hotline):
        first = send(http, hotline, hotline_order()).json()
        reordered = dict(reversed(hotline_order().items()))
        again = send(http, hotline, json.dumps(reordered).encode()).json()
        assert again["receipt"] == first["receipt"]

    def test_the_same_bytes_are_the_same_clue_though_the_agreement_changed_meanwhile(
        self, app, http, hotline, monkeypatch
    ):
        body = body_of(hotline_order())
        first = send(http, hotline, body).json()
        agreed = app.links["hotline"]
        later = tuple(replace(rule, words=()) for rule in reversed(agreed.kinds))
        monkeypatch.setitem(app.links, "hotline", replace(agreed, kinds=later, version=2))
        again = send(http, hotline, body)
        assert again.status_code == 202
        assert (again.json()["receipt"], again.json()["duplicate"]) == (first["receipt"], True)
        assert send(http, hotline, hotline_order(工单标题="另一件")).status_code == 409

    def test_the_same_number_with_other_content_is_a_conflict_and_kept(self, app, http, hotline):
        send(http, hotline, hotline_order())
        answer = send(http, hotline, hotline_order(工单标题="改成了检查扰民"))
        assert (answer.status_code, answer.json()["code"]) == (409, "clues.content_changed")
        assert [row.code for row in held(app)] == ["clues.content_changed"]

    def test_one_message_id_for_two_records_is_a_conflict(self, app, http, hotline):
        for number, status in (("A-1", 202), ("A-2", 409)):
            body = body_of(hotline_order(number))
            answer = http.post(CLUES, content=body, headers=hotline.signed(body, NOW, "one-id"))
            assert answer.status_code == status
        assert answer.json()["code"] == "clues.message_id_reused"
        assert count(app) == 1


def _nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


# (name, body, status, code): every one correctly signed
BAD_BODIES = [
    ("empty", b"", 422, "platform.bad_json"),
    ("not json", b"<clue/>", 422, "platform.bad_json"),
    ("cut off", b'{"a": 1', 422, "platform.bad_json"),
    ("gbk", "{\"工单标题\": \"x\"}".encode("gbk"), 422, "platform.not_utf8"),
    ("utf-16", json.dumps(hotline_order()).encode("utf-16"), 422, "platform.not_utf8"),
    ("a list", b"[]", 422, "clues.not_an_object"),
    ("a number", b"5", 422, "clues.not_an_object"),
    ("deep", _nested(21), 422, "platform.json_too_deep"),
    ("very deep", _nested(30_000), 422, "platform.json_too_deep"),
    ("many", body_of({"a": list(range(20_000))}), 413, "platform.json_too_many_nodes"),
    ("key twice", b'{"a": 1, "a": 2}', 422, "platform.duplicate_key"),
    ("nan", b'{"a": NaN}', 422, "platform.number_not_finite"),
    ("infinite", b'{"a": 1e400}', 422, "platform.number_out_of_range"),
    ("long number", b'{"a": ' + b"9" * 5000 + b"}", 422, "platform.number_out_of_range"),
    ("lone surrogate", b'{"\\u5de5": "\\ud800"}', 422, "platform.bad_character"),
    ("nul", b'{"a": "\\u0000"}', 422, "platform.bad_character"),
    ("unknown field", body_of(hotline_order(新字段="x")), 422, "clues.unknown_field"),
    ("no number", body_of(hotline_order(工单编号=None)), 422, "clues.missing"),
    ("blank title", body_of(hotline_order(工单标题=" \u200b ")), 422, "clues.missing"),
    ("both names", body_of(hotline_order(title="又一个")), 422, "clues.field_twice"),
    ("unknown code", body_of(hotline_order(来电类别="闲聊")), 422, "clues.unknown_code"),
    ("unknown unit", body_of(hotline_order(承办单位编码="999999-xx")), 422, "clues.unknown_unit"),
    ("unknown region", body_of(hotline_order(承办单位编码=None, 行政区划代码="440100")), 422, "clues.unknown_region"),
    ("full-width digits", body_of(hotline_order(行政区划代码="１５０１０２")), 422, "clues.not_ascii_digits"),
    ("full-width number", body_of(hotline_order("HT-２０２６")), 422, "clues.not_ascii_digits"),
    ("bidi in the number", body_of(hotline_order("HT-\u202e1")), 422, "clues.hidden_character"),
    ("zero width in the number", body_of(hotline_order("HT-\u200b1")), 422, "clues.hidden_character"),
    ("number with blanks", body_of(hotline_order("HT 1")), 422, "clues.bad_identifier"),
    ("region as number", body_of(hotline_order(行政区划代码=150102)), 422, "clues.not_text"),
    ("no offset", body_of(hotline_order(来电时间="2026-11-19T16:20:00")), 422, "clues.bad_time"),
    ("30 February", body_of(hotline_order(来电时间="2026-02-30T16:20:00+08:00")), 422, "clues.bad_time"),
    ("tomorrow", body_of(hotline_order(来电时间="2026-11-21T16:20:00+08:00")), 422, "clues.time_out_of_range"),
    ("1999", body_of(hotline_order(来电时间="1999-11-19T16:20:00+08:00")), 422, "clues.time_out_of_range"),
    ("title too long", body_of(hotline_order(工单标题="长" * 201)), 422, "clues.too_long"),
    ("version true", body_of(hotline_order(工单版本=True)), 422, "clues.not_integer"),
    ("private use", body_of(hotline_order(工单标题="\ue000执法")), 422, "clues.bad_character"),
    ("over the agreed size", body_of(hotline_order(主要内容="字" * 90_000)), 413, "clues.too_large"),
]  # fmt: skip


class TestBadClues:
    @pytest.mark.parametrize(
        ("body", "status", "code"), [entry[1:] for entry in BAD_BODIES], ids=[e[0] for e in BAD_BODIES]
    )
    def test_a_signed_bad_clue_gets_a_stable_code_and_lies_in_quarantine_with_its_bytes(
        self, app, http, hotline, body, status, code
    ):
        answer = send(http, hotline, body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["message"]
        (entry,) = held(app)
        assert (entry.raw, entry.code, entry.source) == (body, code, "hotline")
        assert count(app) == 0

    def test_every_fault_is_named_with_the_senders_own_field_in_chinese(self, http, hotline):
        answer = send(
            http, hotline, hotline_order(行政区划代码="１５", 来电类别="闲聊", 工单标题=None)
        ).json()
        assert answer["code"] == "clues.invalid"
        assert {field["path"] for field in answer["fields"]} == {"行政区划代码", "来电类别", "工单标题"}
        assert all("一" <= field["message"][0] <= "鿿" for field in answer["fields"])

    def test_the_answer_never_repeats_what_was_sent(self, http, hotline):
        answer = send(http, hotline, hotline_order(来电类别="<script>alert(1)</script>"))
        assert "script" not in answer.text

    def test_over_a_mebibyte_is_refused_before_anything_is_looked_at(self, app, http, hotline):
        answer = send(http, hotline, b"x" * (1024 * 1024 + 1))
        assert (answer.status_code, answer.json()["code"]) == (413, "platform.too_large")
        assert held(app) == []

    def test_bidi_overrides_are_taken_out_of_text(self, app, http, hotline):
        send(http, hotline, hotline_order(工单标题="执法\u202e罚款\u2066"))
        with app.store.reading() as session:
            assert session.scalars(select(ClueRow.title)).one() == "执法罚款"


class TestWhoSentIt:
    @pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
    def test_unsigned_is_401_before_anything_is_parsed(self, app, http, hotline, missing):
        body = b"not even json"
        headers = {name: value for name, value in hotline.signed(body, NOW).items() if name != missing}
        answer = http.post(CLUES, content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "clues.unsigned")
        assert held(app) == []

    @pytest.mark.parametrize(
        "wrong",
        [
            {"webhook-signature": "v1,AAAA"},
            {"webhook-signature": "v1,%%%"},
            {"webhook-signature": "v1a,zzzz v2,zzzz"},
            {"webhook-signature": ","},
            {"webhook-id": "a.b"},
            {"webhook-id": "x" * 65},
            {"webhook-timestamp": "１７６３６００４００"},
            {"webhook-timestamp": "1e9"},
            {"webhook-timestamp": "-5"},
            {"x-fazhi-system": "petition"},
            {"x-fazhi-system": "nobody"},
        ],
    )
    def test_badly_signed_is_401_and_audited(self, app, http, hotline, wrong):
        partner(app, "petition")
        body = body_of(hotline_order())
        headers = {**hotline.signed(body, NOW), **wrong}
        headers = {name: value.encode() for name, value in headers.items()}
        answer = http.post(CLUES, content=body, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["code"] in {"clues.unsigned", "clues.bad_signature"}
        table = app.store.spine.audit
        with app.store.reading() as session:
            assert session.execute(select(table).where(table.c.action == "clue.refused")).first()
        assert count(app) == 0

    def test_a_changed_body_is_401(self, http, hotline):
        body = body_of(hotline_order())
        answer = http.post(CLUES, content=body + b" ", headers=hotline.signed(body, NOW))
        assert answer.json()["code"] == "clues.bad_signature"

    @pytest.mark.parametrize("minutes", [-6, 6, -1440])
    def test_signed_more_than_five_minutes_away_is_401(self, http, hotline, minutes):
        answer = send(http, hotline, hotline_order(), at=NOW + timedelta(minutes=minutes))
        assert (answer.status_code, answer.json()["code"]) == (401, "clues.stale_signature")

    def test_during_a_change_of_keys_either_is_good_and_a_revoked_one_is_not(self, app, http, hotline):
        body = body_of(hotline_order())
        app.partners.add_key(SYSTEM, "hotline")
        assert http.post(CLUES, content=body, headers=hotline.signed(body, NOW)).status_code == 202
        app.partners.revoke_keys(SYSTEM, "hotline", keep=1)
        assert http.post(CLUES, content=body, headers=hotline.signed(body, NOW)).status_code == 401

    def test_one_good_signature_among_several_is_enough(self, http, hotline):
        body = body_of(hotline_order())
        headers = hotline.signed(body, NOW)
        headers["webhook-signature"] = f"v1,AAAA {headers['webhook-signature']} v2,BBBB"
        assert http.post(CLUES, content=body, headers=headers).status_code == 202

    def test_secrets_do_not_lie_open_in_the_database(self, app, runtime, hotline):
        stored = b"".join(path.read_bytes() for path in runtime.settings.data.glob("gateway.db*"))
        assert hotline.secret not in stored
        assert secret_text(hotline.secret).encode() not in stored
