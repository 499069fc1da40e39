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
  3. the published scores, coverage and places follow from those events by the published framework, and so does how
     sure each place is (rank intervals, tiers, bands), drawn again to the bit.

    python3 fazhi_verify.py BUNDLE --key VKEY --publisher VKEY [--source VKEY ...] [--witness VKEY ...] [--witnesses N]
                            [--remembered NOTE ...] [--blobs FOLDER] [--no-sm3] [--no-intervals]

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
import math
import secrets
import sys
import time
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict, namedtuple
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
    "reported",
    "entered",
    "real_time",
    "external",
)
MODES = {name: place for place, name in enumerate(COUNTS) if place >= 8}
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

ADDED = frozenset(
    ("received_at", "seq", "source_sig", "type", "version")
)  # by the log, to what the source said
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
    zone = "+00:00" if written.endswith("Z") else ""  # before Python 3.11 a Z is not read
    return datetime.fromisoformat(written[:-1] + zone if zone else written)


def proof_in(written):
    """(key id, place, size, signature, hashes beside the way) of a source's signature as written; None if it is none."""
    try:
        raw = decoded(written)
    except (ValueError, TypeError):
        return None
    place, size = int.from_bytes(raw[5:7], "big"), int.from_bytes(raw[7:9], "big")
    if len(raw) < 73 or (len(raw) - 73) % 32 or raw[0] != 1 or place >= size:
        return None
    return raw[1:5], place, size, raw[9:73], [raw[at : at + 32] for at in range(73, len(raw), 32)]


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
        written = leaf.get("source_sig")
        if not written:
            return "没有来源的签名：来源没有告知过，或签名被去掉"
        proof = proof_in(written)
        if proof is None:
            return "的来源签名无法解读"
        key_id, place, size, signature, way = proof
        said = {name: value for name, value in leaf.items() if name not in ADDED}
        content = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        root = way_up(sha256, content, place, size, way)
        key = self.keys[source].get(key_id)
        if key is None:
            return "的来源签名所用的钥匙不在所给的公钥之列"
        if key.revoked and moment(self.latest) - SPREADING >= key.revoked:
            return "的来源签名所用的钥匙当时已经撤销"
        if root is None:
            return "来源没有签过：内容被改动，或不是来源告知的"
        message = b"fazhi/source/v1\n" + source.encode() + b"\n" + root
        resting = self.waiting.setdefault((key.public, signature, message), [])
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
            if leaf.get("mode") in MODES:
                counts[MODES[leaf["mode"]]] += 1
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


Met = namedtuple("Met", "node above probes applying covered applicable earned veto is_void")
Met.__doc__ = """A result as one unit met it; `above` are the codes over it, `is_void`: a veto beside it took its points."""


def leaves_below(children, group, above=()):
    """The results of a group, in the order of the framework, with the codes above each."""
    for node in children:
        if node.get("children"):
            yield from leaves_below(node["children"], group, (*above, node["code"]))
        elif group in node["points"]:
            yield node, above


def probes_of(framework, node):
    """The probes a result is judged by; what assessment collects itself is under the framework's name."""
    return node.get("probes") or [f"{framework['id']}/{node['code']}"]


def met(framework, children, group, states):
    """Every result of these nodes; a veto takes what its own parent earned."""
    found = []
    for node, above in leaves_below(children, group):
        probes = probes_of(framework, node)
        found.append(Met(node, above, probes, *judged(node, group, probes, states), False))
    fallen = {one.above for one in found if one.veto}
    return [one._replace(earned=0, is_void=True) if one.above in fallen else one for one in found]


def summed(framework, children, group, states):
    """The four amounts of these nodes: what applies, what of it is covered, what could be computed, what was earned."""
    return added(met(framework, children, group, states))


def added(found):
    return [sum(one[place] for one in found) for place in range(3, 7)]


def parts_of(framework):
    """(weight, code or "", nodes) of what is scaled by itself: the components, or the whole where there are none."""
    return [
        (decimal(part.get("weight", "100"), MICRO), part["code"], part["nodes"])
        for part in framework.get("components", ())
    ] or [(FULL, "", framework["nodes"])]


