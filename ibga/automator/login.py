"""The login frame (guide 3): tab and mode first, then options, user name, password, and the button."""

from dataclasses import dataclass

from ibga.agent.report import Component, Window, fold
from ibga.automator import resets
from ibga.automator.decision import Decision
from ibga.automator.session import ANSWER_TIMEOUT, Now, Session, Sight
from ibga.automator.steps import Choose, Click, LayoutChanged, LoginStarted, Selected, Type, Wait
from ibga.config import Config
from ibga.config.settings import Account, Mode, Tab
from ibga.runtime import State

CAME_BACK_PAUSE = 0.5  # s for the notice that says why the form is back (guide 2.7)
LOGIN_SEEN_TIMEOUT = 12.0  # s from the press to the first sign of it (guide 2.4: 1 to 10)
ENABLED_TIMEOUT = 3.0  # s for the button to follow the fields
_TABS = {Tab.IB_API: ("IB API", "TWS/API"), Tab.FIX_CTCI: ("FIX CTCI",)}
_MODES = {Mode.LIVE: "Live Trading", Mode.PAPER: "Paper Trading"}
_SUBMIT = {Mode.LIVE: ("Log In", "Login"), Mode.PAPER: ("Paper Log In", "Log In", "Login")}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginForm:
    """The parts of the frame that show; None where a build has none."""

    window: Window
    tab: Component | None
    mode: Component | None
    has_modes: bool
    mode_combo: Component | None  # in the place of the two, up to 974 (guide 3.2)
    username: Component | None
    password: Component | None
    second: tuple[Component, Component] | None  # the other pair of the tab FIX CTCI, for market data
    submit: Component | None
    more_options: Component | None

    @property
    def usable(self) -> bool:
        """Fields are disabled or absent while a login runs, or a token is being used (guide 3.4)."""
        fields = (self.username, self.password)
        return all(each is not None and each.enabled and each.editable for each in fields)


def read_form(window: Window, account: Account, tab: Tab) -> LoginForm:
    fields = [each for each in window.walk() if each.editable and _is_field(each)]
    passwords = [each for each in fields if each.is_a("JPasswordField")]
    password = passwords[0] if passwords else None
    before = fields[: fields.index(password)] if password is not None else []
    toggles = [*window.find_all("JToggleButton"), *window.find_all("JRadioButton")]
    return LoginForm(
        window=window,
        tab=_first(toggles, _TABS[tab]),
        mode=_first(toggles, (_MODES[account.mode],)),
        has_modes=any(fold(each.text) == fold(text) for each in toggles for text in _MODES.values()),
        mode_combo=next((each for each in window.find_all("JComboBox") if _offers_modes(each)), None),
        username=before[-1] if before else None,
        password=password,
        second=_second_pair(fields, passwords) if tab is Tab.FIX_CTCI else None,
        submit=_first(window.find_all("JButton"), _SUBMIT[account.mode]),
        more_options=window.find("JButton", "More Options"),
    )


def _second_pair(fields: list[Component], passwords: list[Component]) -> tuple[Component, Component] | None:
    """Return user name and password of the fields behind the first pair (guide 3.2)."""
    if len(passwords) < 2:
        return None
    between = fields[fields.index(passwords[0]) + 1 : fields.index(passwords[1])]
    return (between[-1], passwords[1]) if between else None


def _offers_modes(combo: Component) -> bool:
    texts = {fold(row.text) for row in combo.rows or ()}
    return all(fold(text) in texts for text in _MODES.values())


def _is_field(component: Component) -> bool:
    return component.base.endswith(("JTextField", "JPasswordField", "JFormattedTextField"))


def _first(components: list[Component], captions: tuple[str, ...]) -> Component | None:
    for caption in captions:
        for each in components:
            if fold(each.text) == fold(caption):
                return each
    return None


def credentials(config: Config) -> tuple[str, str | None]:
    """Return the user name and password for the configured tab."""
    account = config.account
    if config.login.tab is Tab.FIX_CTCI:
        return account.fix_username, account.fix_password
    return account.username, account.password


