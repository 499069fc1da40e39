"""Anybody can check a published bundle without us: whatever was altered in it is found by a programme of its own."""

import base64
import hashlib

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kernel.ledger.note import NoteSigner
from services.assessment.app import publication_signer
from services.assessment.ledger.stored import newest_checkpoint
from tests.support.publications import GROUP, County


@pytest.fixture
def county(fed):
    return County(fed)


@pytest.fixture
def exported(county, tmp_path):
    county.seal()
    publication = county.publish()
    county.app.publications.export(publication, tmp_path / "bundle")
    return tmp_path / "bundle"


class TestIndependentVerifier:
    def test_an_untouched_bundle_holds(self, county, exported):
        found = county.check(exported)
        assert found.returncode == 0, found.stderr
        assert "3 个单位的得分、覆盖率和名次由事件重算一致" in found.stdout
        assert "3 个名次的区间、中位、档、段、高于下一名的比例和缺口名次由事件重算一致" in found.stdout
        assert "fazhi/draws/v1" in found.stdout
        assert "争议分没有重算" in found.stdout

    @pytest.mark.parametrize("group", [GROUP, "county_governments"])
    def test_a_bundle_holds_though_a_unit_was_dissolved_within_the_year(self, county, tmp_path, group):
        county.dissolve("150102-jt")
        county.seal()
        county.app.publications.export(county.publish(group), tmp_path / "bundle")
        checked = county.check(tmp_path / "bundle")
        assert checked.returncode == 0, checked.stderr

    def test_a_file_of_the_bundle_that_was_changed_is_named(self, county, exported):
        scores = exported / "scores.jsonl"
        scores.write_bytes(scores.read_bytes().replace(b'"rank":1', b'"rank":2'))
        found = county.check(exported)
        assert (found.returncode, "scores.jsonl" in found.stderr) == (1, True)

    def test_a_score_that_does_not_follow_is_found_though_everything_was_signed_anew(self, county, exported):
        lines = [orjson.loads(line) for line in (exported / "scores.jsonl").read_bytes().splitlines()]
        lines[0]["score"], lines[1]["score"] = lines[1]["score"], lines[0]["score"]
        (exported / "scores.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
        self.sign_anew(county, exported)
        found = county.check(exported)
        assert found.returncode == 1
        assert lines[0]["unit"] in found.stderr or lines[1]["unit"] in found.stderr

    def test_what_is_told_beside_a_place_is_made_again(self, county, exported):
        good = (exported / "scores.jsonl").read_bytes()
        for field, other, word in (("interval", [1, 3], "名次区间"), ("tier", 7, "档"), ("band", 7, "段")):
            lines = [orjson.loads(line) for line in good.splitlines()]
            lines[0][field] = other
            (exported / "scores.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
            self.sign_anew(county, exported)
            found = county.check(exported)
            assert (found.returncode, f"单位 {lines[0]['unit']} 的{word}公布为" in found.stderr) == (1, True)
        quick = county.check(exported, "--no-intervals")
        assert (quick.returncode, "没有重算：--no-intervals" in quick.stdout) == (0, True)

    def test_of_a_bundle_of_before_it_is_said_that_intervals_were_not_recomputed(self, county, exported):
        """As they were: no word of the procedure, and less told beside a score. One of today must tell it."""
        beside = ("median", "band", "above_next", "place_at_worst")
        lines = [orjson.loads(line) for line in (exported / "scores.jsonl").read_bytes().splitlines()]
        kept = [{name: value for name, value in line.items() if name not in beside} for line in lines]
        (exported / "scores.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in kept))
        self.sign_anew(county, exported, without="intervals", format="fazhi-bundle/1")
        found = county.check(exported)
        assert found.returncode == 0, found.stderr
        assert "3 个单位的得分、覆盖率和名次由事件重算一致" in found.stdout
        assert "名次区间、档和段没有重算：数据包早于可重算的抽样方法" in found.stdout
        self.sign_anew(county, exported, format="fazhi-bundle/2")
        found = county.check(exported)
        assert (found.returncode, "清单没有写明名次区间" in found.stderr) == (1, True)

    @pytest.mark.parametrize("attack", ["digit", "swap", "delete", "cut", "insert", "unit", "time"])
    def test_an_event_that_was_changed_is_found_though_the_manifest_was_signed_anew(
        self, county, exported, attack
    ):
        path = exported / "events.jsonl"
        lines = path.read_bytes().splitlines(keepends=True)
        match attack:
            case "digit":
                lines[3] = lines[3].replace(b'"score":"1.000"', b'"score":"0.900"')
            case "swap":
                lines[3], lines[4] = lines[4], lines[3]
            case "delete":
                del lines[3]
            case "cut":
                del lines[-2:]
            case "insert":
                lines.append(lines[-1].replace(b'"seq":18', b'"seq":19'))
            case "unit":
                lines[3] = lines[3].replace(b'"unit":"150102-scjg"', b'"unit":"150102-sf"')
            case "time":
                lines[3] = lines[3].replace(b"2026-03-05T02", b"2026-02-05T02")
        path.write_bytes(b"".join(lines))
        self.sign_anew(county, exported)
        found = county.check(exported)
        assert found.returncode == 1, found.stdout + found.stderr
        assert "条" in found.stderr

    def test_a_history_that_a_witness_remembers_otherwise_is_found(self, county, exported, tmp_path):
        with county.app.store.reading() as session:
            note = str(newest_checkpoint(session).note)
        longer = tmp_path / "longer"
        longer.write_text(note.replace("\n18\n", "\n25\n"), encoding="utf-8")
        assert "旧状态" in county.check(exported, "--remembered", longer).stderr
        other = tmp_path / "other"
        root = note.split("\n")[2]
        other.write_text(note.replace(root, base64.b64encode(bytes(32)).decode()), encoding="utf-8")
        assert county.check(exported, "--remembered", other).returncode == 1

    def test_other_peoples_keys_and_missing_witnesses_are_refused(self, county, exported):
        stranger = NoteSigner("fazhi.local/assessment", Ed25519PrivateKey.generate())
        assert county.check(exported, key=stranger.key).returncode == 1
        assert (
            county.check(exported, "--key", str(stranger.key)).returncode == 0
        )  # an older key of the log, beside it
        assert county.check(exported, "--witnesses", "2").returncode == 1

    def test_wrong_usage_and_what_cannot_be_read_have_codes_of_their_own(self, county, exported):
        assert county.check(exported, "--key", "nonsense").returncode == 2
        assert county.check(exported / "nowhere").returncode == 3

    def sign_anew(self, county, bundle, *, without="", **more):
        """As an attacker with the publisher's key, but not the ledger's, would."""
        manifest = orjson.loads((bundle / "manifest.json").read_bytes()) | more
        manifest.pop(without, None)
        for name in manifest["files"]:
            manifest["files"][name] = hashlib.sha256((bundle / name).read_bytes()).hexdigest()
        written = orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS)
        (bundle / "manifest.json").write_bytes(written)
        signer = publication_signer(county.runtime)()
        statement = f"fazhi/publication/v1\n{hashlib.sha256(written).hexdigest()}\n{manifest['id']}\n"
        (bundle / "publication.note").write_text(
            f"{statement}\n{signer.sign(statement).line}", encoding="utf-8"
        )
