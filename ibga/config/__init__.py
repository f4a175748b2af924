"""The configuration of an instance: /etc/ibga/<instance>.toml and the layers around it (design section 4)."""

from ibga.config.layers import ConfigError
from ibga.config.load import load, load_for_service
from ibga.config.settings import Config

__all__ = ["Config", "ConfigError", "load", "load_for_service"]