def decide_login(window: Window, session: Session, sight: Sight, config: Config, now: Now) -> Decision:
    """Return the next step towards a submitted form, or what it waits for."""
    form = read_form(window, config.account, config.login.tab)
    if session.submitted is not None:
        return _submitted(session, now)
    blocked = _blocked(session, sight, config, now)
    if blocked is not None:
        return blocked
    if session.phase and now.mono < session.quiet_since + CAME_BACK_PAUSE:
        return Decision(
            state=State.LOGIN,
            reason="the login form is back",
            step=Wait(session.quiet_since + CAME_BACK_PAUSE),
        )
    if not form.usable:
        return Decision(state=State.LOGIN, reason="the login form cannot be filled yet")
    return _fill(form, session, config, now)


def _submitted(session: Session, now: Now) -> Decision:
    assert session.submitted is not None
    return Decision(
        state=State.LOADING,
        reason="logging in: the button was pressed, IB has not answered yet",
        step=Wait(max(session.submitted, session.quiet_since) + ANSWER_TIMEOUT),
    )


def _blocked(session: Session, sight: Sight, config: Config, now: Now) -> Decision | None:
    """Return why nothing may be submitted now, if so."""
    username, password = credentials(config)
    if not username or not password:
        missing = "user name" if not username else "password"
        return Decision(
            state=State.NEEDS_PERSON,
            reason=f"no {missing} is configured",
            person="set account.fix_username and account.fix_password_file"
            if config.login.tab is Tab.FIX_CTCI
            else "set account.username and account.password_file, or the two credentials",
        )
    if sight.block is not None:
        return Decision(
            state=State.NEEDS_PERSON if sight.block.person else State.LOGIN,
            reason=sight.block.reason,
            person=sight.block.person,
            deadline=sight.block.until,
        )
    if now.mono < session.not_before:
        seconds = session.not_before - now.mono
        return Decision(
            state=State.LOGIN,
            reason=f"the next login is tried in {seconds:.0f} s; IB said: {session.last_words!r}",
            step=Wait(session.not_before),
            deadline=now.unix + seconds,
        )
    failed = session.failures and not session.token_void
    reset = resets.over_at(now.unix, resets.region_of(config)) if failed else None
    if reset is not None and not session.insist:
        return Decision(
            state=State.LOGIN,
            reason=f"IB resets its servers, the next login comes after that; it said: {session.last_words!r}",
            step=Wait(now.mono + reset - now.unix),
            deadline=reset,
        )
    return None


def _fill(form: LoginForm, session: Session, config: Config, now: Now) -> Decision:
    username, password = credentials(config)
    assert form.username is not None
    assert form.password is not None
    assert password is not None
    window = form.window.id

    if form.tab is not None and form.tab.selected is False:
        return _filling(_toggle("choose the tab", window, form.tab))
    # Before anything is typed: switching the mode may empty the form (guide 3.3). The tab FIX CTCI has the
    # two in some builds only (guide 1.10, 3.2); elsewhere the FIX user's account decides.
    if form.has_modes:
        if form.mode is None:
            return Decision(
                state=State.LOGIN, reason=f"the login form has no {_MODES[config.account.mode]!r}"
            )
        if form.mode.selected is False:
            return _filling(_toggle("choose the trading mode", window, form.mode))
    elif config.login.tab is Tab.IB_API:
        without = _without_modes(form, config)
        if without is not None:
            return without
    options = _options(form, session, config)
    if options is not None:
        return options
    if form.username.text != username:
        return _filling(
            Type(name="type the user name", window=window, component=form.username.id, text=username)
        )
    # Only its length is told, hence only what we typed ourselves is trusted (guide 3.3).
    if session.password_in != form.password.id or form.password.length != utf16_length(password):
        return _filling(
            Type(name="type the password", window=window, component=form.password.id, text=password)
        )
    second = _fill_second(form, session, config)
    return second if second is not None else _submit(form, session, config, now)


def _fill_second(form: LoginForm, session: Session, config: Config) -> Decision | None:
    """Fill in the login for market data, which is optional, where both halves of it are configured."""
    account = config.account
    if form.second is None or not account.username or not account.password:
        return None
    username, password = form.second
    if username.text != account.username:
        field, name, text = username, "type the market data user name", account.username
    elif session.second_password_in != password.id or password.length != utf16_length(account.password):
        field, name, text = password, "type the market data password", account.password
    else:
        return None
    return _filling(Type(name=name, window=form.window.id, component=field.id, text=text))


