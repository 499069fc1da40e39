"""What runs by the clock: everything is compared and verified often enough, by whoever could change and sign nothing."""

from dataclasses import dataclass
from typing import Any

import pytest

from fazhi.services import NAMES
from tests.support.manifests import Pod, environment, one, pods, public_keys

PODS = pods()


@dataclass(frozen=True)
class Cron:
    """A CronJob as a person would ask after it."""

    pod: Pod

    @property
    def container(self) -> dict[str, Any]:
        (container,) = self.pod.containers
        return container

    @property
    def args(self) -> list[str]:
        return list(self.container["args"])

    @property
    def schedule(self) -> list[str]:
        return str(self.pod.manifest.body["spec"]["schedule"]).split()

    @property
    def secrets(self) -> set[str]:
        return {volume["secret"]["secretName"] for volume in self.pod.spec["volumes"] if "secret" in volume}


def cron(name: str) -> Cron:
    (pod,) = [each for each in PODS if (each.manifest.kind, each.manifest.name) == ("CronJob", name)]
    return Cron(pod)


@pytest.mark.parametrize("name", NAMES)
def test_every_audit_log_is_read_again_every_day_by_its_public_key(name):
    job = cron(f"verify-audit-{name}")
    assert job.args == ["audit", "verify", name, "--key", "$(AUDIT_PUBLIC_KEY)"]
    assert public_keys(job.container) == {"AUDIT_PUBLIC_KEY": f"audit-{name}.pub"}
    assert job.secrets == {f"fazhi-{name}"}
    assert job.schedule[2:] == ["*", "*", "*"]


def test_the_ledger_is_verified_hourly_and_weekly_from_its_beginning():
    hourly, weekly = cron("verify-ledger"), cron("verify-ledger-whole")
    assert hourly.schedule[1:] == ["*", "*", "*", "*"]
    assert weekly.schedule[2:4] == ["*", "*"]
    assert weekly.schedule[4] != "*"
    assert hourly.args == ["ledger", "verify", "--since", "/verified/state.json", "--record"]
    assert weekly.args == ["ledger", "verify", "--record"]
    # Where the last run ended outlives the pod, or every run would begin at the beginning.
    mounts = {mount["mountPath"]: mount["name"] for mount in hourly.container["volumeMounts"]}
    (claim,) = [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in hourly.pod.spec["volumes"]
        if volume["name"] == mounts["/verified"]
    ]
    assert one("PersistentVolumeClaim", claim)
    for job in (hourly, weekly):
        assert public_keys(job.container) == {"FAZHI_LEDGER_PUBLIC_KEYS": "ledger.pub"}
        assert job.secrets == {"fazhi-assessment"}


def test_sources_and_assessment_are_compared_hourly_by_a_role_that_only_reads():
    job = cron("reconcile")
    assert job.args == ["reconcile", "--hours", "24"]  # a person decides what is sent again
    assert job.schedule[1:] == ["*", "*", "*", "*"]
    assert job.secrets == {"fazhi-reconcile"}


def test_whoever_verifies_could_sign_nothing():
    for pod in PODS:
        if pod.labels["app.kubernetes.io/component"] in ("verify", "reconcile"):
            assert [name for name in environment(pod.containers[0]) if name.endswith("_KEY_FILE")] == [
                "FAZHI_IDENTITY_PUBLIC_KEY_FILE"
            ]
