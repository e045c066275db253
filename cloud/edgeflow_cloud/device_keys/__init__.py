"""Keys of devices, as people handle them: looked at, rotated with an overlap, revoked.

Owns no table: keys are the registry's. A key is good until its end, and an open tunnel ends with the key that opened
it. In the overlap of a rotation the old and the new key are both good, so that a device can be given the new one while
it works.
"""
