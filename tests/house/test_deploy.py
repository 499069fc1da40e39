"""What deploy/ starts: valid manifests, hardened containers (R56), known settings, every service, one image."""

import copy
import re
import shutil
import stat
import subprocess
from pathlib import Path, PurePosixPath
from typing import Any

import kubernetes_validate
import pytest
import yaml

from fazhi.services import NAMES
from kernel.settings import _SECRETS, Settings, read_secret
from tests.support.manifests import K8S, ROOT, Pod, environment, manifests, one, pods, public_keys

# Oldest and newest that docs/deploying.md promises.
KUBERNETES = ("1.30", "1.37")
# Resources of operators: their schemas come with the operators.
OPERATORS = {
    "postgresql.cnpg.io/v1",
    "rabbitmq.com/v1beta1",
    "opensearch.opster.io/v1",
    "monitoring.coreos.com/v1",
}
PODS = pods()
KNOWN = {
    *(f"FAZHI_{name.upper()}" for name in Settings.model_fields),
    *(f"FAZHI_{name.upper()}_FILE" for name in _SECRETS),
}


def label(pod: Pod) -> str:
    return str(pod.manifest)


class TestManifests:
    @pytest.mark.parametrize("version", KUBERNETES)
    def test_are_valid(self, version):
        checked = 0
        for each in manifests():
            if each.body["apiVersion"] not in OPERATORS:
                kubernetes_validate.validate(each.body, version, strict=True)
                checked += 1
        assert checked > len(NAMES) * 6

    def test_the_page_promises_the_versions_that_are_tried(self):
        page = (ROOT / "docs" / "deploying.md").read_text()
        assert f"| Kubernetes | {KUBERNETES[0]} 及以上 |" in page
        assert f"按 Kubernetes {' 和 '.join(KUBERNETES)} 的官方结构" in page

    def test_a_mistake_would_be_seen(self):
        wrong = one("Deployment", "gateway-api").body
        wrong = {**wrong, "spec": {**wrong["spec"], "replica": 2}}
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(wrong, KUBERNETES[-1], strict=True)

    def test_no_two_have_the_same_name(self):
        named = [(each.kind, each.namespace, each.name) for each in manifests()]
        assert sorted(set(named)) == sorted(named)

    def test_every_file_belongs_to_a_kustomization(self):
        for folder in {path.parent for path in K8S.rglob("kustomization.yaml")}:
            said = yaml.safe_load((folder / "kustomization.yaml").read_text())
            wanted = {*said["resources"], *(p["path"] for p in said.get("patches", ()) if "path" in p)}
            wanted = {name for name in wanted if not name.startswith("..")}
            assert wanted == {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}, folder

    def test_namespaces_of_the_platform_admit_only_restricted_pods(self):
        labels = one("Namespace", "fazhi").body["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
        assert {pod.manifest.namespace for pod in PODS} == {"fazhi"}

    @pytest.mark.skipif(shutil.which("kubectl") is None, reason="缺少 kubectl，未渲染部署清单 / no kubectl")
    @pytest.mark.parametrize("folder", ["servers", "migrate", "province"])
    def test_the_example_renders_and_every_image_has_a_digest(self, folder):
        done = subprocess.run(
            ["kubectl", "kustomize", str(K8S / folder)], capture_output=True, text=True, check=True
        )
        images = re.findall(r"image(?:Name)?: (\S+)", done.stdout)
        assert len(images) >= 3
        assert [image for image in images if not re.search(r"@sha256:[0-9a-f]{64}$", image)] == []
        assert len(list(yaml.safe_load_all(done.stdout))) >= len(NAMES)


@pytest.mark.parametrize("pod", PODS, ids=label)
class TestEveryPod:
    def test_runs_as_nobody_in_particular_and_can_become_nobody_else(self, pod):
        spec = pod.spec["securityContext"]
        assert spec["runAsNonRoot"] is True
        assert spec["runAsUser"] == spec["runAsGroup"] == spec["fsGroup"] == 10001
        assert spec["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod.spec)
        for container in pod.containers:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }

    def test_gets_no_token_of_the_cluster_and_no_variables_it_did_not_ask_for(self, pod):
        assert pod.spec["automountServiceAccountToken"] is False
        # Otherwise a Service named like a prefix of ours would set our variables.
        assert pod.spec["enableServiceLinks"] is False

    def test_has_requests_and_limits(self, pod):
        for container in pod.containers:
            for said in ("requests", "limits"):
                assert {"cpu", "memory"} <= set(container["resources"][said])

    def test_is_the_one_image_whose_digest_the_province_names(self, pod):
        assert {container["image"] for container in pod.containers} == {"fazhi"}

    def test_names_only_settings_that_exist(self, pod):
        for container in pod.containers:
            ours = {name for name in environment(container) if name.startswith("FAZHI_")}
            assert ours - KNOWN == set()

    def test_its_settings_are_accepted_in_production(self, pod, tmp_path, monkeypatch):
        """Each file it names is mounted where it says, with a mode that `read_secret` takes."""
        assert start(pod, tmp_path, monkeypatch).production

    def test_writes_only_where_something_writable_is_mounted(self, pod):
        volumes = {volume["name"]: volume for volume in pod.spec["volumes"]}
        for container in pod.containers:
            for mount in container["volumeMounts"]:
                volume = volumes[mount["name"]]
                kept = volume.get("persistentVolumeClaim") == {"claimName": "ledger-verified"}
                assert mount.get("readOnly") is True or "emptyDir" in volume or kept
            assert {mount["mountPath"] for mount in container["volumeMounts"]} >= {
                "/tmp",
                environment(container)["FAZHI_DATA"],
            }

    def test_ends_in_its_own_time(self, pod):
        """Twenty seconds for requests, twenty for gRPC, and the pause before; a worker has twenty."""
        assert pod.spec["terminationGracePeriodSeconds"] >= (
            50 if "api" in pod.labels["app.kubernetes.io/component"] else 30
        )


VALUES = {
    "database-url": "postgresql+psycopg://fazhi_x:Langes-Wort-77@db/fazhi_x",
    "owner-url": "postgresql+psycopg://fazhi_x_migrate:Langes-Wort-76@db/fazhi_x",
    "broker-url": "amqps://fazhi:Langes-Wort-78@broker/fazhi",
    "opensearch-url": "https://fazhi:Langes-Wort-79@search:9200",
    "blobs-url": "https://fazhi-x:Langes-Wort-81@blobs:9000/fazhi-evidence",
    "partner-brokers": "hotline=amqps://gateway:Langes-Wort-80@broker/hotline",
}


def start(pod: Pod, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings as the pod's process would read them, with the mounts laid out in a folder."""
    container = pod.containers[0]
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod.spec["volumes"]}
    for name, value in environment(container).items():
        if not name.startswith("FAZHI_") or not value.startswith("/etc/"):
            monkeypatch.setenv(name, value)
            continue
        # Mounted files are root's, and the pod is somebody else.
        monkeypatch.setattr("os.geteuid", lambda: 10001)
        path = PurePosixPath(value)
        volume = volumes[mounts[value if value in mounts else str(path.parent)]]
        if "secret" not in volume:
            continue
        items: list[dict[str, Any]] = volume["secret"]["items"]
        (key,) = [item["key"] for item in items if item["path"] == path.name]
        laid = folder / path.name
        laid.write_text(VALUES.get(key, "32 random bytes, or a private key"))
        laid.chmod(volume["secret"]["defaultMode"])
        assert read_secret(laid)
        monkeypatch.setenv(name, str(laid))
    return Settings()


def test_a_mode_that_lets_others_read_a_secret_would_be_seen(tmp_path, monkeypatch):
    (pod,) = [each for each in PODS if each.manifest.name == "gateway-worker"]
    (secrets,) = [volume for volume in pod.spec["volumes"] if "secret" in volume]
    assert stat.filemode(secrets["secret"]["defaultMode"]) == "?r--r-----"
    monkeypatch.setitem(secrets["secret"], "defaultMode", 0o444)
    with pytest.raises(PermissionError):
        start(pod, tmp_path, monkeypatch)


# Assessment alone signs the ledger and what is published, keeps both as files, and names the keys that check them and
# what the sources say.
_PUBLIC = "            - {name: %s, valueFrom: {configMapKeyRef: {name: fazhi-trust, key: %s}}}\n"
_LEDGER = (
    _PUBLIC % ("FAZHI_LEDGER_PUBLIC_KEYS", "ledger.pub")
    + "            - {name: FAZHI_SOURCE_PUBLIC_KEYS, value: /etc/fazhi/trust}\n"
)
OWN_LINES = {
    "assessment": (
        _LEDGER + _PUBLIC % ("FAZHI_PUBLICATION_PUBLIC_KEY", "publication.pub"),
        "            - {name: FAZHI_LEDGER_KEY_FILE, value: /etc/fazhi/secrets/ledger.pem}\n"
        + _LEDGER
        + "            - {name: FAZHI_PUBLICATION_KEY_FILE, value: /etc/fazhi/publication/publication.pem}\n"
        "            - {name: FAZHI_BLOBS_URL_FILE, value: /etc/fazhi/secrets/blobs-url}\n",
        "            - {name: publication, mountPath: /etc/fazhi/publication, readOnly: true}\n",
        (
            "              - {key: ledger.pem, path: ledger.pem}\n"
            "              - {key: blobs-url, path: blobs-url}\n"
            "        - name: publication\n"
            "          secret:\n"
            "            secretName: fazhi-publication\n"
            "            defaultMode: 0440\n"
            "            items:\n"
            "              - {key: publication.pem, path: publication.pem}\n"
        ),
    )
}


class TestServices:
    @pytest.mark.parametrize("name", NAMES)
    def test_each_has_api_worker_address_migration_and_both_are_never_all_away(self, name):
        for kind in ("api", "worker"):
            deployment = one("Deployment", f"{name}-{kind}").body["spec"]
            budget = one("PodDisruptionBudget", f"{name}-{kind}").body["spec"]
            assert deployment["replicas"] > budget["minAvailable"] >= 1
            labels = deployment["template"]["metadata"]["labels"]
            assert deployment["selector"] == budget["selector"]
            assert deployment["selector"]["matchLabels"].items() <= labels.items()
        container = one("Job", f"migrate-{name}").body["spec"]["template"]["spec"]["containers"][0]
        assert container["args"] == ["migrate", name]
        kept = one("CronJob", f"maintain-{name}").body["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        assert kept["containers"][0]["args"] == ["maintain", name]
        ports = {port["name"]: port["port"] for port in one("Service", name).body["spec"]["ports"]}
        settings = one("ConfigMap", "fazhi-settings").body["data"]
        assert ports == {"http": int(settings["FAZHI_PORT"]), "grpc": int(settings["FAZHI_GRPC_PORT"])}

    @pytest.mark.parametrize("pod", [each for each in PODS if each.manifest.kind == "Deployment"], ids=label)
    def test_each_process_says_when_it_is_ready_and_alive(self, pod):
        container = pod.containers[0]
        paths = {
            kind: container[f"{kind}Probe"]["httpGet"]["path"]
            for kind in ("startup", "readiness", "liveness")
        }
        # Liveness never asks a dependency, readiness only the own database (R55).
        assert paths == {"startup": "/healthz", "readiness": "/readyz", "liveness": "/healthz"}

    @pytest.mark.parametrize("name", [name for name in NAMES if name not in ("gateway", "legislation")])
    def test_those_without_a_reason_are_alike(self, name):
        """One file a service, whole, so that each can be read alone; what differs is only the name."""

        def plain(which: str) -> str:
            text = (K8S / "base" / f"{which}.yaml").read_text().split("\n", 1)[1]
            if which == "assessment":
                before, clocks, after = re.split(r"(?ms)^( {8}- name: clocks\b.*?)(?=^ {6}volumes:)", text)
                assert len(clocks) > 1_000
                text = before.replace("assessment, --part, hears]", "assessment]") + after
            for line in OWN_LINES.get(which, ()):
                assert text.count(line) == 1
                text = text.replace(line, "")
            return text.replace(which, "SERVICE")

        assert plain(name) == plain("assessment")

    def test_the_clocks_of_assessment_run_beside_its_hearing_and_are_otherwise_the_same(self):
        """A burst of events is taken while scores, seals and warnings are made in a process of their own."""
        (pod,) = [pod for pod in PODS if pod.manifest.name == "assessment-worker"]
        hears, clocks = copy.deepcopy(pod.containers)
        assert hears.pop("args") == ["worker", "assessment", "--part", "hears"]
        assert clocks.pop("args") == ["worker", "assessment", "--part", "clocks"]
        assert (hears.pop("name"), clocks.pop("name")) == ("worker", "clocks")
        (port,) = clocks.pop("ports")
        assert hears.pop("ports") == [{"name": "http", "containerPort": 8000}]
        assert clocks["env"].pop(0) == {"name": "FAZHI_PORT", "value": str(port["containerPort"])}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert clocks[probe]["httpGet"].pop("port") == port["name"]
            assert hears[probe]["httpGet"].pop("port") == "http"
        assert clocks == hears
        (monitor,) = manifests("PodMonitor")
        assert port["name"] in {entry["port"] for entry in monitor.body["spec"]["podMetricsEndpoints"]}

    def test_private_keys_are_the_gateways_alone(self):
        private = {"FAZHI_IDENTITY_KEY_FILE", "FAZHI_PARTNER_KEY_FILE", "FAZHI_PARTNER_BROKERS_FILE"}
        holders = {pod.manifest.name for pod in PODS if private & set(environment(pod.containers[0]))}
        assert holders == {"gateway-api", "gateway-worker"}

    @pytest.mark.parametrize("key", ["ledger", "publication"])
    def test_only_the_worker_of_assessment_signs_the_ledger_and_what_is_published(self, key):
        holders = {
            pod.manifest.name
            for pod in PODS
            if f"FAZHI_{key.upper()}_KEY_FILE" in environment(pod.containers[0])
        }
        mounting = {
            pod.manifest.name
            for pod in PODS
            for volume in pod.spec["volumes"]
            for item in volume.get("secret", {}).get("items", ())
            if item["key"] == f"{key}.pem"
        }
        assert holders == mounting == {"assessment-worker"}

    def test_every_process_of_a_service_signs_with_the_key_of_that_service_and_nobody_else_has_it(self):
        mounting = {
            (pod.manifest.name, volume["secret"]["secretName"])
            for pod in PODS
            for volume in pod.spec["volumes"]
            for item in volume.get("secret", {}).get("items", ())
            if item["key"] == "source.pem"
        }
        services = [(f"{name}-{part}", f"fazhi-{name}") for name in NAMES for part in ("api", "worker")]
        assert mounting == set(services)
        files = {
            environment(container)["FAZHI_SOURCE_KEY_FILE"]
            for pod in PODS
            if pod.manifest.name in dict(services)
            for container in pod.spec["containers"]
        }
        assert files == {"/etc/fazhi/secrets/source.pem"}

    def test_assessment_and_who_verifies_know_the_public_keys_of_the_sources(self):
        knowing = {
            pod.manifest.name
            for pod in PODS
            if all("FAZHI_SOURCE_PUBLIC_KEYS" in environment(one) for one in pod.spec["containers"])
        }
        assert knowing == {"assessment-api", "assessment-worker", "verify-ledger", "verify-ledger-whole"}

    def test_the_public_can_ask_the_api_of_assessment_for_both_keys(self):
        (api,) = [pod for pod in PODS if pod.manifest.name == "assessment-api"]
        assert public_keys(api.containers[0]) == {
            "FAZHI_LEDGER_PUBLIC_KEYS": "ledger.pub",
            "FAZHI_PUBLICATION_PUBLIC_KEY": "publication.pub",
        }

    def test_both_processes_of_assessment_keep_files_in_the_same_place(self):
        """What the worker publishes the API hands out."""
        places = {
            environment(pod.containers[0]).get("FAZHI_BLOBS_URL_FILE")
            for pod in PODS
            if pod.manifest.name in ("assessment-api", "assessment-worker")
        }
        assert places == {"/etc/fazhi/secrets/blobs-url"}

    def test_each_worker_seals_its_own_audit_log_and_no_api_could(self):
        holders = {
            pod.labels["app.kubernetes.io/component"]
            for pod in PODS
            if "FAZHI_AUDIT_KEY_FILE" in environment(pod.containers[0])
        }
        assert holders == {"worker"}

    def test_only_workers_know_the_bus(self):
        holders = {
            pod.labels["app.kubernetes.io/component"]
            for pod in PODS
            if "FAZHI_BROKER_URL_FILE" in environment(pod.containers[0])
        }
        assert holders == {"worker"}

    def test_no_manifest_holds_a_secret(self):
        assert manifests("Secret") == []


class TestTheEntry:
    def test_leads_to_every_service_and_shows_nobody_the_metrics(self):
        rules = one("Ingress", "fazhi").body["spec"]["rules"][0]["http"]["paths"]
        leads = {rule["path"]: rule["backend"]["service"]["name"] for rule in rules}
        assert leads == {
            **{f"/api/{name}": name for name in NAMES if name != "gateway"},
            "/": "gateway",
            **dict.fromkeys(("/metrics", "/healthz", "/readyz"), "closed"),
        }
        assert "selector" not in one("Service", "closed").body["spec"]
