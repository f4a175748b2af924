"""Show the display of an instance in a browser: x11vnc, and a page on noVNC's core with its WebSocket.

Unit: ibga-vnc@.service. Writes: vnc.json. Reads: display.json.

Only this service's page listens on TCP. x11vnc has a unix socket; a websockify child is started for each
viewer and ends with it, because its numpy is 30 MiB.
"""
