"""Where an instance keeps its files (design: runtime directory, permanent data)."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders of one instance below *root*, which is / except in tests and in a chroot."""

    instance: str
    root: Path = Path("/")

    @property
    def config_dir(self) -> Path:
        return self.root / "etc/ibga"

    @property
    def config_file(self) -> Path:
        return self.config_dir / f"{self.instance}.toml"

    @property
    def rules_dir(self) -> Path:
        """Dialog rules of the operator, *.toml."""
        return self.config_dir / "dialogs.d"

    @property
    def runtime_base(self) -> Path:
        """Holds one folder per instance."""
        return self.root / "run/ibga"

    @property
    def second_factor_lock(self) -> Path:
        """Held by the one instance of the host that may have a phone rung."""
        return self.runtime_base / "second-factor.lock"

    @property
    def runtime_dir(self) -> Path:
        return self.runtime_base / self.instance

    @property
    def agent_dir(self) -> Path:
        """heartbeat.json and the command FIFO of the agent in the gateway's JVM."""
        return self.runtime_dir / "agent"

    @property
    def requests_dir(self) -> Path:
        return self.runtime_dir / "requests"

    @property
    def replies_dir(self) -> Path:
        return self.runtime_dir / "replies"

    @property
    def home_dir(self) -> Path:
        """HOME of the services and of the gateway."""
        return self.root / "var/lib/ibga"

    @property
    def programs_dir(self) -> Path:
        """One folder per installed version of IB Gateway, shared by the instances."""
        return self.home_dir / "programs"

    @property
    def settings_dir(self) -> Path:
        """The gateway's settings directory (Java property jtsConfigDir) of this instance."""
        return self.home_dir / self.instance

    @property
    def last_exit(self) -> Path:
        """How the gateway of this instance ended last; outlives the runtime directory."""
        return self.settings_dir / "last-exit.json"

    @property
    def logins_dir(self) -> Path:
        """The login ledgers, one per user name, of the host."""
        return self.home_dir / "logins"

    @property
    def log_dir(self) -> Path:
        return self.root / "var/log/ibga" / self.instance

    @property
    def share_dir(self) -> Path:
        return self.root / "usr/share/ibga"

    @property
    def agent_jar(self) -> Path:
        return self.share_dir / "ibga-agent.jar"

    @property
    def novnc_dir(self) -> Path:
        """The page (index.html) and noVNC's core/ (with its vendor/)."""
        return self.share_dir / "novnc"
