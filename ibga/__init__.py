"""IBGA runs Interactive Brokers' IB Gateway unattended, as a suite of systemd services."""

__version__ = "0.1.0"
