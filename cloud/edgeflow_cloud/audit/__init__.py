"""The audit log: who did what to which thing, when, from where, and proof that nobody changed it afterwards.

Owns: `audit_entries`, `audit_unsealed`, `audit_seals`, `audit_checkpoints`, `audit_chains`, and `audit/…` in the object
store. Promises: an entry is written in the transaction of its change, or the change does not happen; nobody updates or
deletes one; each is linked into its organization's chain within a second of its commit, and the chain's head is signed
and put out of the database's reach about once a minute, so that an edit by whoever rules the database is found. Does
not do: decide what is worth recording (each service says that itself), or notice what a ruler of the database does to
an entry in the second before it is sealed.
"""

from edgeflow_cloud.audit.checkpoints import BrokenLog, make_checkpoint
from edgeflow_cloud.audit.offline import NotAnExport, OfflineReport, verify_lines
from edgeflow_cloud.audit.restoration import accept_loss
from edgeflow_cloud.audit.sealer import seal_batch
from edgeflow_cloud.audit.service import record, record_refusal
from edgeflow_cloud.audit.signing import BadKey, PublicKeys, Signer, by_id, read_public_keys, to_pem
from edgeflow_cloud.audit.verification import verify

__all__ = [
    "BadKey",
    "BrokenLog",
    "NotAnExport",
    "OfflineReport",
    "PublicKeys",
    "Signer",
    "accept_loss",
    "by_id",
    "make_checkpoint",
    "read_public_keys",
    "record",
    "record_refusal",
    "seal_batch",
    "to_pem",
    "verify",
    "verify_lines",
]
