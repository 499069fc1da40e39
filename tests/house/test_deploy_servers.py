"""The servers of deploy/k8s as the platform needs them, and the one image of all its processes."""

import re

from fazhi.services import NAMES
from services.assessment.bulletins.typeset import NoChineseFont
from tests.support.manifests import ROOT, environment, manifests, one, pods
from tests.support.rabbitmq import SHARED_CORES

PODS = pods()


def most_processes(deployment):
    """While it is updated there is one pod more; each container of a pod is a process."""
    return (deployment["replicas"] + 1) * len(deployment["template"]["spec"]["containers"])


class TestServers:
    def test_each_service_has_a_database_and_a_role_that_does_not_own_it(self):
        """Three roles a service (R51): nobody signs in as the owner, and only the one that migrates becomes it."""
        roles = {r["name"]: r for r in one("Cluster", "postgres").body["spec"]["managed"]["roles"]}
        databases = {each.body["spec"]["name"]: each.body["spec"]["owner"] for each in manifests("Database")}
        assert databases == {f"fazhi_{name}": f"fazhi_{name}_owner" for name in NAMES}
        reader = roles.pop("fazhi_reconcile")
        assert reader["inRoles"] == ["pg_read_all_data"]
        assert set(roles) == {role for d in databases for role in (d, f"{d}_owner", f"{d}_migrate")}
        for database, owner in databases.items():
            assert roles[owner]["login"] is False
            assert "passwordSecret" not in roles[owner]
            assert roles[f"{database}_migrate"]["inRoles"] == [owner]
            assert "inRoles" not in roles[database]
        assert not any(role.get("superuser") for role in roles.values())

    def test_only_what_migrates_and_maintains_may_become_the_owner(self):
        holders = {
            pod.labels["app.kubernetes.io/component"]
            for pod in PODS
            if "FAZHI_OWNER_URL_FILE" in environment(pod.containers[0])
        }
        mounting = {
            pod.labels["app.kubernetes.io/component"]
            for pod in PODS
            for volume in pod.spec["volumes"]
            if volume.get("secret", {}).get("secretName", "").endswith("-owner")
        }
        assert holders == mounting == {"migrate", "maintain"}

    def test_each_role_enters_its_own_database_only_but_for_the_one_that_compares(self):
        lines = one("Cluster", "postgres").body["spec"]["postgresql"]["pg_hba"]
        assert lines == [
            "hostssl sameuser all all scram-sha-256",
            *(f"hostssl fazhi_{name} fazhi_{name}_migrate all scram-sha-256" for name in NAMES),
            f"hostssl {','.join(f'fazhi_{name}' for name in NAMES)} fazhi_reconcile all scram-sha-256",
            "host all all all reject",
        ]

    def test_the_database_keeps_what_it_acknowledges(self):
        """What `fazhi` asks of it at start (R15), and a second member before it says yes."""
        spec = one("Cluster", "postgres").body["spec"]
        parameters = spec["postgresql"]["parameters"]
        assert spec["bootstrap"]["initdb"]["dataChecksums"] is True
        assert {parameters[n] for n in ("fsync", "synchronous_commit")} == {"on"}
        assert spec["instances"] == 3
        assert spec["postgresql"]["synchronous"]["dataDurability"] == "required"

    def test_the_database_has_connections_for_all(self):
        spec = one("Cluster", "postgres").body["spec"]
        settings = one("ConfigMap", "fazhi-settings").body["data"]
        # The pool may overflow to twice its size; during an update one more of each runs; and the relay's own.
        each = 2 * int(settings["FAZHI_DATABASE_POOL"]) + 2
        most = {
            name: sum(
                most_processes(one("Deployment", f"{name}-{kind}").body["spec"]) for kind in ("api", "worker")
            )
            * each
            for name in NAMES
        }
        limits = {role["name"]: role.get("connectionLimit") for role in spec["managed"]["roles"]}
        assert all(most[name] <= limits[f"fazhi_{name}"] for name in NAMES)
        reader = limits["fazhi_reconcile"]
        assert reader >= 2 * len(NAMES)
        assert sum(most.values()) + reader < int(spec["postgresql"]["parameters"]["max_connections"])

    def test_the_broker_has_three_members_limits_and_only_tls(self):
        spec = one("RabbitmqCluster", "rabbitmq").body["spec"]
        said = dict(
            line.split(" = ") for line in spec["rabbitmq"]["additionalConfig"].splitlines() if " = " in line
        )
        assert spec["replicas"] == 3
        assert spec["tls"]["disableNonTLSListeners"] is True
        assert said["max_message_size"] == str(1024 * 1024)
        assert said["channel_max"] == "16"
        assert said["ssl_options.verify"] == "verify_peer"
        assert f'ERL_ARGS="{SHARED_CORES}"' in spec["rabbitmq"]["envConfig"]  # as tests and benches run it


class TestTheImage:
    DOCKERFILE = (ROOT / "deploy" / "image" / "Dockerfile").read_text()

    def test_is_whole_and_nothing_else(self):
        copied = set(re.findall(r"^COPY (?!--from)(\S+) ", self.DOCKERFILE, re.MULTILINE))
        admitted = {
            line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")
        }
        assert {name.split("/")[0] for name in copied} == admitted
        assert {"kernel", "proto", "services", "gateway", "src", "catalog"} <= copied
        assert [name for name in admitted if not (ROOT / name).exists()] == []

    def test_what_runs_has_the_fonts_of_bulletins(self):
        """The package whose families typeset.py asks for, in the last stage, which is the image."""
        last = self.DOCKERFILE.rsplit("\nFROM ", 1)[1]
        (installed,) = re.findall(r"apt-get install --yes --no-install-recommends ([^&]+) &&", last)
        assert NoChineseFont.message.count("fonts-noto-cjk") == 1
        assert "fonts-noto-cjk" in installed.split()

    def test_checks_every_library_by_hash_and_runs_as_the_manifests_say(self):
        assert "--require-hashes --requirement /build/runtime.txt" in self.DOCKERFILE
        assert "\nUSER 10001:10001\n" in self.DOCKERFILE
        assert self.DOCKERFILE.rstrip().endswith('ENTRYPOINT ["python", "-m", "fazhi"]\nCMD ["--help"]')
