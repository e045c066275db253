"""S10's flow, run by our engine and by Node-RED, each in a process of its own."""
