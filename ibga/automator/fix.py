"""FIX CTCI: what stands in for the progress window, the settings and the API's handshake (guide 2.2, 3, 12).

No progress window tells there when a login is complete, the settings are greyed out, and a FIX engine has
one session, into which no probe may get. What is left is the table of connections, and whether the gateway's
own process listens on the port (docs/dialogs.md, "FIX CTCI").
"""

from dataclasses import replace

from ibga.agent.report import Window, fold
from ibga.automator.main_window import connected, connections
from ibga.automator.screens import View
from ibga.config import Config
from ibga.config.settings import Tab

SETTLE_WITHOUT_TABLE = 10.0  # s of a main window and nothing else, in a build that tells no connections


def is_fix(config: Config) -> bool:
    return config.login.tab is Tab.FIX_CTCI


def server_connected(main: Window) -> bool | None:
    """Return whether IB's server is said to be connected; None where the table says nothing of it."""
    for purpose, status in connections(main).items():
        if fold(purpose).endswith("server"):
            return connected(status)
    return None


def understood(view: View, config: Config) -> View:
    """Return *view* without a progress window that says nothing: its title may stay "Loading..." for good."""
    if not is_fix(config) or view.progress is None or view.main is None:
        return view
    stale = fold(view.progress.title).startswith("loading") and server_connected(view.main)
    return replace(view, progress=None) if stale else view