def _without_modes(form: LoginForm, config: Config) -> Decision | None:
    """A build without the two toggles: a combo box, or nothing but the button's caption tells the mode."""
    wanted = _MODES[config.account.mode]
    if form.mode_combo is not None:
        if fold(form.mode_combo.text) == fold(wanted):
            return None
        row = next(row for row in form.mode_combo.rows or () if fold(row.text) == fold(wanted))
        return _filling(
            Choose(
                name="choose the trading mode",
                window=form.window.id,
                component=form.mode_combo.id,
                row=row.index,
            )
        )
    if config.account.mode is Mode.LIVE or (form.submit and fold(form.submit.text).startswith("paper")):
        return None
    # Never a live login where paper is configured.
    return Decision(
        state=State.NEEDS_PERSON,
        reason=f"the login form has no {wanted!r}",
        person="look at the login form: nothing in it says that the login would be for paper trading",
    )


def _submit(form: LoginForm, session: Session, config: Config, now: Now) -> Decision:
    if form.submit is None:
        return Decision(state=State.LOGIN, reason="the login form has no button to log in")
    if not form.submit.enabled:
        person = ""
        if now.mono - session.quiet_since > ENABLED_TIMEOUT:
            person = "look at account.username: the form refuses it, perhaps for its characters"
        return Decision(
            state=State.NEEDS_PERSON if person else State.LOGIN,
            reason=f"the button {form.submit.text!r} stays disabled",
            person=person,
            step=Wait(session.quiet_since + ENABLED_TIMEOUT) if not person else Wait(),
        )
    return _filling(
        Click(
            name="log in",
            window=form.window.id,
            component=form.submit.id,
            effect=LoginStarted(form.submit.id),
            effect_timeout=LOGIN_SEEN_TIMEOUT,
            login_attempt=True,
        )
    )


def _filling(step: Click | Type | Choose) -> Decision:
    return Decision(state=State.LOGIN, reason="filling in the login form", step=step)


def _toggle(name: str, window: int, component: Component) -> Click:
    return Click(name=name, window=window, component=component.id, effect=Selected(component.id))


def _options(form: LoginForm, session: Session, config: Config) -> Decision | None:
    """Return the next step towards the region and time zone that are configured, if any (guide 3.2)."""
    wanted = {"Region": config.login.region.value, "Time Zone": config.login.timezone}
    for label, value in wanted.items():
        if not value:
            continue
        combo = labelled(form.window, label, "JComboBox")
        if combo is None:
            if form.more_options is None or session.options_shown:
                return Decision(state=State.LOGIN, reason=f"the login form shows no {label!r}")
            return _filling(
                Click(
                    name="show more options",
                    window=form.window.id,
                    component=form.more_options.id,
                    effect=LayoutChanged(form.window.id),
                )
            )
        if _same_option(combo.text, value):
            continue
        rows = [each for each in combo.rows or () if _same_option(each.text, value)]
        if not rows:
            return Decision(
                state=State.NEEDS_PERSON,
                reason=f"the login form offers no {label} {value!r}",
                person=f"correct login.{'region' if label == 'Region' else 'timezone'}",
            )
        return _filling(
            Choose(
                name=f"choose the {label.lower()}",
                window=form.window.id,
                component=combo.id,
                row=rows[0].index,
            )
        )
    return None


def _same_option(shown: str, wanted: str) -> bool:
    """Rows say "America/New York", time zones are called America/New_York (guide 3.2)."""
    return fold(shown.replace("_", " ")) == fold(wanted.replace("_", " "))


def labelled(window: Window, label: str, *kinds: str) -> Component | None:
    """Return the first component of *kinds* that comes after the label, in the order of the tree."""
    found = False
    for each in window.walk():
        if each.is_a("JLabel") and fold(each.text).rstrip(":") == fold(label):
            found = True
        elif found and any(each.is_a(kind) for kind in kinds):
            return each
    return None


def utf16_length(text: str) -> int:
    """As Java counts characters."""
    return len(text.encode("utf-16-le")) // 2
