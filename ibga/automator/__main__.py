"""Drive the gateway of an instance: log in, answer dialogs, keep the settings, say where the session is.

Unit: ibga-automator@.service. Writes: session.json, automator.json, replies/, the login ledger.
Reads: ui.json, gateway.json, display.json, api.json, agent/heartbeat.json, requests/, the rule book,
launcher.log.
"""

import logging
import os
import queue
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import FrameType, MappingProxyType

from ibga import runtime, service
from ibga.automator import decide as decisions
from ibga.automator import fix, memory, prompts, second_factor
from ibga.automator.codes import NoCodeError, SecondFactors
from ibga.automator.decision import Decision
from ibga.automator.evidence import kind_of, masked, save_unknown_dialog
from ibga.automator.executor import Executor, Result
from ibga.automator.eyes import Eyes
from ibga.automator.handshake import Failure, HandshakeError, handshake
from ibga.automator.launcher_log import LauncherLog
from ibga.automator.listening import listens
from ibga.automator.login import credentials
from ibga.automator.logins import Logins
from ibga.automator.phone import PhoneLock
from ibga.automator.requests import login_now, retried, why
from ibga.automator.session import ApiAnswer, Now, Session, Sight, after, close_requested, observe
from ibga.automator.steps import AskCode, HoldPhone, ProbeApi, RecordLogin, Reply, SaveEvidence, Wait
from ibga.config import Config, load_for_service
from ibga.errors import IbgaError
from ibga.notify import Notifier
from ibga.runtime import RequestKind, State, Watch

log = logging.getLogger("ibga.automator")

RENEWAL = 8.0  # s between renewals of session.json, which holds for 30
TURN = 4.0  # s between two looks when nothing changes: at the heartbeat, at deadlines
PAST_DUE = 0.25  # s between two looks for what should have come already
PHONE_INTERVAL = 1.0  # s between two tries for the phone that another instance has
HANDSHAKE_TIMEOUT = 4.0  # s
HIGHEST_CLIENT_ID = 2**31 - 1  # a trader's client hardly takes it (design section 6)


def now() -> Now:
    return Now(time.monotonic(), time.time())


