"""A headless Chromium, driven by the Chrome DevTools Protocol. It can reach this machine only."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

SECONDS = 30
SETTLE_SECONDS = 0.5  # GraphiQL reads what was typed after a tenth of a second
FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-debugging-port=0",
    "--window-size=1400,1000",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
CONTROL = 2  # the modifier


class Browser:
    """One tab. It remembers every URL that was requested and every line of the console."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection, self._id = connection, 0
        self.requested: list[str] = []
        self.console: list[str] = []

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol."""
        self._id += 1
        self._connection.send(json.dumps({"id": self._id, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._connection.recv(timeout=SECONDS))
            if message.get("id") == self._id:
                assert "error" not in message, message
                return dict(message["result"])
            self._note(message)

    def _note(self, event: dict[str, Any]) -> None:
        parameters = event["params"]
        match event["method"]:
            case "Network.requestWillBeSent":
                self.requested.append(parameters["request"]["url"])
            case "Network.webSocketCreated":
                self.requested.append(parameters["url"])
            case "Log.entryAdded":
                self.console.append(parameters["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.console.append(str(parameters["exceptionDetails"]))

    def open(self, url: str) -> None:
        """Open a page."""
        for domain in ("Network", "Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=url)

    def value(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def wait(self, script: str) -> Any:
        """The value of a JavaScript expression, once it is true."""
        deadline = time.monotonic() + SECONDS
        while not (value := self.value(script)):
            assert time.monotonic() < deadline, (script, self.console, self.value("document.body.innerText"))
            time.sleep(0.1)
        return value

    def press(self, key: str, code: str, number: int, modifiers: int = 0) -> None:
        """Press a key and release it."""
        for kind in ("rawKeyDown", "keyUp"):
            event = {"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": modifiers}
            self.call("Input.dispatchKeyEvent", type=kind, **event)

    def replace_text(self, selector: str, text: str) -> None:
        """Click into an editor, select everything, and type."""
        box = self.wait(
            f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)
        self.press("a", "KeyA", 65, CONTROL)
        self.call("Input.insertText", text=text)
        time.sleep(SETTLE_SECONDS)


def chromium() -> str | None:
    """The program; None if it is not installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def browsing(program: str, folder: Path) -> Iterator[Browser]:
    """Run a browser, with its profile in a folder, until the block ends."""
    as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    command = [program, *FLAGS, *as_root, f"--user-data-dir={folder}", "about:blank"]
    with (folder / "log").open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | {"HOME": str(folder)})
    try:
        with connect(_tab(process, folder), max_size=None, proxy=None) as connection:
            yield Browser(connection)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _tab(process: subprocess.Popen[bytes], folder: Path) -> str:
    """The address at which the first tab is driven."""
    deadline = time.monotonic() + SECONDS
    while not (address := folder / "DevToolsActivePort").exists() or not address.read_text():
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.1)
    port = address.read_text().splitlines()[0]
    tabs = httpx.get(f"http://127.0.0.1:{port}/json", trust_env=False).json()
    return str(next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page"))
