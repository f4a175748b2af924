"""The gateway service with shorter times, for tests of what else takes a minute.

What is measured in real times (that a queue late by 10 s is left alone) is tested with the service itself.
"""

from ibga import service
from ibga.gateway import closing, runner
from ibga.gateway.__main__ import run

runner.FROZEN_AGE = 5.0  # the agent's dump comes up to 3 s after the last turn
runner.LOOK_INTERVAL = 0.5
runner.SHORT_LIFE = 1.0
runner.EVIDENCE_TIMEOUT = 1.0
runner.END_GRACE = 3.0
closing.ANSWER_TIMEOUT = 0.5

if __name__ == "__main__":
    service.main(run)
