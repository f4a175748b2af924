"""Whether a part is configured on, for ExecCondition=: python3 -m ibga.config enabled vnc INSTANCE

Exit code 1 skips the unit. A wrong configuration is no reason to: the service says what is wrong with it.
"""

import argparse
import logging
import os

from ibga.config.load import load_for_service
from ibga.errors import Exit, IbgaError
from ibga.service import log_to_journal, root_dir


def main() -> Exit:
    parser = argparse.ArgumentParser(prog="ibga.config", description=__doc__)
    parser.add_argument("question", choices=["enabled"])
    parser.add_argument("part", choices=["vnc"])
    parser.add_argument("instance")
    options = parser.parse_args()
    log_to_journal(level=logging.ERROR)  # warnings are the service's to repeat
    try:
        config = load_for_service(options.instance, root=root_dir(), environ=os.environ)
    except IbgaError:
        return Exit.OK
    return Exit.OK if config.vnc.enabled else Exit.FAILURE


if __name__ == "__main__":
    raise SystemExit(int(main()))
