"""Mail: letters in plain text and HTML, sent by a job; kept for the operator where no mail server is configured.

Owns: the table `mails`.
Promises: a mail asked for in a transaction leaves if and only if that transaction commits; it is tried for about two
hours, and not after it stopped to be of use (`good_for`); its text is stored sealed and forgotten once it is sent, so
that neither a database dump nor a log shows a link in it. Without EDGEFLOW_SMTP_URL a mail is kept, and only
`edgeflow-cloud mail list|show` shows it.
Does not do: decide who is written to and how often, or what the letters say: each subsystem brings a `Letter`.
"""

from edgeflow_cloud.infra.mail.model import Content, Kept, Letter, State
from edgeflow_cloud.infra.mail.post import DELIVER, RETENTION, SEALED, find, latest, send

__all__ = [
    "DELIVER",
    "RETENTION",
    "SEALED",
    "Content",
    "Kept",
    "Letter",
    "State",
    "find",
    "latest",
    "send",
]