class Automator:
    """The loop's state: what is seen, what is known, and what was published."""

    def __init__(self, config: Config, notify: Notifier, watch: Watch) -> None:
        self._config = config
        self._notify = notify
        self._watch = watch
        self._pinged = 0.0
        self._eyes = Eyes(config.paths, watch, self._ping)
        self._logins = Logins(config)
        self._launcher = LauncherLog(config.paths.settings_dir / "launcher.log")
        self._factors = self._new_factors()
        self._phone = PhoneLock(config.paths.second_factor_lock, config.instance)
        self._executor = self._new_executor()
        self._answers: queue.SimpleQueue[ApiAnswer] = queue.SimpleQueue()
        self._probing = False
        self._session = Session()
        self._session = self._recalled()
        self._published: runtime.Session | None = None
        self._published_at = 0.0
        self._unwritten = False
        self._since = time.time()
        self.reload_wanted = False

    def _new_executor(self) -> Executor:
        fifo = self._config.paths.agent_dir / "fifo"
        return Executor(self._eyes, fifo, self._config.login.input, self._before_login, self._factors.issue)

    def _before_login(self) -> None:
        self._logins.before_click()
        self._launcher.mark()

    def _new_factors(self) -> SecondFactors:
        answered = self._config.paths.runtime_dir / "code"
        return SecondFactors(self._config, lambda: self._watch.wake(answered))

    def _recalled(self) -> Session:
        """Begin where a predecessor left off: with what it read, and with the login it may have started."""
        at = now()
        session = observe(Session(pid_since=at.mono, quiet_since=at.mono), self._sight(), self._config, at)
        session = memory.recall(self._memory, session, self._config)
        if session.settings is not None:
            answer = memory.api_answer(self._config.paths.runtime_dir / "session.json", at)
            session = replace(session, api=answer)
        age = self._logins.pending_since()
        if age is not None and not session.logged_in and session.pid is not None:
            session = replace(session, submitted=at.mono - age)
        row, pause, words = self._logins.back_off()
        return replace(session, failures=row, not_before=at.mono + pause, last_words=words)

    @property
    def _memory(self) -> Path:
        return self._config.paths.runtime_dir / "automator.json"

    def close(self) -> None:
        self._factors.close()
        self._phone.release()
        self._executor.close()

    def _ping(self) -> None:
        """Called where the loop turns: between two looks, also while a deed's effect is awaited."""
        if time.monotonic() - self._pinged > self._notify.ping_interval / 2:
            self._notify.ping()
            self._pinged = time.monotonic()

    def turn(self) -> float:
        """Look, decide, publish, act once. Return for how many seconds nothing is due."""
        if self.reload_wanted:
            self._reload()
        at = now()
        self._executor.prepare()
        self._take_answers()
        self._take_request(at)
        sight = self._sight()
        before = self._session
        self._session = observe(self._session, sight, self._config, at)
        decision = decisions.decide(self._session, sight, self._config, at)
        self._keep_phone(decision, at)
        decision = replace(decision, reason=masked(decision.reason), person=masked(decision.person))
        self._note_state(decision)
        self._publish(decision, sight, at)
        if memory.differs(before, self._session):
            memory.remember(self._memory, self._session)
        return self._perform(decision, sight, at)

    def _keep_phone(self, decision: Decision, at: Now) -> None:
        """Give the phone to the others when no login of ours may ring it any more."""
        if not second_factor.keeps_phone(self._session, decision.step, at):
            self._phone.release()
        elif self._session.second_factor_since is not None and prompts.may_ring(
            self._config, pushed=self._session.pushed
        ):
            self._phone.hold()  # of a login that a predecessor or a person began

    def _sight(self) -> Sight:
        eyes = self._eyes
        report = eyes.report
        view = eyes.view if report is not None else Sight().view
        wanted = view.login is not None or view.conflict is not None
        submitted = self._session.submitted is not None
        factor = prompts.has_second_factor(self._config) and (wanted or view.second_factor is not None)
        if view.second_factor is None:
            self._factors.over()
        past = self._factors.past() if factor else prompts.Past()
        return Sight(
            gateway=eyes.gateway,
            alive=eyes.alive,
            report=report,
            view=view,
            silent=eyes.silent(),
            rules=eyes.rules,
            block=self._logins.block() if wanted else None,
            probing=self._probing,
            api_evidence=eyes.api_evidence,
            dropped=self._launcher.dropped if submitted else False,
            kicked=self._launcher.kicked if view.conflict is not None else False,
            past=past,
            past_error=self._factors.error if factor else "",
            phone=self._phone.state,
            command=self._factors.command,
        )

    def _perform(self, decision: Decision, sight: Sight, at: Now) -> float:
        step = decision.step
        match step:
            case Wait(until=until):
                return TURN if until is None else min(TURN, max(PAST_DUE, until - time.monotonic()))
            case ProbeApi(port=port):
                self._probe(port)
                return TURN
            case RecordLogin(outcome=outcome, text=text, factor=factor):
                self._logins.ended(outcome, text)
                self._factors.ended(factor)
                self._session = replace(self._session, to_record=None)
            case AskCode():
                self._factors.ask()
            case HoldPhone():
                return 0.0 if self._phone.hold() else PHONE_INTERVAL
            case Reply(ok=ok, detail=detail):
                self._reply(ok, detail)
            case SaveEvidence(window=window):
                self._save_evidence(window, sight)
            case _:
                self._act(decision, sight)
        return 0.0

    def _act(self, decision: Decision, sight: Sight) -> None:
        step = decision.step
        assert not isinstance(
            step, Wait | ProbeApi | RecordLogin | AskCode | HoldPhone | Reply | SaveEvidence
        )
        assert sight.report is not None
        try:
            result = self._executor.perform(step, sight.report)
        except NoCodeError as error:
            log.debug("%s", error)
            return
        except IbgaError as error:  # the ledger: no login, no code
            log.error("%s", error)
            result = Result.NO_EFFECT
        if result is Result.STALE and self._eyes.report is not sight.report:
            return
        at = now()
        before = self._session
        # The effect's own report first: what it shows may be what the step was for.
        worked = result in (Result.WORKED, Result.PRESSED)
        self._session = after(self._session, step, worked, at)
        if worked and step.name.startswith(
            ("answer", "close ", "log in", "take", "send ", "change ", "confirm ")
        ):
            log.info("%s: done", step.name)
        if memory.differs(before, self._session):
            memory.remember(self._memory, self._session)
        if before.settings != self._session.settings:
            log.info("settings read back: %s", self._session.settings)

    def _note_state(self, decision: Decision) -> None:
        if decision.state is not self._session.state:
            log.info("session %s -> %s: %s", self._session.state, decision.state, decision.reason)
            self._since = time.time()
            if decision.state in (State.NEEDS_PERSON, State.FAILED):
                log.error("%s: %s", decision.reason, decision.person or "see `ibga status`")
        self._session = replace(self._session, state=decision.state)

    def _publish(self, decision: Decision, sight: Sight, at: Now) -> None:
        """Publish where the session stands; renewed only from here, so a record means that the loop turns."""
        record = runtime.Session(
            state=decision.state,
            since=self._since,
            time=at.unix,
            reason=decision.reason,
            facts=decisions.facts(self._session, sight, self._config, at),
            deadline=decision.deadline,
            person=decision.person,
            api_port=decisions.api_port(self._session, self._config),
            warnings=self._session.warnings,
            logins=self._logins.left(),
        )
        if _gist(record) != _gist(self._published) or at.mono - self._published_at > RENEWAL:
            self._write(record, at)
        self._notify.status(f"{decision.reason}; {decision.person}" if decision.person else decision.reason)

    def _write(self, record: runtime.Session, at: Now) -> None:
        """Where the disk is full the last record runs out, and the gateway is looked after all the same."""
        try:
            runtime.publish(self._config.paths.runtime_dir / "session.json", record)
        except IbgaError as error:
            if not self._unwritten:
                log.error("%s", error)
            self._unwritten, self._published = True, None
            return
        self._unwritten = False
        self._published, self._published_at = record, at.mono

    def _probe(self, port: int) -> None:
        """Ask the API in a thread: it may take seconds, and dialogs are not to wait for it."""
        self._probing = True
        threading.Thread(target=self._ask_api, args=(port,), daemon=True).start()

    def _ask_api(self, port: int) -> None:
        ok, detail = self._look_at_port(port) if fix.is_fix(self._config) else self._shake_hands(port)
        self._answers.put(ApiAnswer(ok=ok, mono=time.monotonic(), unix=time.time(), detail=detail))
        self._watch.wake(self._config.paths.runtime_dir / "api")

    def _look_at_port(self, port: int) -> tuple[bool, str]:
        gateway = self._eyes.gateway
        if gateway is None or gateway.pid is None or not listens(gateway.pid, port):
            return False, f"the gateway does not listen on port {port}"
        return True, f"process {gateway.pid} listens on port {port}"

    def _shake_hands(self, port: int) -> tuple[bool, str]:
        detail = ""
        for client_id in range(HIGHEST_CLIENT_ID, HIGHEST_CLIENT_ID - 3, -1):
            try:
                answer = handshake("127.0.0.1", port, client_id, HANDSHAKE_TIMEOUT)
            except HandshakeError as error:
                detail = str(error)
                if error.failure is Failure.ID_IN_USE:
                    continue
                break
            return True, f"handshake on port {port}, server version {answer.server_version}"
        return False, detail

    def _take_answers(self) -> None:
        while True:
            try:
                answer = self._answers.get_nowait()
            except queue.Empty:
                return
            self._probing = False
            failures = 0 if answer.ok else self._session.api_failures + 1
            if failures == 1:
                log.warning("the API does not answer: %s", answer.detail)
            self._session = replace(self._session, api=answer, api_failures=failures)

    def _take_request(self, at: Now) -> None:
        """Take up a request; its file goes at once, which tells the one who asked that we are at it."""
        if self._eyes.request is None:
            return
        name, kind = self._eyes.request
        if kind is RequestKind.CLOSE and self._session.close_request is not None:
            return
        (self._config.paths.requests_dir / f"{name}.json").unlink(missing_ok=True)
        self._eyes.request = None  # the next one is seen with the removal of this one
        log.info("request %s: %s", name, kind)
        match kind:
            case RequestKind.CLOSE:
                self._session = close_requested(self._session, name, at)
            case RequestKind.LOGIN:
                self._session, reply = login_now(self._session, self._sight(), self._logins.block())
                self._answer(name, reply.ok, reply.detail)
            case RequestKind.RETRY:
                self._retry(name)

    def _retry(self, name: str) -> None:
        try:
            forgiven = self._logins.forgive()
            forgiven |= self._factors.forget()
        except IbgaError as error:
            self._answer(name, False, str(error))
            return
        self._session = retried(self._session)
        block = self._logins.block()
        if block is not None:
            self._answer(name, False, why(block))
        else:
            said = "the refused login is tried once more" if forgiven else "nothing was refused; it goes on"
            self._answer(name, True, said)

    def _answer(self, name: str, ok: bool, detail: str) -> None:
        try:
            runtime.reply(self._config.paths, name, ok=ok, detail=masked(detail))
        except IbgaError as error:
            log.error("%s", error)

    def _reply(self, ok: bool, detail: str) -> None:
        name = self._session.close_request
        if name is not None:
            log.info("request to close: %s", detail)
            self._answer(name, ok, detail)
        self._session = replace(self._session, close_request=None, close_chosen=None, closed=ok)

    def _save_evidence(self, window_id: int, sight: Sight) -> None:
        assert sight.report is not None
        window = sight.report.window(window_id)
        if window is None:
            return
        try:
            content = (self._config.paths.runtime_dir / "ui.json").read_bytes()
        except OSError:  # the gateway has just ended, and its report with it; the tree is kept all the same
            content = b""
        folder = save_unknown_dialog(
            self._config.paths, window, content, self._screenshot(sight), time.time()
        )
        where = str(folder) if folder is not None else "(it could not be saved)"
        text = masked(f"unknown dialog {window.title!r}, left alone; saved in {where}")
        log.warning("%s", text)
        evidence = {**self._session.evidence, kind_of(window): where}
        self._session = replace(
            self._session,
            evidence=MappingProxyType(evidence),
            warnings=tuple(dict.fromkeys((*self._session.warnings, text)))[-20:],
        )

    def _screenshot(self, sight: Sight) -> bytes | None:
        return None if second_factor.shows_code(sight.view) else self._executor.screenshot()

    def _reload(self) -> None:
        """Apply what can be applied (SIGHUP); credentials that changed are credentials not yet refused."""
        self.reload_wanted = False
        try:
            config = load_for_service(
                self._config.instance, root=self._config.paths.root, secrets=True, environ=os.environ
            )
        except IbgaError as error:
            log.warning("the configuration stays as it was: %s", error)
            return
        waiting = self._session.to_record
        if waiting is not None:  # of the credentials that it was said of
            self._logins.ended(waiting.outcome, waiting.text)
            self._factors.ended(waiting.factor)
            self._session = replace(self._session, to_record=None)
        if credentials(config) != credentials(self._config):
            self._session = replace(self._session, not_before=0.0, failures=0)
        self._session = replace(self._session, password_in=None, second_password_in=None)
        self._config = config
        self._logins.reconfigure(config)
        self._factors.close()
        self._factors = self._new_factors()
        self._executor.close()
        self._executor = self._new_executor()
        self._eyes.read_rules()
        if self._session.settings is not None and not memory.matches(self._session.settings, config):
            self._session = replace(self._session, settings=None, settings_rounds=0, api=None)
        log.info("configuration read again")

    def run(self) -> None:
        while True:
            self._ping()
            # Also where nothing is waited for: a loop that does not look decides on old news for ever.
            self._eyes.wait(self.turn())


