#!/usr/bin/env python3
"""
法治一体 公布排名的独立核验程序 Independent verifier of published rankings.

One file, Python 3.9 or newer, standard library only, no code of the platform: whoever has a published bundle and
the public keys of the log, of its publisher and of its witnesses can find out, offline, whether

  1. every file is the one that was published (manifest, signed by the publisher);
  2. every scored event is the one that was recorded: canonical bytes, gapless numbers, Merkle root of every
     checkpoint (RFC 6962, SHA-256, and SM3 of GB/T 32905 beside it), signatures (C2SP signed note, Ed25519),
     enough witnesses, and no history that a remembered checkpoint contradicts; and, with the sources' public keys,
     one that its source has signed;
  3. the published scores, coverage and places follow from those events by the published framework.

    python3 fazhi_verify.py BUNDLE --key VKEY --publisher VKEY [--source VKEY ...] [--witness VKEY ...] [--witnesses N]
                            [--remembered NOTE ...] [--blobs FOLDER] [--no-sm3]

Whoever holds a receipt (one unit's events, or one event) checks that instead: canonical leaves, their way to both
roots of the checkpoint, its signature and cosignatures.

    python3 fazhi_verify.py --receipt FILE --key VKEY [--source VKEY ...] [--witness VKEY ...] [--witnesses N]
                            [--no-sm3]

`--key` and `--source` may be given several times, as keys rotate. Exit code 0: everything holds. 1: something was tampered
with or does not follow; the record or range is named. 2: wrong usage. 3: what was given cannot be read.

What it cannot show: that what was recorded was true, and that nothing was left unrecorded.
"""

import argparse
import base64
import hashlib
import json
import secrets
import sys
from collections import Counter
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from math import floor
from pathlib import Path

MICRO = 1_000_000
FULL = 100 * MICRO
MILLE = 1000
SHANGHAI = timezone(timedelta(hours=8))
COUNTS = (
    "passed",
    "failed",
    "graded",
    "not_applicable",
    "not_computable",
    "not_due",
    "numerator",
    "denominator",
)
RECEIPT = "fazhi/receipts/v1"
OUTCOMES = {"pass": 0, "fail": 1, "not_applicable": 3, "not_computable": 4, "not_due": 5}


class Tampered(Exception):
    """Something is not what was published or does not follow from it."""


class Unreadable(Exception):
    """What was given cannot be read at all."""


# ---- signatures: C2SP signed notes and cosignatures, Ed25519 (RFC 8032) -----------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def _x_of(y, odd):
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and odd):
        return None
    return P - x if x & 1 != odd else x


def _point(encoded):
    number = int.from_bytes(encoded, "little")
    y, odd = number & ((1 << 255) - 1), number >> 255
    x = _x_of(y, odd) if y < P else None
    return None if x is None else (x, y, 1, x * y % P)


def _added(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar, point):
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _added(total, point)
        point, scalar = _added(point, point), scalar >> 1
    return total


BASE_Y = 4 * pow(5, -1, P) % P
BASE = (_x_of(BASE_Y, 0), BASE_Y, 1, _x_of(BASE_Y, 0) * BASE_Y % P)


