"""Blobs: big things that never change, in S3. Firmware, flow bundles, exports, log bundles.

Owns: one bucket, made at start if it is missing, and `/blobs/…` on the public port.
Promises: a presigned URL is good on EDGEFLOW_PUBLIC_URL, for its method, key and time only, and still after a
restart of the embedded store on other ports; the proxy holds no credentials: what is not signed, the store
refuses.
Does not do: decide who may read what. Whoever presigns has checked that.
"""

from edgeflow_cloud.infra.blobs.proxy import BlobProxy
from edgeflow_cloud.infra.blobs.store import Blob, BlobNotFound, Blobs, BlobsAway

__all__ = ["Blob", "BlobNotFound", "BlobProxy", "Blobs", "BlobsAway"]
