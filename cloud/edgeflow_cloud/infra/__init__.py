"""What the subsystems stand on: database, outbox, jobs, bus, blobs, HTTP manners, secrets, observability.

Owns: every connection to the outside. Promises: deadlines on every await of a network, bounded queues.
Does not do: anything that has a noun of the product.
"""
