"""Who may do what: a row for every operation, and what each kind of caller holds. Written down, not computed.

A row names the permission that its operation asks for. `public` is for anybody, `signed-in` for any person or
program that is known. `device` says that a device's own key opens it, for itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PUBLIC: Final = "public"
SIGNED_IN: Final = "signed-in"


@dataclass(frozen=True)
class Row:
    """`body` is one that would be accepted, if the things that `{names}` stand for were the caller's."""

    permission: str
    body: Mapping[str, object] | None = None
    device: bool = False


_MFA = {"password": "x", "code": "123456"}

ROWS: Final[dict[str, Row]] = {
    "GET /health": Row(PUBLIC),
    "GET /ready": Row(PUBLIC),
    "GET /instance": Row(PUBLIC),
    "POST /auth/register": Row(PUBLIC, {}),
    "POST /auth/login": Row(PUBLIC, {}),
    "POST /auth/refresh": Row(PUBLIC, {}),
    "POST /auth/password-strength": Row(PUBLIC, {}),
    "POST /auth/verify-email": Row(PUBLIC, {}),
    "POST /auth/forgot-password": Row(PUBLIC, {}),
    "POST /auth/reset-password": Row(PUBLIC, {}),
    "POST /invitations/preview": Row(PUBLIC, {}),
    "POST /invitations/accept": Row(PUBLIC, {}),
    "POST /devices/provision": Row(PUBLIC, {}),
    "POST /auth/switch": Row(SIGNED_IN, {"organization_id": "{organization_id}"}),
    "POST /auth/resend-verification": Row(SIGNED_IN),
    "GET /auth/profile": Row(SIGNED_IN),
    "PUT /auth/profile": Row(SIGNED_IN, {"first_name": "Ada"}),
    "POST /auth/change-password": Row(SIGNED_IN, {"current_password": "x", "new_password": "x"}),
    "GET /auth/sessions": Row(SIGNED_IN),
    "DELETE /auth/sessions": Row(SIGNED_IN),
    "DELETE /auth/sessions/{session_id}": Row(SIGNED_IN),
    "POST /auth/mfa/enable": Row(SIGNED_IN, _MFA),
    "POST /auth/mfa/confirm": Row(SIGNED_IN, _MFA),
    "POST /auth/mfa/disable": Row(SIGNED_IN, _MFA),
    "POST /auth/mfa/recovery-codes": Row(SIGNED_IN, _MFA),
    "POST /live/ticket": Row(SIGNED_IN),
    "GET /organizations": Row(SIGNED_IN),
    "POST /organizations": Row(SIGNED_IN, {"name": "Another"}),
    "POST /organizations/{organization_id}/leave": Row(SIGNED_IN),
    "GET /organizations/{organization_id}": Row("organization:view"),
    "PUT /organizations/{organization_id}": Row("organization:manage", {"name": "Mine"}),
    "DELETE /organizations/{organization_id}": Row("organization:own"),
    "POST /organizations/{organization_id}/restore": Row("organization:own"),
    "POST /organizations/{organization_id}/transfer-ownership": Row(
        "organization:own", {"user_id": "{user_id}"}
    ),
    "GET /organizations/{organization_id}/usage": Row("billing:view"),
    "GET /organizations/{organization_id}/exports": Row("organization:manage"),
    "POST /organizations/{organization_id}/exports": Row("organization:manage"),
    "GET /organizations/{organization_id}/exports/{export_id}": Row("organization:manage"),
    "GET /organizations/{organization_id}/members": Row("users:view"),
    "PUT /organizations/{organization_id}/members/{user_id}": Row("users:manage", {"role": "viewer"}),
    "DELETE /organizations/{organization_id}/members/{user_id}": Row("users:manage"),
    "GET /organizations/{organization_id}/invitations": Row("users:view"),
    "POST /organizations/{organization_id}/invitations": Row("users:manage", {"email": "grace@example.com"}),
    "DELETE /organizations/{organization_id}/invitations/{invitation_id}": Row("users:manage"),
    "GET /projects": Row("projects:view"),
    "POST /projects": Row("projects:manage", {"name": "Line 9"}),
    "GET /projects/{project_id}": Row("projects:view"),
    "PUT /projects/{project_id}": Row("projects:manage", {"name": "Mine"}),
    "DELETE /projects/{project_id}": Row("resources:delete"),
    "GET /api-keys": Row("api_keys:view"),
    "POST /api-keys": Row("api_keys:manage", {"name": "x", "scopes": ["devices:read"]}),
    "DELETE /api-keys/{api_key_id}": Row("api_keys:manage"),
    "GET /devices": Row("devices:view"),
    "POST /devices": Row("devices:manage", {"name": "Press", "project_id": "{project_id}"}),
    "POST /devices/tags": Row("devices:manage", {"target": {"all": True}, "add": ["x"]}),
    "POST /devices/import": Row("devices:manage"),
    "GET /devices/export": Row("devices:view"),
    "GET /devices/query-fields": Row("devices:view"),
    "POST /devices/query-check": Row("devices:view", {"q": "name = x"}),
    "GET /devices/{device_id}/explain": Row("devices:view"),
    "GET /saved-searches": Row("devices:view"),
    "POST /saved-searches": Row("devices:view", {"name": "Mine", "q": "status = online"}),
    "GET /saved-searches/{search_id}": Row("devices:view"),
    "PUT /saved-searches/{search_id}": Row("devices:view", {"name": "Mine", "q": "status = online"}),
    "DELETE /saved-searches/{search_id}": Row("devices:view"),
    "GET /groups": Row("devices:view"),
    "POST /groups": Row("devices:manage", {"name": "Lab", "project_id": "{project_id}"}),
    "GET /groups/{group_id}": Row("devices:view"),
    "PUT /groups/{group_id}": Row("devices:manage", {"name": "Mine"}),
    "DELETE /groups/{group_id}": Row("resources:delete"),
    "GET /groups/{group_id}/members": Row("devices:view"),
    "PUT /groups/{group_id}/members": Row("devices:manage", {"device_ids": ["{device_id}"]}),
    "DELETE /groups/{group_id}/members": Row("devices:manage", {"device_ids": ["{device_id}"]}),
    "GET /devices/{device_id}": Row("devices:view"),
    "PUT /devices/{device_id}": Row("devices:manage", {"name": "Mine"}),
    "DELETE /devices/{device_id}": Row("resources:delete"),
    "POST /devices/{device_id}/rotate-key": Row("devices:manage", {}),
    "GET /devices/{device_id}/keys": Row("devices:manage"),
    "DELETE /devices/{device_id}/keys/{key_id}": Row("devices:manage"),
    "GET /devices/{device_id}/status": Row("devices:view"),
    "GET /devices/{device_id}/shadow": Row("devices:view", device=True),
    "PUT /devices/{device_id}/shadow": Row("devices:manage", {"desired": {"a": 2}}, device=True),
    "DELETE /devices/{device_id}/shadow": Row("devices:manage"),
    "GET /devices/{device_id}/shadow/history": Row("devices:view"),
    "GET /devices/{device_id}/shadow/history/{version}": Row("devices:view"),
    "GET /devices/{device_id}/shadow/diff": Row("devices:view"),
    "POST /devices/{device_id}/shadow/restore": Row("devices:manage", {"version": 0}),
    "GET /devices/{device_id}/metrics": Row("devices:view"),
    "GET /devices/{device_id}/metrics/names": Row("devices:view"),
    "GET /devices/{device_id}/executions": Row("devices:view"),
    "GET /devices/{device_id}/executions/{execution_id}": Row("devices:view"),
    "GET /devices/{device_id}/events": Row("devices:view"),
    "GET /devices/{device_id}/logs": Row("devices:view"),
    "GET /prometheus": Row("devices:view"),
    "POST /telemetry/query": Row("devices:view", {"target": {"all": True}, "metric": "cpu_percent"}),
    "GET /devices/{device_id}/commands": Row("devices:view"),
    "POST /devices/{device_id}/commands": Row("devices:manage", {"action": "x", "ttl": 60}),
    "GET /devices/{device_id}/flow-keys": Row("flows:view", device=True),
    "GET /devices/{device_id}/flow-bundles/{sha256}": Row("flows:view", device=True),
    "GET /flow-keys": Row("flows:view"),
    "POST /flow-keys/rotate": Row("organization:manage", {}),
    "POST /flow-bundles": Row("flows:manage", {"flow_id": "f", "definition": {}}),
    "GET /edge-nodes/{device_id}/health": Row("devices:view"),
    "GET /edge-nodes/{device_id}/node-types": Row("devices:view"),
    "GET /edge-nodes/{device_id}/editor-url": Row("devices:view"),
    "GET /edge-nodes/{device_id}/flows": Row("devices:view"),
    "GET /edge-nodes/{device_id}/flows/{flow_id}": Row("devices:view"),
    "POST /edge-nodes/{device_id}/flows/{flow_id}/start": Row("devices:manage"),
    "POST /edge-nodes/{device_id}/flows/{flow_id}/stop": Row("devices:manage"),
    "GET /edge-nodes/{device_id}/metrics": Row("devices:view"),
    "GET /edge-nodes/{device_id}/executions": Row("devices:view"),
    "GET /edge-nodes/{device_id}/gpio": Row("devices:view"),
    "GET /commands/{command_id}": Row("devices:view"),
    "DELETE /commands/{command_id}": Row("devices:manage"),
    "GET /provisioning-codes": Row("devices:manage"),
    "POST /provisioning-codes": Row("devices:manage", {}),
    "DELETE /provisioning-codes": Row("devices:manage"),
    "POST /devices/claim": Row("devices:manage", {"code": "PROV-0000-0000"}),
    "POST /devices/{device_id}/unclaim": Row("resources:delete"),
    "GET /provisioning-codes/{code_id}": Row("devices:manage"),
    "DELETE /provisioning-codes/{code_id}": Row("devices:manage"),
    "GET /audit": Row("audit:view"),
    "GET /audit/export": Row("audit:view"),
    "GET /audit/verify": Row("audit:view"),
    "GET /audit/checkpoints": Row("audit:view"),
}