def ed25519_holds(public, signature, message):
    """Whether this is the key's signature of the message."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, commitment = _point(public), _point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or scalar >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = _times(scalar, BASE), _added(commitment, _times(challenge, key))
    return (
        not (left[0] * right[2] - right[0] * left[2]) % P
        and not (left[1] * right[2] - right[1] * left[2]) % P
    )


def combined(pairs):
    """The sum of points, each times its scalar, by Pippenger's buckets: for many far less than one by one."""
    width = max(2, min(9, len(pairs).bit_length() - 2))
    total, mask = (0, 1, 1, 0), (1 << width) - 1
    for shift in range(max(scalar.bit_length() for scalar, _ in pairs) // width * width, -1, -width):
        for _ in range(width):
            total = _added(total, total)
        buckets = {}
        for scalar, point in pairs:
            digit = scalar >> shift & mask
            if digit:
                buckets[digit] = _added(buckets[digit], point) if digit in buckets else point
        running = (0, 1, 1, 0)
        for digit in range(mask, 0, -1):
            if digit in buckets:
                running = _added(running, buckets[digit])
            total = _added(total, running)
    return total


def ed25519_all_hold(entries):
    """Whether these (public, signature, message) all hold: one equation, every entry in it by a chance of its own."""
    pairs, keys, base = [], {}, 0
    for public, signature, message in entries:
        commitment, scalar = _point(signature[:32]), int.from_bytes(signature[32:], "little")
        if len(public) != 32 or len(signature) != 64 or commitment is None or scalar >= ORDER:
            return False
        challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little")
        weight = 1 + secrets.randbits(128)
        base += weight * scalar
        keys[public] = keys.get(public, 0) + weight * challenge
        pairs.append((weight, commitment))
    for public, weight in keys.items():
        key = _point(public)
        if key is None:
            return False
        pairs.append((weight % ORDER, key))
    pairs.append((-base % ORDER, BASE))
    x, y, z, _ = _times(8, combined(pairs))
    return not x % P and not (y - z) % P


def not_held(entries):
    """The places of those that do not hold, found by halves."""
    if not entries or ed25519_all_hold(entries):
        return []
    if len(entries) == 1:
        return [] if ed25519_holds(*entries[0]) else [0]
    half = len(entries) // 2
    return not_held(entries[:half]) + [half + place for place in not_held(entries[half:])]


def decoded(encoded):
    """The bytes of base64 in its one canonical form; ValueError for any other."""
    raw = base64.b64decode(encoded, validate=True)
    if base64.b64encode(raw).decode() != encoded:
        raise ValueError("not canonical base64")
    return raw


class Key:
    """A public key in the form notes use: name+id+base64(kind, key). Kind 1 signs the text, kind 4 cosigns it."""

    def __init__(self, vkey):
        try:
            self.name, written, encoded = vkey.strip().split("+", 2)
            raw = decoded(encoded)
        except ValueError as error:
            raise WrongUsage(f"公钥格式有误：{vkey!r}") from error
        self.kind, self.public = raw[0], raw[1:]
        self.id = hashlib.sha256(self.name.encode() + b"\n" + raw).digest()[:4]
        if self.id.hex() != written or self.kind not in (1, 4) or len(self.public) != 32:
            raise WrongUsage(f"公钥与其编号不符或算法不识：{vkey!r}")

    def signed(self, note):
        """Whether this key's signature is under the note; a wrong one of this key is tampering."""
        text, lines = note
        for name, raw in lines:
            if name != self.name or raw[:4] != self.id:
                continue
            message = text.encode()
            signature = raw[4:]
            if self.kind == 4:
                moment, signature = int.from_bytes(signature[:8], "big"), signature[8:]
                message = f"cosignature/v1\ntime {moment}\n".encode() + message
            if not ed25519_holds(self.public, signature, message):
                raise Tampered(f"{self.name} 的签名不成立")
            return True
        return False


class WrongUsage(Exception):
    """Wrong usage."""


def read_note(written):
    """(text, [(name, key id and signature)]) of a signed note."""
    text, found, signatures = written.rpartition("\n\n")
    if not found:
        raise Tampered("签名短笺没有签名")
    lines = []
    for line in signatures.splitlines():
        mark, _, rest = line.partition(" ")
        name, _, encoded = rest.rpartition(" ")
        if mark != "—":
            raise Tampered("签名短笺的签名行有误")
        try:
            lines.append((name, decoded(encoded)))
        except ValueError as error:
            raise Tampered("签名短笺的签名行有误") from error
    return text + "\n", lines


# ---- the tree: RFC 6962 over SHA-256, and over SM3 --------------------------------------------------------------


def sha256(content):
    return hashlib.sha256(content).digest()


def _rotated(x, n):
    n %= 32
    return (x << n | x >> (32 - n)) & 0xFFFFFFFF


def sm3_plain(content):
    """SM3 (GB/T 32905-2016), for machines whose OpenSSL has none."""
    state = [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E]
    padded = content + b"\x80" + b"\x00" * ((55 - len(content)) % 64) + (8 * len(content)).to_bytes(8, "big")
    for start in range(0, len(padded), 64):
        w = [int.from_bytes(padded[i : i + 4], "big") for i in range(start, start + 64, 4)]
        for j in range(16, 68):
            x = w[j - 16] ^ w[j - 9] ^ _rotated(w[j - 3], 15)
            w.append(x ^ _rotated(x, 15) ^ _rotated(x, 23) ^ _rotated(w[j - 13], 7) ^ w[j - 6])
        a, b, c, d, e, f, g, h = state
        for j in range(64):
            turned = _rotated(a, 12)
            ss1 = _rotated(turned + e + _rotated(0x79CC4519 if j < 16 else 0x7A879D8A, j) & 0xFFFFFFFF, 7)
            ff = a ^ b ^ c if j < 16 else a & b | a & c | b & c
            gg = e ^ f ^ g if j < 16 else e & f | ~e & g
            tt1 = ff + d + (ss1 ^ turned) + (w[j] ^ w[j + 4]) & 0xFFFFFFFF
            tt2 = gg + h + ss1 + w[j] & 0xFFFFFFFF
            a, b, c, d = tt1, a, _rotated(b, 9), c
            e, f, g, h = tt2 ^ _rotated(tt2, 9) ^ _rotated(tt2, 17), e, _rotated(f, 19), g
        state = [x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h))]
    return b"".join(x.to_bytes(4, "big") for x in state)


