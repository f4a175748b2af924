"""Make the records of one configuration from its merged layers and the files that they name."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from ibga.config.layers import Layer, Mistake, Setting, decode_secret, readable_by_others
from ibga.config.schema import SCHEMA, SECRET
from ibga.config.settings import Config
from ibga.config.values import Wrong, shown
from ibga.paths import Paths


def with_files(merged: Layer, secrets: bool, mistakes: list[Mistake]) -> Layer:
    """*merged* with the secrets in place of the names of their files, or without any secret of the account.

    The files are looked at in either case, so that a mistake shows before the one service starts
    that needs them. One that this user may not read is passed over, unless the secret is needed.
    """
    result = dict(merged)
    for key in ("password", "totp_secret", "fix_password"):
        name = ("account", key)
        source = result.pop(("account", f"{key}_file"), None)
        if source and source.value:
            content = _checked_file(source, source.value, needed=secrets, secret=True, mistakes=mistakes)
            result.pop(name, None)
            if content is not None:
                _add_secret(result, key, content, source, mistakes)
        if not secrets:
            result.pop(name, None)
    for name in (("vnc", "password_file"), ("api", "tls_key"), ("vnc", "tls_key")):
        if name in result and result[name].value:
            _checked_file(result[name], result[name].value, needed=False, secret=True, mistakes=mistakes)
    for name in (("api", "tls_cert"), ("api", "tls_client_ca"), ("vnc", "tls_cert")):
        if name in result and result[name].value:
            _checked_file(result[name], result[name].value, needed=False, secret=False, mistakes=mistakes)
    return result


def _checked_file(
    setting: Setting, file: Path, *, needed: bool, secret: bool, mistakes: list[Mistake]
) -> bytes | None:
    """The content of *file*, or None with or (where it is not *needed* here) without a mistake."""
    where = f"{setting.where} = {shown(str(file))}"
    try:
        content = file.read_bytes()
    except PermissionError:
        if needed:
            mistakes.append(Mistake(f"{where}: permission denied", f"chgrp ibga {file}; chmod 640 {file}"))
        return None
    except OSError as error:
        mistakes.append(Mistake(f"{where}: {error.strerror}"))
        return None
    if secret:
        mistakes += readable_by_others(file)
    if not content.strip():
        mistakes.append(Mistake(f"{where}: the file is empty"))
    return content


def _add_secret(layer: Layer, key: str, content: bytes, source: Setting, mistakes: list[Mistake]) -> None:
    try:
        raw = decode_secret(content)
        layer["account", key] = Setting(raw, SCHEMA["account"][key](raw), source.where, source.origin)
    except Wrong as wrong:
        what = wrong.what if wrong.what.startswith("not ") else f"its content is not {wrong.what}"
        mistakes.append(Mistake(f"{source.where} = {shown(source.raw)}: {what}", wrong.allowed))


def build(paths: Paths, merged: Layer) -> Config:
    """The records from *merged*; a key that no layer sets keeps its record's default."""
    config = Config(paths=paths)
    for table in SCHEMA:
        fields: dict[str, Any] = {key: setting.value for (t, key), setting in merged.items() if t == table}
        if "size" in fields:
            fields["width"], fields["height"] = fields.pop("size")
        if table == "logs" and "directory" in fields:
            fields["directory"] = str(fields["directory"] or "")
        if table == "account":
            fields = {
                key: value or None if (table, key) in SECRET else value for key, value in fields.items()
            }
        config = replace(config, **{table: replace(getattr(config, table), **fields)})
    return config
