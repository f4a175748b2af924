"""Second factor windows (guide 4.4): a person is asked, until IB's own limit."""

from ibga.automator.decision import Decision
from ibga.automator.session import Session
from ibga.runtime import State


def decide_second_factor(session: Session) -> Decision:
    return Decision(
        state=State.SECOND_FACTOR,
        reason="IB asks for the second factor",
        person="confirm the login on your phone, or enter the code on the gateway's screen",
        deadline=session.second_factor_deadline,
    )
