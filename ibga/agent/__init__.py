"""The agent inside the gateway's JVM: its Java sources (src/), and what reads its files and commands it.

Writer and reader of one format are one folder: report.py reads ui.json, heartbeat.py reads
agent/heartbeat.json, commands.py writes to agent/fifo (design section 5).
"""