def sm3(content):
    """SM3 by the library where there is one: a hundred times as fast."""
    return (
        hashlib.new("sm3", content).digest() if "sm3" in hashlib.algorithms_available else sm3_plain(content)
    )


class Tree:
    """Grows by leaves and knows its root at every size."""

    def __init__(self, digest):
        self.digest, self.size, self.peaks = digest, 0, []

    def append(self, leaf):
        node, count = self.digest(b"\x00" + leaf), self.size
        while count & 1:
            node, count = self.digest(b"\x01" + self.peaks.pop() + node), count >> 1
        self.peaks.append(node)
        self.size += 1

    def root(self):
        if not self.peaks:
            return self.digest(b"")
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = self.digest(b"\x01" + peak + node)
        return node


def way_up(digest, leaf, index, size, proof):
    """The root that a leaf and the hashes beside its way lead to (RFC 9162, 2.1.3.2); None for a way that is none."""
    node, last = digest(b"\x00" + leaf), size - 1
    for beside in proof:
        if not last or len(beside) != 32:
            return None
        if index & 1 or index == last:
            node = digest(b"\x01" + beside + node)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = digest(b"\x01" + node + beside)
        index, last = index >> 1, last >> 1
    return None if last else node


class Checkpoint:
    """What a log said it was: origin, size, roots, and the checkpoint before it."""

    def __init__(self, written):
        self.note = read_note(written)
        self.text = self.note[0]
        lines = self.text.rstrip("\n").split("\n")
        try:
            self.origin, self.size, self.root = (
                lines[0],
                int(lines[1]),
                decoded(lines[2]),
            )
            more = dict(line.split(" ", 1) for line in lines[3:])
            self.sm3 = decoded(more.get("sm3", ""))
        except (ValueError, IndexError) as error:
            raise Tampered("检查点的格式有误") from error


# ---- events ---------------------------------------------------------------------------------------------------------


def lines_of(path):
    with path.open("rb") as file:
        for line in file:
            yield line.rstrip(b"\n")


