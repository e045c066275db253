"""The list of subsystems, low to high. A subsystem that is not here does not exist."""

from edgeflow_cloud.api_keys.wiring import SUBSYSTEM as API_KEYS
from edgeflow_cloud.audit.wiring import SUBSYSTEM as AUDIT
from edgeflow_cloud.auth.wiring import SUBSYSTEM as AUTH
from edgeflow_cloud.commands.wiring import SUBSYSTEM as COMMANDS
from edgeflow_cloud.device_keys.wiring import SUBSYSTEM as DEVICE_KEYS
from edgeflow_cloud.devices import suspicions
from edgeflow_cloud.devices.wiring import SUBSYSTEM as DEVICES
from edgeflow_cloud.edge_nodes.wiring import SUBSYSTEM as EDGE_NODES
from edgeflow_cloud.explanations import FINDERS
from edgeflow_cloud.explanations.wiring import SUBSYSTEM as EXPLANATIONS
from edgeflow_cloud.exports import FILES
from edgeflow_cloud.exports.wiring import SUBSYSTEM as EXPORTS
from edgeflow_cloud.fleet_metrics.wiring import SUBSYSTEM as FLEET_METRICS
from edgeflow_cloud.flow_keys.wiring import SUBSYSTEM as FLOW_KEYS
from edgeflow_cloud.identity.wiring import SUBSYSTEM as IDENTITY
from edgeflow_cloud.infra.subsystem import Subsystem
from edgeflow_cloud.inventory.wiring import SUBSYSTEM as INVENTORY
from edgeflow_cloud.organizations.wiring import SUBSYSTEM as ORGANIZATIONS
from edgeflow_cloud.provisioning.wiring import SUBSYSTEM as PROVISIONING
from edgeflow_cloud.query_language import VOCABULARY
from edgeflow_cloud.quotas.wiring import SUBSYSTEM as QUOTAS
from edgeflow_cloud.saved_searches.wiring import SUBSYSTEM as SAVED_SEARCHES
from edgeflow_cloud.shadows.wiring import SUBSYSTEM as SHADOWS
from edgeflow_cloud.telemetry.wiring import SUBSYSTEM as TELEMETRY
from edgeflow_cloud.tunnel.wiring import SUBSYSTEM as TUNNEL

SUBSYSTEMS: tuple[Subsystem, ...] = (
    AUDIT,
    IDENTITY,
    QUOTAS,
    ORGANIZATIONS,
    API_KEYS,
    AUTH,
    INVENTORY,  # before the registry: /devices/export is no /devices/{device_id}
    DEVICES,
    EXPLANATIONS,
    DEVICE_KEYS,
    SAVED_SEARCHES,
    FLOW_KEYS,
    EXPORTS,
    PROVISIONING,
    TUNNEL,
    COMMANDS,
    SHADOWS,
    TELEMETRY,
    FLEET_METRICS,
    EDGE_NODES,
)

for _subsystem in SUBSYSTEMS:
    VOCABULARY.learn(_subsystem.query_fields)
    FINDERS.learn(_subsystem.findings)
    suspicions.SUSPECTS.extend(_subsystem.suspicions)
    FILES.learn(_subsystem.archived)
