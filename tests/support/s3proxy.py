"""
A real S3-compatible server: S3Proxy by its jars on Maven Central, started on the machine's Java over a folder.

It checks signatures and keeps objects as files, so a test can also damage one behind its back.

S3_TEST_URL ("s3://bucket/prefix"), when set, names a bucket to use instead, with AWS_* for endpoint and keys; then
nothing is started and nothing is stopped.
"""

import os
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tests.support.maven import jars
from tests.support.processes import LOOPBACK, free_port
from tests.support.programs import program
from tests.support.servers import Server

BUCKET = "fazhi-evidence"
_POM = Path(__file__).with_name("s3proxy") / "pom.xml"
_LOGGING = """<configuration><appender name="out" class="ch.qos.logback.core.ConsoleAppender"><encoder>
<pattern>%d %level %msg%n</pattern></encoder></appender><root level="WARN"><appender-ref ref="out"/></root></configuration>
"""


class S3Proxy(Server):
    """One server on a free port with one bucket."""

    title: ClassVar[str] = "S3Proxy"
    # The jars lie in this working copy, which an account of the system may not be able to read.
    accounts: ClassVar[tuple[str, ...]] = ()
    identity: ClassVar[str] = "fazhi"
    credential: ClassVar[str] = "only-for-tests"

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__(folder)
        self._external = os.environ.get("S3_TEST_URL", "").rstrip("/")
        self.port = 0 if self._external else free_port()

    def start(self) -> None:
        """Start the server, unless S3_TEST_URL names a bucket elsewhere."""
        if not self._external:
            super().start()

    def prepare(self) -> None:
        """The bucket, and the properties."""
        self.objects.mkdir(parents=True, exist_ok=True)
        (self.folder / "logback.xml").write_text(_LOGGING)
        settings = {
            "s3proxy.endpoint": f"http://{LOOPBACK}:{self.port}",
            "s3proxy.authorization": "aws-v4",
            "s3proxy.identity": self.identity,
            "s3proxy.credential": self.credential,
            "jclouds.provider": "filesystem-nio2",
            "jclouds.filesystem.basedir": str(self.objects.parent),
        }
        lines = "\n".join(f"{name}={value}" for name, value in settings.items())
        (self.folder / "s3proxy.properties").write_text(lines)

    def command(self) -> Sequence[str | Path]:
        """S3Proxy's own main class."""
        java = program("java", package="default-jre-headless")
        heap = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
        logging = f"-Dlogback.configurationFile={self.folder / 'logback.xml'}"
        classes = f"{jars(_POM, self.title, 'S3_TEST_URL')}/*"
        properties = self.folder / "s3proxy.properties"
        return [java, *heap, logging, "-cp", classes, "org.gaul.s3proxy.Main", "--properties", properties]

    def is_ready(self) -> bool:
        """S3Proxy has no tool of its own: it answers when it refuses an unsigned request."""
        try:
            urllib.request.urlopen(f"http://{LOOPBACK}:{self.port}/{BUCKET}", timeout=5).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    @property
    def url(self) -> str:
        """The bucket, as FAZHI_BLOBS_URL names it."""
        return self._external or f"s3://{BUCKET}"

    @property
    def whole_url(self) -> str:
        """The bucket with place and keys in one address."""
        return f"http://{self.identity}:{self.credential}@{LOOPBACK}:{self.port}/{BUCKET}"

    @property
    def is_ours(self) -> bool:
        """Whether its objects are files that a test may damage, and itself a process that a test may stop."""
        return not self._external

    @property
    def objects(self) -> Path:
        """Where the objects of the bucket lie."""
        return self.folder / "data" / BUCKET

    def credentials(self, credential: str = "") -> Mapping[str, str]:
        """The variables by which an S3 client finds and is known to this server."""
        if self._external:
            return {}
        return {
            "AWS_ENDPOINT": f"http://{LOOPBACK}:{self.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": self.identity,
            "AWS_SECRET_ACCESS_KEY": credential or self.credential,
        }