VIEWER: Final = frozenset({"organization:view", "users:view", "projects:view", "devices:view", "flows:view"})
MEMBER: Final = VIEWER | {"projects:manage", "devices:manage", "flows:manage"}
ADMIN: Final = MEMBER | {
    "organization:manage",
    "users:manage",
    "api_keys:view",
    "api_keys:manage",
    "resources:delete",
    "billing:view",
    "audit:view",
}
OWNER: Final = ADMIN | {"organization:own", "billing:manage"}

HOLDS: Final[dict[str, frozenset[str]]] = {
    "owner": OWNER,
    "admin": ADMIN,
    "member": MEMBER,
    "viewer": VIEWER,
    "member with users:manage": MEMBER | {"users:manage"},
    "member with devices:manage": MEMBER | {"devices:manage"},
    "member with flows:manage": MEMBER | {"flows:manage"},
    "member with resources:delete": MEMBER | {"resources:delete"},
    "viewer with devices:manage": VIEWER | {"devices:manage"},
}
"""What each kind of person holds."""

SCOPED: Final = {
    "organization:view": ("organization:read", "organization:manage"),
    "organization:manage": ("organization:manage",),
    "users:view": ("users:read", "users:manage"),
    "users:manage": ("users:manage",),
    "projects:view": ("projects:read", "projects:manage"),
    "projects:manage": ("projects:manage",),
    "devices:view": ("devices:read", "devices:manage"),
    "devices:manage": ("devices:manage",),
    "flows:view": ("flows:read", "flows:manage"),
    "flows:manage": ("flows:manage",),
    "resources:delete": ("resources:manage",),
    "billing:view": ("billing:read",),
    "audit:view": ("audit:read",),
    "api_keys:view": (),
    "api_keys:manage": (),
    "organization:own": (),
}
"""Which scopes of an API key give each permission; () for what no key may do."""
