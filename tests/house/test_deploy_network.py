"""deploy/k8s/network.yaml is the table of who may speak to whom; every NetworkPolicy says the same (R57)."""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest
import yaml

from tests.support.manifests import K8S, manifests, pods

TABLE: dict[str, Any] = yaml.safe_load((K8S / "network.yaml").read_text())
WHO: dict[str, dict[str, Any]] = TABLE["who"]
OURS = ("fazhi", "fazhi-data")
POLICIES = manifests("NetworkPolicy")
# Selector as text -> name in the table.
Edge = tuple[str, str, str, str]


def key(namespace: str, labels: dict[str, str]) -> str:
    return f"{namespace} {sorted(labels.items())}"


NAMES = {key(who["namespace"], who["pods"]): name for name, who in WHO.items() if "pods" in who}
ADDRESSES = {address: name for name, who in WHO.items() for address in who.get("addresses", ())}


def is_ours(name: str) -> bool:
    return WHO[name].get("namespace") in OURS


def table_edges() -> Iterator[Edge]:
    for pair in TABLE["pairs"]:
        for port in pair["ports"]:
            if is_ours(pair["from"]):
                yield "egress", pair["from"], pair["to"], port
            if is_ours(pair["to"]):
                yield "ingress", pair["from"], pair["to"], port


def policy_edges() -> Iterator[Edge]:
    for policy in POLICIES:
        spec = policy.body["spec"]
        for side, word in (("ingress", "from"), ("egress", "to")):
            for rule in spec.get(side, ()):
                subject = NAMES[
                    key(policy.namespace, spec["podSelector"]["matchLabels"] if spec["podSelector"] else {})
                ]
                # A rule without peers or ports would let everybody in, or everything.
                assert rule[word], policy
                assert rule["ports"], policy
                for peer in rule[word]:
                    other = peer_name(policy.namespace, peer)
                    for port in rule["ports"]:
                        ends = (other, subject) if side == "ingress" else (subject, other)
                        yield side, *ends, f"{port['port']}/{port['protocol']}"


def peer_name(namespace: str, peer: dict[str, Any]) -> str:
    if "ipBlock" in peer:
        assert set(peer["ipBlock"]) == {"cidr"}
        return ADDRESSES[peer["ipBlock"]["cidr"]]
    if "namespaceSelector" in peer:
        namespace = peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    return NAMES[key(namespace, peer["podSelector"]["matchLabels"])]


def test_the_policies_allow_what_the_table_says_and_nothing_else():
    assert sorted(set(policy_edges())) == sorted(set(table_edges()))


@pytest.mark.parametrize("namespace", OURS)
def test_nothing_is_allowed_by_itself(namespace):
    closed = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert [p for p in POLICIES if p.namespace == namespace and p.body["spec"] == closed]


def test_every_policy_holds_for_the_sides_it_speaks_of():
    for policy in POLICIES:
        spec = policy.body["spec"]
        spoken = {side.capitalize() for side in ("ingress", "egress") if side in spec}
        assert spoken <= set(spec["policyTypes"]), policy


def test_only_the_gateway_and_whoever_asks_the_witnesses_reach_beyond_the_cluster():
    outside = {name for name, who in WHO.items() if "addresses" in who}
    reach = {(pair["from"], pair["to"]) for pair in TABLE["pairs"] if pair["to"] in outside}
    # The servers' members ask the cluster's own interface about themselves.
    assert reach == {
        ("gateway-worker", "partners"),
        ("assessment-worker", "witnesses"),
        ("postgres", "kubernetes-api"),
        ("rabbitmq", "kubernetes-api"),
    }


def test_a_witness_is_one_address_and_not_a_network():
    """Whoever holds the ledger's key must not reach more than those who sign under it (decision 0063)."""
    assert [one for one in WHO["witnesses"]["addresses"] if ip_network(one).num_addresses != 1] == []


def test_without_a_province_s_own_word_nobody_leaves_the_cluster():
    beyond = {
        policy.file
        for policy in POLICIES
        for rule in policy.body["spec"].get("egress", ())
        for peer in rule["to"]
        if "ipBlock" in peer
    }
    assert beyond == {"province/network.yaml", "servers/network.yaml"}


def test_partners_reach_the_bus_and_no_port_of_its_management():
    reached = {(pair["to"], *pair["ports"]) for pair in TABLE["pairs"] if pair["from"] == "partners"}
    assert reached == {("rabbitmq", "5671/TCP")}


def test_nobody_is_named_who_does_not_exist():
    known = [(pod.manifest.namespace, pod.labels) for pod in pods()]
    for name, who in WHO.items():
        if who.get("namespace") == "fazhi":
            assert any(who["pods"].items() <= labels.items() for _, labels in known), name


def test_every_pair_says_why():
    assert [pair for pair in TABLE["pairs"] if not pair["because"]] == []
    used = {pair[end] for pair in TABLE["pairs"] for end in ("from", "to")}
    assert set(WHO) == used
