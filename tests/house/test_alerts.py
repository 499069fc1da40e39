"""Alerts speak of metrics that exist, are tried by promtool, and are the same for both kinds of Prometheus."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.manifests import ROOT, manifests
from tests.support.programs import ServerUnavailable
from tests.support.prometheus import promtool

MONITORING = ROOT / "deploy" / "monitoring"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
TESTS: list[dict[str, Any]] = yaml.safe_load((MONITORING / "alerts_test.yaml").read_text())["tests"]
SOURCE = (ROOT / "kernel" / "telemetry" / "metrics.py").read_text()
METRICS = {
    name: (kind, labels)
    for kind, name, labels in re.findall(
        r"= (Gauge|Counter|Histogram)\(\s*\"(fazhi_\w+)\",[^\[]*(\[[^\]]*\])", SOURCE
    )
}
# What kube-state-metrics says of Jobs, as its documentation has it; it runs in the cluster, not in this repository.
OF_THE_CLUSTER = {
    "kube_job_failed": {"namespace", "job_name", "condition"},
    "kube_cronjob_created": {"namespace", "cronjob"},
    "kube_cronjob_status_last_successful_time": {"namespace", "cronjob"},
}


@pytest.fixture
def tool() -> Path:
    try:
        return promtool()
    except ServerUnavailable as error:
        pytest.skip(str(error))


def metrics_in(expression: str) -> set[str]:
    return set(re.findall(r"\bfazhi_\w+", expression))


def test_every_metric_of_a_rule_exists():
    known = {
        f"{name}{end}"
        for name, (kind, _) in METRICS.items()
        for end in (("_bucket", "_count", "_sum") if kind == "Histogram" else ("",))
    }
    assert len(known) > 10
    spoken = {name for rule in RULES for name in metrics_in(rule["expr"])}
    assert spoken - known == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_label_of_a_rule_is_one_the_metric_has(rule):
    labels = {
        label
        for name in metrics_in(rule["expr"])
        for label in re.findall(r"\w+", METRICS[name.removesuffix("_count")][1])
    }
    for name in re.findall(r"\bkube_\w+", rule["expr"]):
        labels |= OF_THE_CLUSTER[name]
    grouped = set(re.findall(r"\w+", " ".join(re.findall(r"\b(?:by|on) \(([^)]*)\)", rule["expr"]))))
    chosen = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", rule["expr"])) - {"job"}
    assert grouped | chosen <= labels


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_is_wrong_and_what_to_do(rule):
    assert rule["labels"]["severity"] in ("warning", "critical")
    for said in ("summary", "action"):
        assert re.search(r"[\u4e00-\u9fff]", rule["annotations"][said])


def test_every_alert_is_shown_silent_and_calling():
    tried: dict[str, set[bool]] = {}
    for test in TESTS:
        for case in test["alert_rule_test"]:
            tried.setdefault(case["alertname"], set()).add(bool(case.get("exp_alerts")))
    assert tried == {rule["alert"]: {True, False} for rule in RULES}


def test_promtool_takes_the_rules(tool):
    subprocess.run([tool, "check", "rules", MONITORING / "alerts.yaml"], check=True, capture_output=True)


def test_promtool_sees_every_alert_do_its_work(tool):
    done = subprocess.run(
        [tool, "test", "rules", MONITORING / "alerts_test.yaml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_rule_that_never_calls_would_be_seen(tool, tmp_path):
    text = (MONITORING / "alerts.yaml").read_text()
    (tmp_path / "alerts.yaml").write_text(
        text.replace("(fazhi_quarantine_size) > 0", "(fazhi_quarantine_size) > 5")
    )
    (tmp_path / "alerts_test.yaml").write_text((MONITORING / "alerts_test.yaml").read_text())
    done = subprocess.run(
        [tool, "test", "rules", tmp_path / "alerts_test.yaml"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "QuarantineNotEmpty" in done.stdout + done.stderr


def test_the_operator_gets_the_same_rules():
    (rule,) = manifests("PrometheusRule")
    assert rule.body["spec"] == yaml.safe_load((MONITORING / "alerts.yaml").read_text())


def test_the_job_is_called_as_the_rules_say():
    (monitor,) = manifests("PodMonitor")
    label = monitor.body["spec"]["jobLabel"]
    names = {each.body["spec"]["template"]["metadata"]["labels"][label] for each in manifests("Deployment")}
    assert names == {"fazhi"}
    assert {job for rule in RULES for job in re.findall(r"job=\"(\w+)\"", rule["expr"])} == names


def selectors(alert: str, label: str) -> set[str]:
    (expression,) = [rule["expr"] for rule in RULES if rule["alert"] == alert]
    return set(re.findall(rf'{label}=~"([^"]+)"', expression))


@pytest.mark.parametrize("job", [each.name for each in manifests("CronJob")])
def test_every_job_by_the_clock_calls_when_it_fails_and_when_it_does_not_run(job):
    (failed,) = selectors("CheckFailed", "job_name")
    assert re.fullmatch(failed, f"{job}-29384460")
    # One limit of lateness each, and as long as its schedule needs.
    assert len([one for one in selectors("CheckLate", "cronjob") if re.fullmatch(one, job)]) == 1


def test_every_kind_a_rule_chooses_or_names_is_one_that_is_measured():
    measuring = "".join(
        path.read_text()
        for path in sorted((ROOT / "services").rglob("*.py"))
        if "metrics.WAITING" in (text := path.read_text()) or "metrics.MATTERS_OVERDUE" in text
    )
    spoken = {
        kind
        for rule in RULES
        for text in (rule["expr"], *rule["annotations"].values())
        for kind in re.findall(r"kind *=?~? *\"(\w+)\"", text)
    }
    assert spoken == {"reports", "reviews", "reviews_to_hand_on", "order"}
    assert [kind for kind in spoken if f'"{kind}"' not in measuring] == []