def read_leaf(line, seq):
    """The event of a leaf; its bytes must be the canonical ones and its number the next."""
    try:
        leaf = json.loads(line)
        canonical = json.dumps(leaf, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except (ValueError, UnicodeEncodeError) as error:
        raise Tampered(f"第 {seq} 条记录无法解读") from error
    if not isinstance(leaf, dict) or canonical != line:
        raise Tampered(f"第 {seq} 条记录不是规范字节")
    if leaf.get("seq") != seq:
        raise Tampered(f"第 {seq} 条记录处的编号是 {leaf.get('seq')}：有记录被删除、插入或调换")
    return leaf


class Roots:
    """The roots that signed checkpoints promise, compared as the trees grow."""

    def __init__(self, checkpoints, with_sm3):
        self.trees = [Tree(sha256)] + ([Tree(sm3)] if with_sm3 else [])
        self.good, self.expected = 0, {}
        for checkpoint in checkpoints:
            self.expected.setdefault(checkpoint.size, []).append(checkpoint)
        self.compare(0)

    def append(self, seq, line):
        for tree in self.trees:
            tree.append(line)
        if seq in self.expected:
            self.compare(seq)

    def compare(self, size):
        for checkpoint in self.expected.pop(size, ()):
            for tree, root in zip(self.trees, (checkpoint.root, checkpoint.sm3)):
                if root and tree.root() != root:
                    raise Tampered(
                        f"第 {self.good + 1} 至 {size} 条记录与签名检查点（{checkpoint.origin}，{size} 条）的根不符"
                    )
        self.good = size

    def end(self, size):
        if self.expected:
            raise Tampered(
                f"记录到第 {size} 条为止，而签名检查点已有 {max(self.expected)} 条：末尾被截去，或整体退回到旧状态"
            )


# ---- sources: who told an event -------------------------------------------------------------------------------------

ADDED = frozenset(("received_at", "seq", "source_sig", "type", "version"))  # by the log, to what the source said
SPREADING, IN_FLIGHT = timedelta(minutes=10), timedelta(days=1)
AT_ONCE = 2000


class SourceKey(Key):
    """A source's public key: name+id+base64, and after commas since when it signs (from=) and is revoked (revoked=)."""

    def __init__(self, written):
        vkey, *said = written.strip().split(",")
        super().__init__(vkey)
        try:
            times = {name: moment(at) for name, at in (one.split("=") for one in said)}
        except ValueError as error:
            raise WrongUsage(f"来源公钥的时刻有误：{written!r}") from error
        if self.kind != 1 or not times.keys() <= {"from", "revoked"}:
            raise WrongUsage(f"不是来源的公钥：{written!r}")
        self.signs_from, self.revoked = times.get("from"), times.get("revoked")


def moment(written):
    return datetime.fromisoformat(written.replace("Z", "+00:00"))


class Sources:
    """
    Every event must be one its source signed: a tree over what it said in a message, and this event's way to its root.

    A leaf is judged by the latest time of all before it, so that none in the middle can pass for older. What was told
    before a source began to sign is counted as not signed; signatures are checked many at once.
    """

    def __init__(self, written):
        self.keys, self.counts, self.waiting, self.latest = {}, Counter(), {}, ""
        for key in map(SourceKey, written):
            self.keys.setdefault(key.name, {})[key.id] = key

    def check(self, seq, leaf):
        """Judge one leaf; raises Tampered, at once or when its signature is checked."""
        source = leaf["source"]
        self.latest = max(self.latest, leaf.get("received_at", ""))
        if source not in self.keys:
            self.counts[source, "未核对"] += 1
            return
        fault = self.fault(seq, source, leaf)
        if fault is None:
            self.counts[source, "签名成立"] += 1
        elif self.is_early(source, leaf):
            self.counts[source, "未签名（来源开始签名之前）"] += 1
        else:
            raise Tampered(f"第 {seq} 条记录{fault}（{source}）")

    def fault(self, seq, source, leaf):
        written = leaf["source_sig"]
        if not written:
            return "没有来源的签名：来源没有告知过，或签名被去掉"
        try:
            raw = decoded(written)
        except ValueError:
            return "的来源签名无法解读"
        place, size = int.from_bytes(raw[5:7], "big"), int.from_bytes(raw[7:9], "big")
        if len(raw) < 73 or (len(raw) - 73) % 32 or raw[0] != 1 or place >= size:
            return "的来源签名无法解读"
        said = {name: value for name, value in leaf.items() if name not in ADDED}
        content = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        root = way_up(sha256, content, place, size, [raw[at : at + 32] for at in range(73, len(raw), 32)])
        key = self.keys[source].get(raw[1:5])
        if key is None:
            return "的来源签名所用的钥匙不在所给的公钥之列"
        if key.revoked and moment(self.latest) - SPREADING >= key.revoked:
            return "的来源签名所用的钥匙当时已经撤销"
        if root is None:
            return "来源没有签过：内容被改动，或不是来源告知的"
        message = b"fazhi/source/v1\n" + source.encode() + b"\n" + root
        resting = self.waiting.setdefault((key.public, raw[9:73], message), [])
        resting.append((seq, source, self.is_early(source, leaf)))
        if len(self.waiting) >= AT_ONCE:
            self.finish()
        return None

    def is_early(self, source, leaf):
        """Whether an event of these times may be older than its source's signing."""
        starts = [key.signs_from for key in self.keys[source].values()]
        if None in starts:
            return False
        at, since = moment(self.latest) - SPREADING, min(starts)
        return at < since or (at < since + IN_FLIGHT and moment(leaf["recorded_at"]) < since)

    def finish(self):
        """Check the signatures that wait; raises Tampered."""
        entries, self.waiting = list(self.waiting.items()), {}
        for place in not_held([signed for signed, _ in entries]):
            for seq, source, early in entries[place][1]:
                if not early:
                    raise Tampered(f"第 {seq} 条记录来源没有签过：内容被改动，或不是来源告知的（{source}）")
                self.counts[source, "签名成立"] -= 1
                self.counts[source, "未签名（来源开始签名之前）"] += 1

    def told(self):
        """How many events of each source were signed, not signed, not checked."""
        by_source = {}
        for (source, standing), count in sorted(self.counts.items()):
            if count:
                by_source.setdefault(source, []).append(f"{standing} {count}")
        return [f"来源 {source}：{'，'.join(said)}" for source, said in by_source.items()]


def check_log(bundle, roots, sources):
    """Hash every leaf against the roots, and ask who told it; gives (source, target) -> the correction that stands, and the size."""
    corrections, seen, seq = {}, set(), 0
    for seq, line in enumerate(lines_of(bundle / "events.jsonl"), start=1):
        leaf = read_leaf(line, seq)
        name = (leaf["source"], leaf["event_id"])
        if name in seen:
            raise Tampered(f"第 {seq} 条记录的事件 {name[1]} 重复")
        seen.add(name)
        sources.check(seq, leaf)
        roots.append(seq, line)
        if leaf["corrects"]:
            place, standing = (leaf["source"], leaf["corrects"]), (leaf["recorded_at"], leaf["event_id"])
            corrections[place] = max(standing, corrections.get(place, standing))
    roots.end(seq)
    sources.finish()
    return corrections, seq


def tallies(bundle, corrections, first, last):
    """Counts, by unit and probe, of the findings that stand, of events that occurred in these months."""
    found = {}
    for line in lines_of(bundle / "events.jsonl"):
        leaf = json.loads(line)
        if (leaf["source"], leaf["event_id"]) in corrections and leaf["corrects"] != leaf["event_id"]:
            continue
        if leaf["corrects"] and corrections[leaf["source"], leaf["corrects"]][1] != leaf["event_id"]:
            continue
        at = datetime.strptime(leaf["occurred_at"], "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(SHANGHAI)
        if not first <= at.strftime("%Y-%m") <= last:
            continue
        counts = found.setdefault(leaf["unit"], {}).setdefault(leaf["probe"], [0] * len(COUNTS))
        counts[OUTCOMES[leaf["outcome"]]] += 1
        if leaf["outcome"] in ("pass", "fail"):
            whole, _, part = leaf["score"].partition(".")
            counts[2] += int(whole) * MILLE + int(part)
            counts[6] += leaf["numerator"]
            counts[7] += leaf["denominator"]
    return found


def check_blobs(bundle, folder):
    """Every document that an event names and the folder holds has the digest that was recorded; gives how many."""
    checked = 0
    names = {}
    for seq, line in enumerate(lines_of(bundle / "events.jsonl"), start=1):
        for digest, _, name, _ in json.loads(line)["doc_sha"]:
            names.setdefault(digest, (seq, name))
    for digest, (seq, name) in names.items():
        plain = digest.rpartition(":")[2]
        for path in (folder / plain, folder / plain[:2] / plain, folder / plain[:2] / plain[2:4] / plain):
            if path.is_file():
                checked += 1
                if hashlib.sha256(path.read_bytes()).hexdigest() != plain:
                    raise Tampered(f"第 {seq} 条记录的佐证材料“{name}”已被替换（{plain[:16]}…）")
    return checked


# ---- scores ---------------------------------------------------------------------------------------------------------


def half_up(number):
    return floor(number + Fraction(1, 2))


def decimal(written, scale):
    return int(Fraction(str(written)) * scale)


def share_reached(method, states):
    """The exact share of the points reached, or None where there is nothing to divide."""
    kind = method["kind"]
    if kind == "survey":
        marks, full = sum(s[6] for s in states), sum(s[7] for s in states)
        return (
            None
            if full < max(1, method["responses_at_least"]) * MILLE
            else min(Fraction(marks, full), Fraction(1))
        )
    if kind == "checklist":
        return sum(Fraction(s[2], (s[0] + s[1]) * MILLE) for s in states) / len(states) if states else None
    if method.get("measured") is True:
        marks, full = sum(s[6] for s in states), sum(s[7] for s in states)
    else:
        marks, full = sum(s[2] for s in states), sum((s[0] + s[1]) * MILLE for s in states)
    if full <= 0:
        return None
    step = Fraction(str(method.get("step", "0")))
    if kind == "deduct":
        return max(Fraction(0), 1 - Fraction(full - marks, MILLE) * step)
    if kind == "add":
        return min(Fraction(1), Fraction(marks, MILLE) * step)
    floor_, target = Fraction(str(method.get("floor", "0"))), Fraction(str(method.get("target", "1")))
    return min(Fraction(1), max(Fraction(0), (Fraction(marks, full) - floor_) / (target - floor_)))


def judged(node, group, probes, states):
    """(applying, covered, applicable, earned, veto) of one result."""
    points = decimal(node["points"][group], MICRO)
    counted, known, asked = [], Fraction(0), 0
    for probe in probes:
        state = states.get(probe)
        heard = state[0] + state[1] if state else 0
        missing = state[4] if state else 1
        if heard:
            counted.append(state)
        elif not missing:
            if state[5] or state[3]:
                continue
            missing = 1
        asked += 1
        known += Fraction(heard, heard + missing)
    if not asked:
        return 0, 0, 0, 0, False
    share = share_reached(node["method"], counted)
    if share is None:
        return points, 0, 0, 0, False
    limit = Fraction(str(node.get("veto_below", "0")))
    veto = limit > 0 and sum(s[2] for s in counted) < limit * MILLE * sum(s[0] + s[1] for s in counted)
    return points, floor(points * known / asked), points, half_up(points * share), veto


def summed(framework, children, group, states):
    """The four amounts of these nodes: what applies, what of it is covered, what could be computed, what was earned."""
    total, own, fallen = [0, 0, 0, 0], [], False
    for node in children:
        if node.get("children"):
            below = summed(framework, node["children"], group, states)
        elif group in node["points"]:
            probes = node.get("probes") or [f"{framework['id']}/{node['code']}"]
            *below, veto = judged(node, group, probes, states)
            fallen = fallen or veto
            own.append(below[3])
        else:
            continue
        total = [a + b for a, b in zip(total, below)]
    if fallen:
        total[3] -= sum(own)  # a veto takes what its own parent earned
    return total


def score(framework, group, states):
    """(score or None, coverage) of a unit, in micro-points and millionths."""
    parts = [
        (decimal(part.get("weight", "100"), MICRO), summed(framework, part["nodes"], group, states))
        for part in framework.get("components") or [framework]
    ]
    known = [(weight, Fraction(a[3], a[2])) for weight, a in parts if a[2]]
    asked = [(weight, Fraction(a[1], a[0])) for weight, a in parts if a[0]]
    total = half_up(sum(w * s for w, s in known) * FULL / sum(w for w, _ in known)) if known else None
    covered = floor(sum(w * c for w, c in asked) * MICRO / sum(w for w, _ in asked)) if asked else MICRO
    return total, covered


def points_text(micro):
    whole, part = divmod(micro, MICRO)
    return f"{whole}.{f'{part:06d}'.rstrip('0').ljust(4, '0')}"


def answered_for(unit, units, found, subtree):
    """The counts a unit answers for: its own, and for a government those of the units under it."""
    states = dict(found.get(unit["code"], {}))
    for other in units if subtree else ():
        if other["path"].startswith(unit["path"]) and other["code"] != unit["code"]:
            for probe, counts in found.get(other["code"], {}).items():
                if "/" not in probe:  # what assessment collects itself is about one unit only
                    states[probe] = [a + b for a, b in zip(states.get(probe, [0] * len(COUNTS)), counts)]
    return states


def check_scores(bundle, manifest, framework, found):
    """Recompute every published score and place of the peer group; gives how many."""
    group = next(g for g in framework["peer_groups"] if g["id"] == manifest["peer_group"])
    units = [json.loads(line) for line in lines_of(bundle / "units.jsonl")]
    running = (u for u in units if not u.get("valid_to"))  # for one dissolved the government over it answers
    assessed = [u for u in running if u["kind"] in group["kinds"] and u["level"] in group["levels"]]
    subtree = group.get("events", "own") == "subtree"
    results = {
        u["code"]: score(framework, group["id"], answered_for(u, units, found, subtree)) for u in assessed
    }
    scores = Counter(total for total, _ in results.values() if total is not None)
    published = {}
    for line in lines_of(bundle / "scores.jsonl"):
        row = json.loads(line)
        published[row["unit"]] = row
    if published.keys() != results.keys():
        raise Tampered(f"公布的单位与应考核的单位不符：{sorted(published.keys() ^ results.keys())[:5]}")
    for unit, (total, covered) in results.items():
        row = published[unit]
        place = None if total is None else 1 + sum(count for other, count in scores.items() if other > total)
        wanted = (None if total is None else points_text(total), points_text(covered), place)
        if (row["score"], row["coverage"], row["rank"]) != wanted:
            raise Tampered(
                f"单位 {unit} 公布为 {row['score']}（第 {row['rank']} 名），由事件重算为 {wanted[0]}（第 {wanted[2]} 名）"
            )
    return len(results)


# ---- the bundle -----------------------------------------------------------------------------------------------------


def check_files(bundle, publisher):
    """The manifest, signed by the publisher; every file must be the one it names."""
    note = read_note((bundle / "publication.note").read_text(encoding="utf-8"))
    if not publisher.signed(note):
        raise Tampered(f"公布说明不是由 {publisher.name} 签署")
    written = (bundle / "manifest.json").read_bytes()
    if note[0].split("\n")[:2] != ["fazhi/publication/v1", hashlib.sha256(written).hexdigest()]:
        raise Tampered("清单 manifest.json 与签署的公布说明不符")
    manifest = json.loads(written)
    for name, digest in manifest["files"].items():
        digester = hashlib.sha256()
        with (bundle / name).open("rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                digester.update(block)
        if digester.hexdigest() != digest:
            raise Tampered(f"文件 {name} 与公布时不同")
    return manifest


def signed_by(key, checkpoint):
    """Whether a checkpoint is under this key's signature; a wrong one names the checkpoint."""
    try:
        return key.signed(checkpoint.note)
    except Tampered as error:
        raise Tampered(f"检查点（{checkpoint.size} 条）：{error}") from error


def signed_by_log(keys, checkpoint):
    """Raise unless one of the log's keys signed this checkpoint of that log."""
    if not any(signed_by(key, checkpoint) for key in keys):
        raise Tampered(f"检查点（{checkpoint.size} 条）不是由 {'、'.join(key.name for key in keys)} 签署")


def check_chain(bundle, log_keys, witnesses, needed):
    """Checkpoints along the way: signed by the log; the last one witnessed often enough."""
    checkpoints = [Checkpoint(json.loads(line)["note"]) for line in lines_of(bundle / "checkpoints.jsonl")]
    if not checkpoints:
        raise Tampered("没有检查点")
    before = None
    for checkpoint in checkpoints:
        signed_by_log(log_keys, checkpoint)
        if before and checkpoint.size <= before.size:
            raise Tampered(f"检查点（{checkpoint.size} 条）排在（{before.size} 条）之后，顺序不对")
        before = checkpoint
    seen = sum(signed_by(witness, before) for witness in witnesses)
    if seen < needed:
        raise Tampered(f"最后的检查点（{before.size} 条）只有 {seen} 个见证，应有 {needed} 个")
    return checkpoints, seen


# ---- receipts -------------------------------------------------------------------------------------------------------


def records_of(path):
    """The records of a receipt: the head, and one for each event; a receipt of one event is both in one line."""
    try:
        records = [json.loads(line) for line in path.read_bytes().splitlines() if line.strip()]
    except ValueError as error:
        raise Unreadable(f"凭据不是 JSON 行：{error}") from error
    if not records or not all(isinstance(record, dict) for record in records):
        raise Unreadable("凭据是空的，或者不是 JSON 行")
    if records[0].get("type") != RECEIPT:
        raise Unreadable(f"不是凭据：type 应为 {RECEIPT}")
    return records[0], records if "leaf" in records[0] else records[1:]


def check_receipt_head(head, log_keys, witnesses, needed):
    """The checkpoint of a receipt with its signatures, and what the head says of it; gives it and its witnesses."""
    checkpoint = Checkpoint(head["checkpoint"])
    signed_by_log(log_keys, checkpoint)
    seen = sum(signed_by(witness, checkpoint) for witness in witnesses)
    if seen < needed:
        raise Tampered(f"检查点（{checkpoint.size} 条）只有 {seen} 个见证，应有 {needed} 个")
    if head["size"] != checkpoint.size or head.get("origin", checkpoint.origin) != checkpoint.origin:
        raise Tampered(f"凭据首行写的账本或条数与检查点（{checkpoint.origin}，{checkpoint.size} 条）不符")
    try:
        claimed = [Key(vkey) for vkey in head.get("witness_keys", ())]
    except WrongUsage as error:
        raise Tampered(f"凭据首行的见证方公钥：{error}") from error
    for name in head.get("cosigners", ()):
        if not any(signed_by(key, checkpoint) for key in claimed if key.name == name):
            raise Tampered(f"凭据首行写明 {name} 已见证，检查点（{checkpoint.size} 条）上没有它的签名")
    return checkpoint, seen


def check_receipt_event(head, record, checkpoint, digests):
    """One event: its exact bytes, its number, and its way to each root; gives its leaf, raises Tampered."""
    seq = record["seq"]
    if type(seq) is not int or not 1 <= seq <= checkpoint.size:
        raise Tampered(f"编号 {seq!r} 不在检查点（{checkpoint.size} 条）之内")
    content = record["leaf"].encode()
    for name, digest, root in digests:
        if name not in record:
            continue
        try:
            proof = [decoded(one) for one in record[name]]
        except (ValueError, TypeError) as error:
            raise Tampered(f"第 {seq} 条记录的 {name} 不是 base64") from error
        if way_up(digest, content, seq - 1, checkpoint.size, proof) != root:
            raise Tampered(
                f"第 {seq} 条记录到不了检查点（{checkpoint.size} 条）的根（{name}）：记录或证明被改动"
            )
    leaf = read_leaf(content, seq)
    if head.get("unit", leaf["unit"]) != leaf["unit"]:
        raise Tampered(f"第 {seq} 条记录属于 {leaf['unit']}，凭据写的是 {head['unit']}")
    at = datetime.strptime(leaf["occurred_at"], "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(SHANGHAI)
    if head.get("period") and head["period"] != at.strftime("%Y"):
        raise Tampered(f"第 {seq} 条记录发生于 {at:%Y-%m-%d}，不在凭据所写的考核期 {head['period']}")
    return leaf


def verify_receipt(arguments, said):
    """Check a receipt; `said` takes a line for each thing that holds."""
    head, records = records_of(Path(arguments.receipt))
    log_keys, witnesses = keys_of(arguments.key), keys_of(arguments.witness)
    checkpoint, seen = check_receipt_head(head, log_keys, witnesses, arguments.witnesses)
    said(f"检查点（{checkpoint.origin}，{checkpoint.size} 条）的签名成立，见证 {seen} 个")
    digests = [("proof", sha256, checkpoint.root)]
    if checkpoint.sm3 and not arguments.no_sm3:
        digests.append(("sm3_proof", sm3, checkpoint.sm3))
    before, sources = 0, Sources(arguments.source)
    for record in records:
        if "proof" not in record:
            raise Tampered(f"第 {record['seq']} 条记录没有包含证明")
        sources.check(record["seq"], check_receipt_event(head, record, checkpoint, digests))
        if record["seq"] <= before:
            raise Tampered(f"第 {record['seq']} 条记录重复，或顺序被调换")
        before = record["seq"]
    sources.finish()
    both = "SHA-256 和 SM3" if len(digests) > 1 and all("sm3_proof" in one for one in records) else "SHA-256"
    said(f"{len(records)} 条记录逐字节与入账时相同，都在检查点之内（{both}）")
    for line in sources.told():
        said(line)


def keys_of(written):
    return [Key(vkey) for vkey in written]


def verify(arguments, said):
    """Check everything; `said` takes a line for each thing that holds."""
    bundle = Path(arguments.bundle)
    log_keys, witnesses = keys_of(arguments.key), keys_of(arguments.witness)
    manifest = check_files(bundle, Key(arguments.publisher))
    said(f"清单和 {len(manifest['files'])} 个文件与公布时一致")
    checkpoints, seen = check_chain(bundle, log_keys, witnesses, arguments.witnesses)
    remembered = [Checkpoint(Path(path).read_text(encoding="utf-8")) for path in arguments.remembered]
    for checkpoint in remembered:
        if checkpoint.size > checkpoints[-1].size:
            raise Tampered(
                f"见证方记得 {checkpoint.size} 条，这里只到 {checkpoints[-1].size} 条：整体退回到了旧状态"
            )
    sources = Sources(arguments.source)
    corrections, size = check_log(bundle, Roots((*checkpoints, *remembered), not arguments.no_sm3), sources)
    if size != manifest["at_seq"] or size != checkpoints[-1].size:
        raise Tampered(f"清单写明 {manifest['at_seq']} 条，检查点 {checkpoints[-1].size} 条，实有 {size} 条")
    said(f"{size} 条计分事件与 {len(checkpoints)} 个检查点一致，见证 {seen} 个")
    for line in sources.told():
        said(line)
    if arguments.blobs:
        said(f"佐证材料 {check_blobs(bundle, Path(arguments.blobs))} 件与记录的摘要一致")
    framework = json.loads((bundle / "framework.json").read_bytes())
    found = tallies(bundle, corrections, f"{manifest['period']}-01", manifest["upto"])
    said(f"{check_scores(bundle, manifest, framework, found)} 个单位的得分、覆盖率和名次由事件重算一致")


def check_usage(arguments):
    """Raise unless either a bundle with its publisher or a receipt was given."""
    if bool(arguments.bundle) == bool(arguments.receipt) or bool(arguments.publisher) != bool(
        arguments.bundle
    ):
        raise WrongUsage("请给出数据包和 --publisher，或者 --receipt 凭据，两者取一。")


def main():
    parser = argparse.ArgumentParser(
        description="核验法治一体公布的排名，或者一份凭据：0 无误，1 被改动，2 用法有误，3 无法读取。"
    )
    parser.add_argument("bundle", nargs="?", help="公布的数据包（文件夹）")
    parser.add_argument("--receipt", help="凭据文件（单位下载的 JSON 行，或 fazhi ledger prove 的一行）")
    parser.add_argument("--key", action="append", required=True, help="账本公钥（名称+编号+密钥），可多次")
    parser.add_argument("--publisher", help="公布公钥（名称+编号+密钥）；核验数据包时必须给出")
    parser.add_argument("--source", action="append", default=[], help="来源公钥（fazhi publications keys 给出），可多次")
    parser.add_argument("--witness", action="append", default=[], help="见证方公钥，可多次")
    parser.add_argument("--witnesses", type=int, default=0, help="至少要有几个见证")
    parser.add_argument("--remembered", action="append", default=[], help="见证方记得的检查点文件，可多次")
    parser.add_argument("--blobs", help="佐证材料所在文件夹，以摘要命名")
    parser.add_argument("--no-sm3", action="store_true", help="不计算 SM3 根（没有 OpenSSL SM3 时较慢）")
    try:
        arguments = parser.parse_args()
        check_usage(arguments)
        (verify_receipt if arguments.receipt else verify)(arguments, lambda line: print(f"✓ {line}"))
    except Tampered as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1
    except WrongUsage as error:
        print(f"{error}", file=sys.stderr)
        return 2
    except (OSError, Unreadable, KeyError, TypeError, ValueError, StopIteration) as error:
        print(f"无法读取：{type(error).__name__} {error}", file=sys.stderr)
        return 3
    print("全部核验通过。核验不能说明：记录的内容是否真实，以及是否有应记而未记的事件。")
    return 0


if __name__ == "__main__":
    sys.exit(main())
