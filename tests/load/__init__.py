"""Load: the figures of `make bench`, each beside its floor or its peer in the same run, median of three.

`figures/` has one file a figure. What makes load runs in processes of its own: `generator` (devices), `caller`
(people over REST), `copying` (COPY alone); what is compared with: `floor` (bare picows, bare FastAPI) and
mosquitto. A bench is never a timed test: absolute times on a shared machine say little, ratios say more, and
messages for a second of one core's time say most.
"""