def _gist(record: runtime.Session | None) -> object:
    """What of a record is news: not the times at which the same was seen again."""
    if record is None:
        return None
    facts = record.facts
    looked = [(fact.ok, fact.detail) for fact in (facts.process, facts.ui, facts.api, facts.farms)]
    return (
        record.state,
        record.reason,
        record.person,
        record.deadline,
        record.api_port,
        record.warnings,
        record.logins,
        looked,
    )


def run(config: Config, notify: Notifier) -> None:
    logging.getLogger("watchdog").setLevel(logging.INFO)  # below, it logs every inotify event
    paths = config.paths
    for folder in (paths.runtime_dir, paths.requests_dir, paths.replies_dir):
        folder.mkdir(exist_ok=True)
    # The last for the folder of the operator's rules, which may come later.
    watched = [paths.runtime_dir, paths.requests_dir, paths.config_dir]
    with Watch(path for path in watched if path.is_dir()) as watch:
        automator = Automator(config, notify, watch)

        def reload(signum: int, frame: FrameType | None) -> None:
            automator.reload_wanted = True
            watch.wake(paths.runtime_dir / "reload")

        signal.signal(signal.SIGHUP, reload)
        try:
            notify.ready("watching the gateway's windows")
            automator.run()
        finally:
            automator.close()
            if not (paths.runtime_dir / "gateway.json").exists():
                # While a gateway is up they stay: a restart of ours is to disturb no client.
                for name in ("session.json", "automator.json"):
                    (paths.runtime_dir / name).unlink(missing_ok=True)


if __name__ == "__main__":
    service.main(run, secrets=True)
