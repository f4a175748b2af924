"""Second factor windows (guide 4.4): a person is asked, until IB's own limit."""

from ibga.automator.decision import Decision
from ibga.automator.session import Now, Session
from ibga.runtime import State

GIVE_UP = 180.0 + 60.0  # s: IB's limit, and a margin (guide 4.4)


def decide_second_factor(session: Session, now: Now) -> Decision:
    if session.second_factor_since is not None and now.mono > session.second_factor_since + GIVE_UP:
        return Decision(
            state=State.NEEDS_PERSON,
            reason="IB's time for the second factor is over, and its window is still there",
            person="close it on the gateway's screen with Cancel",
        )
    return Decision(
        state=State.SECOND_FACTOR,
        reason="IB asks for the second factor",
        person="confirm the login on your phone, or enter the code on the gateway's screen",
        deadline=session.second_factor_deadline,
    )
