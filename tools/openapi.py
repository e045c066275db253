"""The OpenAPI document of the API, without a server: `python -m tools.openapi` prints it."""

import json
import sys


def render() -> str:
    """The document as committed in cloud/openapi.json: two spaces, keys in their own order."""
    from edgeflow_cloud.app.api import create_api, openapi_document
    from edgeflow_cloud.app.subsystems import SUBSYSTEMS

    document = openapi_document(create_api(None, SUBSYSTEMS))
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render())
