"""Apply each patch of this folder to a copy of the tree and see that the test it names fails.

    python3 -m tests.sabotage [NAME ...]

A patch begins with lines of a header, then a unified diff against the root of the tree:

    Test: tests/unit/test_automator.py::test_name
    Why: one sentence, what goes wrong for the operator when this slips in

The test must pass on the tree as it is and fail with the patch. A patch that no longer applies, a test
that cannot be collected and a test that stays green are all failures of this run.
"""

import argparse
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATCHES = Path(__file__).resolve().parent
COPY = ROOT / "build/sabotage"
_TEST_TIMEOUT = 180.0  # s, of one test

# pytest's exit codes
_PASSED = 0
_FAILED = 1


@dataclass(frozen=True, slots=True)
class Sabotage:
    patch: Path
    test: str
    why: str


def read_patch(patch: Path) -> Sabotage:
    header = dict(
        line.split(": ", 1) for line in patch.read_text().split("\n--- ", 1)[0].splitlines() if ": " in line
    )
    try:
        return Sabotage(patch, header["Test"], header["Why"])
    except KeyError as missing:
        raise SystemExit(f"{patch}: no line {missing} in its header") from None


def copy_tree() -> None:
    """Copy what git knows, committed or not, and what the tests need of build/."""
    shutil.rmtree(COPY, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, COPY / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    # Built things are keyed by what they are built from: a patch to their source builds them anew.
    # Not the installed gateway: absolute paths are written into it.
    shutil.copytree(
        ROOT / "build",
        COPY / "build",
        ignore=shutil.ignore_patterns("sabotage", "installed-*"),
        symlinks=True,
    )
    (COPY / ".venv").symlink_to(ROOT / ".venv")  # the simulator's JRE


def run_test(test: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test],
        cwd=COPY,
        capture_output=True,
        text=True,
        timeout=_TEST_TIMEOUT,
    )


def patch_tree(patch: Path, *, reverse: bool = False) -> None:
    command = ["patch", "--strip=1", "--batch", "--silent", f"--input={patch}"]
    done = subprocess.run(
        command + (["--reverse"] if reverse else []), cwd=COPY, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{patch.name} does not apply:\n{done.stdout}{done.stderr}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name", nargs="*", help="patches to try, without .patch; default: all")
    names = parser.parse_args().name
    patches = [PATCHES / f"{name}.patch" for name in names] or sorted(PATCHES.glob("*.patch"))
    copy_tree()
    survived = []
    clean: dict[str, bool] = {}
    for sabotage in map(read_patch, patches):
        if sabotage.test not in clean:
            clean[sabotage.test] = run_test(sabotage.test).returncode == _PASSED
        patch_tree(sabotage.patch)
        result = run_test(sabotage.test)
        patch_tree(sabotage.patch, reverse=True)
        caught = clean[sabotage.test] and result.returncode == _FAILED
        print(f"{'caught' if caught else 'SURVIVED':9} {sabotage.patch.stem:32} {sabotage.test}", flush=True)
        if not caught:
            survived.append(sabotage)
            print(result.stdout[-2000:] if clean[sabotage.test] else "the test fails without the patch, too")
    print(f"{len(patches) - len(survived)} of {len(patches)} sabotages caught")
    raise SystemExit(1 if survived or not patches else 0)


if __name__ == "__main__":
    main()