def score(framework, group, states):
    """(score or None, coverage) of a unit, in micro-points and millionths."""
    return scored(
        [(weight, met(framework, nodes, group, states)) for weight, _, nodes in parts_of(framework)]
    )


def scored(parts):
    """The same of parts met already."""
    amounts = [(weight, added(found)) for weight, found in parts]
    known = [(weight, Fraction(a[3], a[2])) for weight, a in amounts if a[2]]
    asked = [(weight, Fraction(a[1], a[0])) for weight, a in amounts if a[0]]
    total = half_up(sum(w * s for w, s in known) * FULL / sum(w for w, _ in known)) if known else None
    covered = floor(sum(w * c for w, c in asked) * MICRO / sum(w for w, _ in asked)) if asked else MICRO
    return total, covered


def credibility(parts, states):
    """How what was counted reached us: shares by mode, in text."""
    ways = [0] * len(MODES)
    for weight, found in parts:
        own = [0] * len(MODES)
        for one in found:
            counts = [sum(states[p][place] for p in one.probes if p in states) for place in MODES.values()]
            if one.applicable and sum(counts):
                own = [mine + one.applicable * count // sum(counts) for mine, count in zip(own, counts)]
        whole = sum(one.applicable for one in found)
        if len(parts) > 1:
            own = [weight * amount // whole if whole else 0 for amount in own]
        ways = [a + b for a, b in zip(ways, own)]
    for _ in range(2):  # told as whole millionths, of which the shares are
        ways = [way * MICRO // sum(ways) for way in ways] if sum(ways) else ways
    return {name: points_text(way) for name, way in zip(MODES, ways)} if sum(ways) else {}


def first_level(framework, parts):
    """[code, title, score out of 100] of the first level: components, or the nodes right below the total."""
    tops = {}
    for (_, component, nodes), (_, found) in zip(parts_of(framework), parts):
        titles = {node["code"]: node["title"] for node in nodes}
        for one in found:
            top = component or (one.above or (one.node["code"],))[0]
            sums = tops.setdefault(top, [titles.get(top), 0, 0])
            sums[1], sums[2] = sums[1] + one.applicable, sums[2] + one.earned
    for part in framework.get("components", ()):
        if part["code"] in tops:
            tops[part["code"]][0] = part["title"]
    return [
        [code, title, points_text(half_up(Fraction(earned * FULL, full))) if full else None]
        for code, (title, full, earned) in tops.items()
    ]


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


Unit = namedtuple("Unit", "told states parts total covered")
Unit.__doc__ = (
    """A unit of the group: its line of the directory, the counts it answers for, and what they come to."""
)


def assessed(bundle, manifest, framework, found):
    """Code -> `Unit` of everybody in the peer group, counted and scored anew."""
    group = next(g for g in framework["peer_groups"] if g["id"] == manifest["peer_group"])
    units = [json.loads(line) for line in lines_of(bundle / "units.jsonl")]
    subtree = group.get("events", "own") == "subtree"
    results = {}
    for unit in units:
        if unit.get("valid_to"):  # for one dissolved the government over it answers
            continue
        if unit["kind"] in group["kinds"] and unit["level"] in group["levels"]:
            states = answered_for(unit, units, found, subtree)
            parts = [
                (weight, met(framework, nodes, group["id"], states))
                for weight, _, nodes in parts_of(framework)
            ]
            results[unit["code"]] = Unit(unit, states, parts, *scored(parts))
    return results


def published_rows(bundle, units):
    """The published lines by unit; they must be those of the group, each once."""
    rows = [json.loads(line) for line in lines_of(bundle / "scores.jsonl")]
    published = {row["unit"]: row for row in rows}
    if published.keys() != units.keys():
        raise Tampered(f"公布的单位与应考核的单位不符：{sorted(published.keys() ^ units.keys())[:5]}")
    if len(rows) != len(published):
        raise Tampered("公布的排名中有单位出现不止一次")
    return published


def check_scores(units, published):
    """Every published score, coverage and place must be the one made anew; gives the scores that are shared."""
    scores = Counter(unit.total for unit in units.values() if unit.total is not None)
    places, above = {}, 0
    for total in sorted(scores, reverse=True):
        places[total], above = above + 1, above + scores[total]
    for code, unit in units.items():
        row, place = published[code], places.get(unit.total)
        wanted = (None if unit.total is None else points_text(unit.total), points_text(unit.covered), place)
        if (row["score"], row["coverage"], row["rank"]) != wanted:
            raise Tampered(
                f"单位 {code} 公布为 {row['score']}（第 {row['rank']} 名），由事件重算为 {wanted[0]}（第 {wanted[2]} 名）"
            )
    return {total for total, count in scores.items() if count > 1}


TOLD = {
    "name": "名称",
    "region_code": "行政区划",
    "tied": "并列",
    "vetoes": "一票否决",
    "credibility": "可信度",
    "aspects": "各方面得分",
    "interval": "名次区间",
    "median": "中位名次",
    "tier": "档",
    "band": "段",
    "above_next": "高于下一名的比例",
    "place_at_worst": "缺口名次",
}


def check_told(published, wanted):
    """Every field told beside a score must be the one made anew; names unit and field."""
    for code, fields in wanted.items():
        for name, value in fields.items():
            if published[code].get(name) != value:
                raise Tampered(
                    f"单位 {code} 的{TOLD[name]}公布为 {published[code].get(name)}，由事件重算为 {value}"
                )


def check_beside(framework, units, published, ties):
    """What is told beside a score and follows from the same counts; best first."""
    order = sorted(units, key=lambda code: (units[code].total is None, -(units[code].total or 0), code))
    if list(published) != order:
        raise Tampered("公布的排名没有按得分排列")
    check_told(
        published,
        {
            code: {
                "name": unit.told["name"],
                "region_code": unit.told["region_code"],
                "tied": unit.total in ties,
                "vetoes": sum(one.veto for _, found in unit.parts for one in found),
                "credibility": credibility(unit.parts, unit.states),
                "aspects": first_level(framework, unit.parts),
            }
            for code, unit in units.items()
        },
    )


# ---- how sure a place is: drawn again to the bit (docs/ranking.md, "fazhi/draws/v1") --------------------------------

PROCEDURE = "fazhi/draws/v1"
FORMAT_WITHOUT = (
    "fazhi-bundle/1"  # bundles of before: intervals by a library's stream, and told no more than score
)
WORD = (1 << 64) - 1
LN_2, ROOT_OF_HALF = 0.6931471805599453, 0.7071067811865476
LN_TERMS = [1.0 / odd for odd in range(1, 23, 2)]
EXP_TERMS = [1.0 / math.factorial(n) for n in range(15)]
# Wichura's AS 241 (PPND16), from the constant term upwards: centre, tail, far tail; numerator and denominator.
CENTRE = (
    (
        *(3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4),
        *(4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3),
    ),
    (
        *(1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3),
        *(2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3),
    ),
)
TAIL = (
    (
        *(1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0),
        *(3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1),
        *(2.27238449892691845833e-2, 7.74545014278341407640e-4),
    ),
    (
        *(1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1),
        *(1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4),
        1.05075007164441684324e-9,
    ),
)
FAR_TAIL = (
    (
        *(6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0),
        *(2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3),
        *(2.71155556874348757815e-5, 2.01033439929228813265e-7),
    ),
    (
        *(1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2),
        *(7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7),
        2.04426310338993978564e-15,
    ),
)


def key_of(seed, purpose, *names):
    """The key of a name: the first eight bytes of SHA-256 over procedure, seed, purpose and name."""
    text = f"{PROCEDURE}\n{seed}\x1f{purpose}" + "".join(f"\x1f{name}" for name in names)
    return int.from_bytes(sha256(text.encode())[:8], "big")


def word(key, place):
    """The integer at this place (from 0) of SplitMix64 begun with this key."""
    z = key + (place + 1) * 0x9E3779B97F4A7C15 & WORD
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & WORD
    z = (z ^ z >> 27) * 0x94D049BB133111EB & WORD
    return z ^ z >> 31


def uniform(key, place):
    return ((word(key, place) >> 12) + 0.5) * 2.0**-52


def polynomial(terms, x):
    found = x * terms[-1]
    for term in terms[-2:0:-1]:
        found = (found + term) * x
    return found + terms[0]


def logarithm(x):
    fraction, exponent = math.frexp(x)
    if fraction < ROOT_OF_HALF:
        fraction, exponent = fraction + fraction, exponent - 1
    s = (fraction - 1.0) / (fraction + 1.0)
    found = polynomial(LN_TERMS, s * s) * s
    return (found + found) + exponent * LN_2


def exponential(x):
    if x < -700.0:
        return 0.0
    whole = round(x / LN_2)
    return math.ldexp(polynomial(EXP_TERMS, x - whole * LN_2), whole)


def ratio(terms, x):
    return polynomial(terms[0], x) / polynomial(terms[1], x)


def normal(even):
    """The quantile of the standard normal distribution."""
    q = even - 0.5
    if abs(q) <= 0.425:
        return ratio(CENTRE, 0.180625 - q * q) * q
    r = math.sqrt(-logarithm(min(even, 1.0 - even)))
    found = ratio(FAR_TAIL, r - 5.0) if r > 5.0 else ratio(TAIL, r - 1.6)
    return -found if even < 0.5 else found


def gamma(key, shape, sample, slot):
    """A draw of Gamma(shape, 1) by Marsaglia and Tsang; every attempt has places of its own."""
    raised = shape + 1.0 if shape < 1.0 else shape
    d = raised - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    place = sample << 3 | slot
    while True:
        x, even = normal(uniform(key, place)), uniform(key, place + 1)
        w = 1.0 + c * x
        v, squared = w * w * w, x * x
        if v > 0.0 and (
            even < 1.0 - 0.0331 * (squared * squared)
            or logarithm(even) < 0.5 * squared + d * ((1.0 - v) + logarithm(v))
        ):
            break
        place += 1 << 32
    if shape < 1.0:
        boost = uniform(key, (sample << 3 | slot) + 2)
        return d * v * exponential(logarithm(boost) / shape)
    return d * v


def beta(key, first, second, sample):
    one, other = gamma(key, first, sample, 0), gamma(key, second, sample, 4)
    return one / (other + one)


class Simulation:
    """
    What moves in the runs, as the manifest tells it: factors of the weights, choices of method, the seed.

    `runs` and `samples`: runs that share a drawing of the findings are beside one another.
    """

    def __init__(self, told, seed, columns, parts):
        self.samples = min(told["samples"], told["runs"])
        self.runs = told["runs"] // self.samples * self.samples
        self.seed, self.floor = seed, told["geometric_floor"]
        noise = told["noise"]
        self.component = [self._factors("component", code, noise["component"]) for _, code, _ in parts]
        self.aspect = {
            code: self._factors("aspect", code, noise["aspect"])
            for code in dict.fromkeys(one.aspect for one in columns)
        }
        self.result = [self._factors("result", one.code, noise["result"]) for one in columns]
        self.geometric = self._chosen("aggregation", told["aggregation"], "geometric")
        self.group_mean = self._chosen("missing", told["missing"], "group_mean")

    def _factors(self, purpose, code, noise):
        key = key_of(self.seed, purpose, code)
        moved = (1 + noise * (2 * uniform(key, run) - 1) for run in range(self.runs))
        return [round(one * 2.0**24) / 2.0**24 for one in moved]

    def _chosen(self, purpose, choices, wanted):
        key = key_of(self.seed, purpose)
        return [choices[int(uniform(key, run) * len(choices))] == wanted for run in range(self.runs)]


class AsPublished:
    """One run in which nothing moves."""

    def __init__(self, columns, parts):
        self.runs, self.samples, self.floor = 1, 1, 1.0
        self.component, self.result = [[1.0]] * len(parts), [[1.0]] * len(columns)
        self.aspect = {one.aspect: [1.0] for one in columns}
        self.geometric = self.group_mean = [False]


Column = namedtuple("Column", "code aspect part points node probes is_collected")
Column.__doc__ = """A result of the group; `aspect` is the node right below its part."""
Cell = namedtuple("Cell", "points missing earned worst findings")
Cell.__doc__ = """A unit's result in micro-points: scored, or not computable; earned, the least; [(item, marks, number)]."""


def columns_of(framework, group, parts):
    """The results of the group, in the order of the framework."""
    return [
        Column(
            node["code"],
            (*above, node["code"])[0],
            part,
            decimal(node["points"][group], MICRO),
            node,
            probes_of(framework, node),
            not node.get("probes"),
        )
        for part, (_, _, nodes) in enumerate(parts)
        for node, above in leaves_below(nodes, group)
    ]


def cells_of(columns, group, unit):
    """A unit's results side by side."""
    found = [(part, one) for part, (_, own) in enumerate(unit.parts) for one in own]
    least = [
        None if column.is_collected and column.probes[0] not in unit.states else at_worst(one, group, unit)
        for column, (_, one) in zip(columns, found)
    ]
    fallen = {(part, one.above) for (part, one), worst in zip(found, least) if worst is not None and worst[1]}
    cells = []
    for column, (part, one), worst in zip(columns, found, least):
        if not one.applicable:
            missing = one.applying
            cells.append(Cell(0, missing, 0, 0, ()))
            continue
        bad = 0 if one.is_void or (part, one.above) in fallen else worst[0]
        is_drawn = not one.is_void and (not column.is_collected or one.node["method"]["kind"] == "survey")
        cells.append(
            Cell(one.applicable, 0, one.earned, bad, findings_of(one, unit.states) if is_drawn else ())
        )
    return cells


def at_worst(one, group, unit):
    """(earned, whether its veto falls) if what could not be computed had failed and nothing came of what was not heard."""
    if one.covered == one.applying:
        bad = unit.states
    else:
        bad = {}
        for probe in one.probes:
            state = unit.states.get(probe)
            if state is None or not state[0] + state[1]:
                return 0, Fraction(str(one.node.get("veto_below", "0"))) > 0
            bad[probe] = [state[0], state[1] + state[4], *state[2:4], 0, *state[5:]]
    *_, earned, veto = judged(one.node, group, one.probes, bad)
    return earned, veto


def findings_of(one, states):
    """(item, marks, number) behind a share, in thousandths; an item each of a checklist."""
    method = one.node["method"]
    counted = {p: states[p] for p in one.probes if p in states and states[p][0] + states[p][1]}
    if method["kind"] == "checklist":
        return [(probe, s[2], (s[0] + s[1]) * MILLE) for probe, s in counted.items()]
    number = sum(s[0] + s[1] for s in counted.values()) * MILLE
    marks = sum(s[2] for s in counted.values())
    if method["kind"] == "survey" or method.get("measured") is True:
        full = sum(s[7] for s in counted.values())
        number = full if method["kind"] == "survey" else number
        marks = half_up(Fraction(number * min(sum(s[6] for s in counted.values()), full), full))
    return [("", marks, number)]


def attained(method, rate, number):
    """The share of the points at a mean mark, by the result's method; `number` in thousandths."""
    step = decimal(method.get("step", "0"), MILLE) / MILLE
    if method["kind"] == "deduct":
        share = 1 - (1 - rate) * (number / MILLE) * step
    elif method["kind"] == "add":
        share = rate * (number / MILLE) * step
    else:
        least, most = decimal(method.get("floor", "0"), MILLE), decimal(method.get("target", "1"), MILLE)
        share = (rate - least / MILLE) / ((most - least) / MILLE)
    return min(1.0, max(0.0, share))


def pooled_rates(cells):
    """The rate of each result over all findings of the group, kept off 0 and 1 by half a finding each way."""
    rates = []
    for column in zip(*cells.values()):
        findings = [finding for cell in column for finding in cell.findings]
        marks, number = sum(f[1] for f in findings), sum(f[2] for f in findings)
        rates.append((marks + MILLE / 2) / (number + MILLE))
    return rates


def group_means(cells):
    """The points reached in each result, in the mean of the units where it was scored; None where it was for none."""
    means = []
    for column in zip(*cells.values()):
        earned = [cell.earned for cell in column if cell.points]
        means.append(round(sum(earned) / len(earned)) if earned else None)
    return means


def drawn_points(simulation, code, column, cell, prior):
    """Points reached in every drawing of the findings."""
    if not cell.findings:
        return [cell.earned] * simulation.samples
    keyed = [
        (
            key_of(simulation.seed, "finding", code, column.code, item),
            marks / MILLE + prior,
            (number - marks) / MILLE + (1 - prior),
            number,
        )
        for item, marks, number in cell.findings
    ]
    method, points = column.node["method"], []
    for sample in range(simulation.samples):
        steps = 0
        for key, first, second, number in keyed:
            steps += round(attained(method, beta(key, first, second, sample), number) * 2.0**30)
        points.append(round(cell.points * (steps / (len(keyed) * 2.0**30))))
    return points


def run_totals(simulation, columns, cells, reached, means, weights):
    """A unit's score in every run, in micro-points. Sums are of whole steps and exact; the rest is in this order."""
    runs, block = simulation.runs, simulation.runs // simulation.samples
    weight = [[0.0] * runs for _ in weights]
    earned = [[0.0] * runs for _ in weights]
    by_aspect = defaultdict(list)
    for place, column in enumerate(columns):
        by_aspect[column.part, column.aspect].append(place)
    for (part, aspect), places in by_aspect.items():
        got, full, worth = [0.0] * runs, [0.0] * runs, [0] * runs
        for place in places:
            cell, factors = cells[place], simulation.result[place]
            if cell.points:
                spread = [points for points in reached[place] for _ in range(block)]
                got = [a + points * f for a, points, f in zip(got, spread, factors)]
                full = [a + cell.points * f for a, f in zip(full, factors)]
                worth = [a + cell.points for a in worth]
            elif cell.missing and means[place] is not None:
                filled = zip(factors, simulation.group_mean)
                taken = [f if put_in else 0.0 for f, put_in in filled]
                got = [a + means[place] * f for a, f in zip(got, taken)]
                full = [a + cell.missing * f for a, f in zip(full, taken)]
                worth = [a + cell.missing * put_in for a, put_in in zip(worth, simulation.group_mean)]
        for run, (a, b, w) in enumerate(zip(got, full, worth)):
            if not w:
                continue
            share = a / b if b > 0 else 0.0
            if simulation.geometric[run]:
                share = logarithm(max(share, simulation.floor))
            moved = w * simulation.aspect[aspect][run]
            weight[part][run] += moved
            earned[part][run] += moved * share
    return [over_parts(simulation, weights, weight, earned, run) for run in range(runs)]


def over_parts(simulation, weights, weight, earned, run):
    whole = total = 0.0
    for part, points in enumerate(weights):
        if weight[part][run] > 0:
            share = earned[part][run] / weight[part][run]
            if simulation.geometric[run]:
                share = exponential(share)
            moved = points * simulation.component[part][run]
            whole += moved
            total += moved * share
    if not whole:
        raise Unreadable("有单位在一次模拟中没有可计算的部分")
    return round(total / whole * FULL)


def simulated(simulation, columns, cells, weights):
    """Unit -> its scores in all runs."""
    priors, means = pooled_rates(cells), group_means(cells)
    progress = Progress("重算名次区间", len(cells))
    found = {}
    for code, own in cells.items():
        reached = [
            drawn_points(simulation, code, column, cell, prior) if cell.points else ()
            for column, cell, prior in zip(columns, own, priors)
        ]
        found[code] = array("q", run_totals(simulation, columns, own, reached, means, weights))
        progress.step()
    return found


class Progress:
    """Tells on stderr how far something is that takes longer than a second."""

    def __init__(self, what, total):
        self.what, self.total, self.done, self.next = what, total, 0, time.monotonic() + 1

    def step(self):
        self.done += 1
        if time.monotonic() >= self.next:
            print(f"{self.what}：{self.done}/{self.total}", file=sys.stderr)
            self.next = time.monotonic() + 5


def places_in_runs(found):
    """Unit -> its places in all runs, sorted."""
    places = {code: array("l") for code in found}
    for run in range(len(next(iter(found.values())))):
        ordered = sorted(-scores[run] for scores in found.values())
        for code, scores in found.items():
            places[code].append(bisect_left(ordered, -scores[run]) + 1)
    return {code: array("l", sorted(own)) for code, own in places.items()}


def quantile(ordered, share):
    """A quantile of places in thousandths, linear between neighbours."""
    whole, part = divmod(round(share * MILLE) * (len(ordered) - 1), MILLE)
    upper = ordered[min(whole + 1, len(ordered) - 1)]
    return MILLE * ordered[whole] + part * (upper - ordered[whole])


def share_above(one, other):
    return sum(a > b for a, b in zip(one, other)) / len(one)


def bands_of(found, order, totals, confidence):
    """Unit -> band: one ends before the first unit that is told apart from its best."""
    bands, number, leader = {}, 1, order[0]
    for before, code in zip([order[0], *order], order):
        differs = totals[code] != totals[before]
        if differs and share_above(found[leader], found[code]) >= confidence:
            number, leader = number + 1, code
        bands[code] = number
    return bands


def tiers_of(found, order, totals, confidence):
    """Unit -> tier: one ends only where everybody above is told apart from everybody below."""
    doubt = int((1 - confidence) / 2 * (len(found[order[0]]) - 1))
    tails = [(own[doubt], own[-1 - doubt]) for own in (sorted(found[code]) for code in order)]
    tiers, number = {order[0]: 1}, 1
    for cut in range(1, len(order)):
        before, code = order[cut - 1], order[cut]
        if totals[code] != totals[before] and share_above(found[before], found[code]) >= confidence:
            number += stands(found, order, cut, tails, confidence)
        tiers[code] = number
    return tiers


def stands(found, order, cut, tails, confidence):
    """Whether all above are told apart from all below; only pairs whose tails overlap need counting."""
    best_below, worst_above = max(high for _, high in tails[cut:]), min(low for low, _ in tails[:cut])
    above = [code for code, (low, _) in zip(order[:cut], tails) if low <= best_below]
    below = [code for code, (_, high) in zip(order[cut:], tails[cut:]) if high >= worst_above]
    return all(
        share_above(found[one], found[other]) >= confidence for one in reversed(above) for other in below
    )


def least_places(columns, cells, weights, totals):
    """Unit -> the place its least score would have among the published scores of the others."""
    fed = [
        not column.is_collected or any(cell.points for cell in own)
        for column, own in zip(columns, zip(*cells.values()))
    ]
    still, ordered, places = AsPublished(columns, weights), sorted(totals.values()), {}
    for code, own in cells.items():
        filled = [
            cell._replace(points=cell.points + (cell.missing if is_fed else 0))
            for cell, is_fed in zip(own, fed)
        ]
        reached = [[cell.worst] for cell in own]
        least = run_totals(still, columns, filled, reached, [None] * len(columns), weights)[0] + 1
        above = len(ordered) - bisect_left(ordered, least + 1)
        places[code] = above + 1 - (totals[code] > least)
    return places


def check_method(manifest, framework_bytes):
    """The seed must be the one that follows from framework, months and group; gives it and what the manifest tells."""
    told = manifest["intervals"]
    year, upto = manifest["period"], manifest["upto"]
    window = year if upto == f"{year}-12" else f"{year}-01..{upto}"
    digest = sha256(framework_bytes).hex()
    parts = "\x1f".join((digest, window, manifest["peer_group"]))
    seed = int.from_bytes(sha256(b"fazhi/ranking/v1\n" + parts.encode())[:16], "big")
    if (told["framework_digest"], told["seed"]) != (digest, str(seed)):
        raise Tampered("名次区间的种子与指标体系、考核期、类别不符")
    return told, seed


def check_intervals(manifest, framework_bytes, units, published):
    """How sure every place is, simulated anew; gives how many places, and the runs."""
    told, seed = check_method(manifest, framework_bytes)
    framework, group = json.loads(framework_bytes), manifest["peer_group"]
    totals = {code: unit.total for code, unit in units.items() if unit.total is not None}
    order = sorted(totals, key=lambda code: (-totals[code], code))
    beside = dict.fromkeys(("interval", "median", "tier", "band", "above_next", "place_at_worst"))
    check_told(published, dict.fromkeys(units.keys() - totals.keys(), beside))
    if not order:
        return 0, told
    parts = parts_of(framework)
    columns = columns_of(framework, group, parts)
    weights = [weight for weight, _, _ in parts]
    cells = {code: cells_of(columns, group, units[code]) for code in order}
    found = simulated(Simulation(told, seed, columns, parts), columns, cells, weights)
    places, confidence = places_in_runs(found), told["confidence"]
    tiers, bands = (cut(found, order, totals, confidence) for cut in (tiers_of, bands_of))
    least = least_places(columns, cells, weights, totals)
    for code, after in zip(order, [*order[1:], None]):
        middle, low, high = (quantile(places[code], share) for share in (0.5, *told["interval"]))
        above = None if after is None else f"{share_above(found[code], found[after]):.3f}"
        wanted = {
            "interval": [low // MILLE, -(-high // MILLE)],
            "median": f"{middle / MILLE:g}",
            "tier": tiers[code],
            "band": bands[code],
            "above_next": above,
            "place_at_worst": least[code],
        }
        check_told(published, {code: wanted})
    return len(order), told


def told_intervals(bundle, manifest, units, published, said):
    """Check how sure the places are, or say why that was not done."""
    told = manifest.get("intervals")
    if told is None and manifest["format"] != FORMAT_WITHOUT:
        raise Tampered("清单没有写明名次区间是怎样得出的")
    if told is None or told["procedure"] != PROCEDURE:
        why = "数据包早于可重算的抽样方法" if told is None else f"本程序不识抽样方法 {told['procedure']}"
        said(f"名次区间、档和段没有重算：{why}", "–")
        return
    places, told = check_intervals(manifest, (bundle / "framework.json").read_bytes(), units, published)
    noise = "、".join(f"{told['noise'][name]:.0%}" for name in ("component", "aspect", "result"))
    low, high = told["interval"]
    said(
        f"{places} 个名次的区间、中位、档、段、高于下一名的比例和缺口名次由事件重算一致（{PROCEDURE}，{told['runs']} 次，"
        f"抽取 {told['samples']} 组，组成、方面、成果的权重浮动 {noise}，区间 {low:.0%}–{high:.0%}，{told['confidence']:.0%} 以上算分得出高下）"
    )


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
        said(line, "✓" if sources.keys else "–")


def keys_of(written):
    return [Key(vkey) for vkey in written]


def verify(arguments, said):
    """Check everything; `said` takes a line for each thing that holds, and with "–" for what was not looked at."""
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
        said(line, "✓" if sources.keys else "–")
    if arguments.blobs:
        said(f"佐证材料 {check_blobs(bundle, Path(arguments.blobs))} 件与记录的摘要一致")
    framework = json.loads((bundle / "framework.json").read_bytes())
    found = tallies(bundle, corrections, f"{manifest['period']}-01", manifest["upto"])
    units = assessed(bundle, manifest, framework, found)
    published = published_rows(bundle, units)
    ties = check_scores(units, published)
    said(f"{len(units)} 个单位的得分、覆盖率和名次由事件重算一致")
    if manifest["format"] != FORMAT_WITHOUT:
        check_beside(framework, units, published, ties)
        said("名称、并列、一票否决、可信度和各方面得分由事件和单位目录重算一致")
    if arguments.no_intervals:
        said("名次区间、档和段没有重算：--no-intervals", "–")
    else:
        told_intervals(bundle, manifest, units, published, said)
    said("争议分没有重算：它取决于尚未办结的申诉，申诉不在数据包里", "–")


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
    parser.add_argument(
        "--source", action="append", default=[], help="来源公钥（fazhi publications keys 给出），可多次"
    )
    parser.add_argument("--witness", action="append", default=[], help="见证方公钥，可多次")
    parser.add_argument("--witnesses", type=int, default=0, help="至少要有几个见证")
    parser.add_argument("--remembered", action="append", default=[], help="见证方记得的检查点文件，可多次")
    parser.add_argument("--blobs", help="佐证材料所在文件夹，以摘要命名")
    parser.add_argument("--no-intervals", action="store_true", help="不重算名次区间、档和段（较慢的一步）")
    parser.add_argument("--no-sm3", action="store_true", help="不计算 SM3 根（没有 OpenSSL SM3 时较慢）")
    try:
        arguments = parser.parse_args()
        check_usage(arguments)
        (verify_receipt if arguments.receipt else verify)(
            arguments, lambda line, mark="✓": print(f"{mark} {line}")
        )
    except Tampered as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1
    except WrongUsage as error:
        print(f"{error}", file=sys.stderr)
        return 2
    except (OSError, Unreadable, LookupError, TypeError, ValueError, ArithmeticError, StopIteration) as error:
        print(f"无法读取：{type(error).__name__} {error}", file=sys.stderr)
        return 3
    print(
        "核验通过；没有重算的，上面以“–”写明。核验不能说明：记录的内容是否真实，以及是否有应记而未记的事件。"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
