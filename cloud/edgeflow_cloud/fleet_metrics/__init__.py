"""Measurements of many devices at once: one chart of a whole fleet.

Owns nothing: `devices` says which devices are meant and what they are called, `telemetry` has the values. Promises: an
answer counts every sample of the chosen devices once for each series that a device is in; what would be too much is
refused, never cut. Does not do: charts of one device (`telemetry`).
"""
