"""JavaScript for function nodes: QuickJS in a process of its own for each flow, with limits. `bridge` is our side,
`worker.py` and `prelude.js` run in the process."""
