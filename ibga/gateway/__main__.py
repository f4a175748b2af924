"""Run IB Gateway (IBG) of one instance: install it, start or adopt it, watch its event queue, log it out.

Unit: ibga-gateway@.service. Writes: gateway.json, requests/, replies/, away.json (state directory).
Reads: display.json, ui.json, agent/heartbeat.json, requests/, replies/.
"""

import logging
import time

from ibga import service
from ibga.config import Config
from ibga.errors import Exit, IbgaError
from ibga.gateway import process
from ibga.gateway.absence import Absence
from ibga.gateway.install import ensure_installed
from ibga.gateway.program import Program
from ibga.gateway.runner import Runner
from ibga.gateway.status import Status
from ibga.notify import Notifier
from ibga.runtime import GatewayState

log = logging.getLogger(__name__)

# In seconds.
RETRY_FIRST, RETRY_LAST = 60.0, 3600.0  # between tries to install; each is twice the one before


def run(config: Config, notify: Notifier) -> None:
    logging.getLogger("watchdog").setLevel(logging.INFO)  # below, it logs every inotify event
    status = Status(config, notify)
    process.become_subreaper()
    jvm = process.find_jvm(config.paths.runtime_dir, config.paths.programs_dir)
    absence = Absence(config.paths)
    # A session that a killed service left behind is not disturbed, also not by an installation; and what
    # is to stay away needs none yet.
    current = None if jvm or absence.now() else install(config, status)
    Runner(config, notify, status, absence).run(jvm, current)


def install(config: Config, status: Status) -> Program:
    """Return the installed program, after as many tries as it takes; each waits longer than the last.

    A mistake in the configuration is raised: no try mends it.
    """
    interval = RETRY_FIRST
    while True:
        try:
            return ensure_installed(config, status)
        except IbgaError as error:
            if error.code is Exit.CONFIG:
                status.say(GatewayState.FAILED, str(error))
                raise
            again = time.strftime("%H:%M", time.localtime(time.time() + interval))
            log.error("%s", error)
            status.say(GatewayState.FAILED, f"{error}; next try at {again}, or after a restart of this unit")
        time.sleep(interval)
        interval = min(interval * 2, RETRY_LAST)


if __name__ == "__main__":
    service.main(run, keep_config=True)
