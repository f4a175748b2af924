"""Installs, runs, adopts and ends IB Gateway (IBG) of one instance.

Unit: ibga-gateway@.service. Writes: gateway.json, requests/. Reads: display.json, ui.json,
agent/heartbeat.json, replies/.
"""
