"""
Manifests of deploy/k8s as they are written: every document with its file, and the pods that come of them.

Nothing is rendered, so that the tests need neither kubectl nor a network; where kubectl is there, a test renders
the province's example too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
K8S = ROOT / "deploy" / "k8s"
# Not manifests: what kustomize reads, patches, and our own table.
_ASIDE = ("kustomization.yaml", "province/settings.yaml", "network.yaml")


@dataclass(frozen=True, slots=True)
class Manifest:
    """One document of a file."""

    file: str
    body: dict[str, Any]

    @property
    def kind(self) -> str:
        """Kind of the object."""
        return str(self.body["kind"])

    @property
    def name(self) -> str:
        """Name of the object."""
        return str(self.body["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Namespace of the object; "" where it has none."""
        return str(self.body["metadata"].get("namespace", ""))

    def __str__(self) -> str:
        return f"{self.file}: {self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Pod:
    """What a Deployment, Job or CronJob starts."""

    manifest: Manifest
    labels: dict[str, str]
    spec: dict[str, Any]

    @property
    def containers(self) -> list[dict[str, Any]]:
        """Every container, those that run first included."""
        return [*self.spec.get("initContainers", ()), *self.spec["containers"]]


def manifests(*kinds: str) -> list[Manifest]:
    """Every manifest of these kinds; of all kinds when none is named."""
    return [each for each in _all() if not kinds or each.kind in kinds]


def one(kind: str, name: str) -> Manifest:
    """The manifest of this kind and name."""
    (found,) = [each for each in manifests(kind) if each.name == name]
    return found


def pods() -> list[Pod]:
    """Every pod template."""
    found = []
    for manifest in manifests("Deployment", "Job", "CronJob"):
        spec = manifest.body["spec"]
        template = spec.get("jobTemplate", {"spec": spec})["spec"]["template"]
        found.append(Pod(manifest, template["metadata"]["labels"], template["spec"]))
    return found


def environment(container: dict[str, Any]) -> dict[str, str]:
    """The environment of a container, with what it takes from ConfigMaps; public keys, made for each place, are empty."""
    maps = {each.name: each.body["data"] for each in manifests("ConfigMap")}
    found: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        found.update(maps[source["configMapRef"]["name"]])
    found.update({entry["name"]: entry.get("value", "") for entry in container.get("env", ())})
    return found


def public_keys(container: dict[str, Any]) -> dict[str, str]:
    """Variable -> the file of fazhi-trust whose content it is."""
    sources = {
        entry["name"]: entry["valueFrom"] for entry in container.get("env", ()) if "valueFrom" in entry
    }
    for source in sources.values():
        assert set(source) == {"configMapKeyRef"}
        assert source["configMapKeyRef"]["name"] == "fazhi-trust"
    return {name: source["configMapKeyRef"]["key"] for name, source in sources.items()}


@cache
def _all() -> tuple[Manifest, ...]:
    return tuple(_read())


def _read() -> Iterator[Manifest]:
    for path in sorted(K8S.rglob("*.yaml")):
        name = str(path.relative_to(K8S))
        if path.name == _ASIDE[0] or name in _ASIDE[1:]:
            continue
        for body in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            yield Manifest(name, body)
