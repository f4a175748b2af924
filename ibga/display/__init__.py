"""Keep one X display up for an instance, publish where it is, and show on it what the instance does.

Unit: ibga-display@.service. Writes: display.json, Xauthority. Reads: gateway.json, session.json.
"""
