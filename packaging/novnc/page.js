// The screen of one instance: connects by itself, again and again, and says when what is shown is not live.
import RFB from "./core/rfb.js";

const part = (id) => document.getElementById(id);
const screen = part("screen");
const dialog = part("ask");

const FIRST_WAIT = 1, LONGEST_WAIT = 10;  // seconds between attempts
let wait = FIRST_WAIT;
let about = { instance: "", view_only: false };
let password;  // kept for reconnecting; gone with the page
let rfb;
let timer;  // of the next attempt
let refused = false;
let away = false;  // the browser has left this page and keeps it for its back button

function say(text, live) {
    part("state").textContent = text;
    part("light").className = live ? "on" : "off";
    screen.classList.toggle("stale", !live);
    document.title = `${live ? "" : "(off) "}IBGA ${about.instance}`;
}

async function connect() {
    say("connecting …", false);
    try {
        const answer = await fetch("instance.json");
        about = await answer.json();
    } catch {
        retry("The server of this page does not answer");
        return;
    }
    part("instance").textContent = about.instance;
    part("note").textContent = about.view_only ? "view only" : "";
    const url = new URL("websockify", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    screen.replaceChildren();
    rfb = new RFB(screen, url.href, { shared: true });
    rfb.viewOnly = about.view_only;
    rfb.scaleViewport = fitting();
    rfb.clipViewport = false;
    rfb.showDotCursor = true;
    rfb.background = "#10161e";
    rfb.addEventListener("connect", () => {
        wait = FIRST_WAIT;
        say("connected", true);
    });
    rfb.addEventListener("credentialsrequired", async () => {
        password ??= await askPassword();
        rfb.sendCredentials({ password });
    });
    rfb.addEventListener("securityfailure", (event) => {
        password = undefined;
        refused = true;
        part("refused").textContent = `Refused: ${event.detail.reason || "wrong password"}`;
    });
    rfb.addEventListener("disconnect", () => {
        if (away) {
            return;
        }
        if (refused) {  // at once: the person waits for the next question
            refused = false;
            wait = FIRST_WAIT;
            timer = setTimeout(connect, 200);
        } else {
            retry("Disconnected");
        }
    });
}

function retry(why) {
    let left = wait;
    wait = Math.min(wait * 2, LONGEST_WAIT);
    const tick = () => {
        if (left === 0) {
            connect();
            return;
        }
        say(`${why}; trying again in ${left} s`, false);
        left -= 1;
        timer = setTimeout(tick, 1000);
    };
    tick();
}

function askPassword() {
    say("waiting for the password", false);
    part("password").value = "";
    dialog.showModal();
    return new Promise((resolve) => {
        dialog.addEventListener("close", () => {
            part("refused").textContent = "";
            resolve(part("password").value);
        }, { once: true });
    });
}

function fitting() {
    return part("fit").getAttribute("aria-pressed") === "true";
}

part("fit").addEventListener("click", () => {
    part("fit").setAttribute("aria-pressed", String(!fitting()));
    screen.style.overflow = fitting() ? "hidden" : "auto";
    if (rfb) {
        rfb.scaleViewport = fitting();
    }
});
part("full").addEventListener("click", () => document.documentElement.requestFullscreen());

// A page kept for the back button also keeps its connection, and would be counted as a viewer.
addEventListener("pagehide", () => {
    away = true;
    clearTimeout(timer);
    rfb?.disconnect();
});
addEventListener("pageshow", (event) => {
    if (event.persisted) {
        away = false;
        connect();
    }
});

connect();
