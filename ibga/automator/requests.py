"""`ibga login` and `ibga retry`: a person says that a login is to be tried now. Pure.

Neither makes a login by itself: the form, the ledger and its budget stay in the way as ever.
"""

from dataclasses import replace
from math import isfinite
from time import localtime, strftime

from ibga.automator.session import LoginBlock, Session, Sight
from ibga.automator.steps import Reply


def login_now(session: Session, sight: Sight, block: LoginBlock | None) -> tuple[Session, Reply]:
    """Return *session* without what a login waits for of our own accord, and the answer.

    What IB or the ledger says (*block*) stays: a refusal, a spent budget, a waiting time.
    """
    if not sight.alive:
        reason = sight.gateway.reason if sight.gateway is not None else "its service does not run"
        return session, Reply(ok=False, detail=f"the gateway does not run: {reason}")
    if block is not None:
        return session, Reply(ok=False, detail=why(block))
    if sight.view.conflict is None and session.displaced_since is None:
        if session.logged_in:
            return session, Reply(ok=True, detail="it is logged in")
        if session.submitted is not None:
            return session, Reply(ok=True, detail="a login is under way")
    session = replace(session, insist=True, not_before=0.0, takeovers=())
    return session, Reply(ok=True, detail="the login is tried now")


def why(block: LoginBlock) -> str:
    """Return why no login may be tried, what to do, and until when."""
    until = block.until if block.until is not None and isfinite(block.until) else None
    said = strftime("until %d %b %H:%M:%S", localtime(until)) if until is not None else ""
    return "; ".join(filter(None, (block.reason, block.person, said)))


def retried(session: Session) -> Session:
    """Return *session* after a person has looked: what was refused or failed counts as not yet tried."""
    return replace(
        session, failures=0, not_before=0.0, relogins=0, last_words="", password_in=None, device_changes=0
    )
