"""
A private RabbitMQ node: Debian's rabbitmq-server with names, ports, cookie and folders of its own.

The machine's own broker is neither used nor disturbed: the node has its own epmd on its own port, run by
us in the foreground, because the one Erlang starts by itself would outlive the node and be shared.
A quorum queue must be about three seconds old before `kill()`: RabbitMQ 3.10 registers it lazily, and one
that is younger cannot be read after the restart.

Limits are the production ones (1 MiB a message, 16 channels a connection), so what passes here fits there.
"""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from tests.support.processes import LOOPBACK, free_port
from tests.support.programs import program
from tests.support.servers import Server

# Debian's wrappers in /usr/sbin insist on the system's account and log folder; the real scripts do not.
_PLACES = ("/usr/lib/rabbitmq/bin",)
_USER = "fazhi"
# Erlang's schedulers otherwise spin while they wait, on cores that others could use; deploy/k8s/components/rabbitmq says the same.
SHARED_CORES = "+sbwt none +sbwtdcpu none +sbwtdio none"


class RabbitMQ(Server):
    """One node on free ports, reachable from this machine only."""

    title: ClassVar[str] = "RabbitMQ"
    accounts: ClassVar[tuple[str, ...]] = ("rabbitmq", "nobody")
    boot_seconds: ClassVar[float] = 120.0

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__(folder)
        self.port = free_port()
        self._distribution_port = free_port()
        self._epmd_port = free_port()

    def prepare(self) -> None:
        """Write the configuration and start the node's own port mapper (epmd)."""
        password = self.folder / "password"
        if not password.exists():
            self.write("password", secrets.token_urlsafe(18))
        self.write("rabbitmq.conf", self._configuration(password.read_text(encoding="utf-8")))
        self.write("enabled_plugins", "[].\n")
        self.write("rabbitmq-env.conf", "")
        epmd = program("epmd", package="rabbitmq-server", places=("/usr/lib/erlang/erts-*/bin",))
        self.accompany([epmd, "-port", str(self._epmd_port), "-address", LOOPBACK])

    def command(self) -> Sequence[str | Path]:
        """The node itself."""
        return [_tool("rabbitmq-server")]

    def environment(self) -> Mapping[str, str]:
        """Everything that keeps this node apart from any other on the machine."""
        return {
            "HOME": str(self.folder),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_NODENAME": "fazhi@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder / "generated"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "logs"),
            "RABBITMQ_PID_FILE": str(self.folder / "node.pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{SHARED_CORES} -kernel inet_dist_use_interface {{127,0,0,1}}",
            # The script then becomes the Erlang machine instead of staying its parent: one pid to signal.
            "RUNNING_UNDER_SYSTEMD": "true",
            "LC_ALL": "C.UTF-8",
        }

    def is_ready(self) -> bool:
        """Asked with `rabbitmqctl await_startup`."""
        return self.succeeds(_tool("rabbitmqctl"), "--quiet", "await_startup", "--timeout", "60")

    @property
    def url(self) -> str:
        """AMQP address of the default virtual host, with the administrator's account."""
        return self.url_of("/")

    def url_of(self, vhost: str, user: str = _USER, password: str | None = None) -> str:
        """AMQP address of one virtual host for one user."""
        secret = password or self.folder.joinpath("password").read_text(encoding="utf-8")
        return f"amqp://{quote(user, safe='')}:{quote(secret, safe='')}@{LOOPBACK}:{self.port}/{quote(vhost, safe='')}"

    def ctl(self, *arguments: str) -> str:
        """`rabbitmqctl ARGUMENTS` on this node; returns what it printed. Raises ServerFailed."""
        return self.run(_tool("rabbitmqctl"), "--quiet", *arguments)

    def add_vhost(self, name: str) -> str:
        """Make a virtual host, open to the administrator, and return its AMQP address."""
        # Two commands of the tool in one: each start of it costs a second.
        vhost, user, everything = (f'<<"{word}">>' for word in (name, _USER, ".*"))
        self.ctl(
            "eval",
            f"ok = rabbit_vhost:add({vhost}, {user}), "
            f"rabbit_auth_backend_internal:set_permissions({user}, {vhost}, {everything}, {everything}, "
            f"{everything}, {user}).",
        )
        return self.url_of(name)

    def add_user(
        self, name: str, password: str, permissions: tuple[str, str, str] = ("", "", ""), *, vhost: str = "/"
    ) -> str:
        """Make a user with (configure, write, read) patterns in one virtual host; returns its AMQP address."""
        self.ctl("add_user", name, password)
        self.ctl("set_permissions", "--vhost", vhost, name, *permissions)
        return self.url_of(vhost, name, password)

    def _configuration(self, password: str) -> str:
        return "\n".join(
            (
                f"listeners.tcp.1 = {LOOPBACK}:{self.port}",
                f"default_user = {_USER}",
                f"default_pass = {password}",
                "max_message_size = 1048576",
                "channel_max = 16",
                "disk_free_limit.absolute = 64MB",
                "log.console = true",
                "log.console.level = warning",
                "log.file = false",
                "",
            )
        )


def _tool(name: str) -> Path:
    return program(name, package="rabbitmq-server", places=_PLACES)
