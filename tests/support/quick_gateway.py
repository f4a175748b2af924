"""The gateway service with shorter times, for tests of what else takes a minute.

What is measured in real times (that a queue late by 10 s is left alone) is tested with the service itself.
"""

from ibga import service
from ibga.gateway import __main__ as gateway
from ibga.gateway import closing

gateway.FROZEN_AGE = 5.0  # the agent's dump comes up to 3 s after the last turn
gateway.LOOK_INTERVAL = 0.5
gateway.SHORT_LIFE = 1.0
gateway.EVIDENCE_TIMEOUT = 1.0
gateway.END_GRACE = 3.0
closing.ANSWER_TIMEOUT = 0.5

if __name__ == "__main__":
    service.main(gateway.run)
