"""Reads the reports of the agent, drives IBG's windows, knows the session (ibga-automator@.service)."""
