"""The node types that come with the agent: where each class is, so that a type costs nothing until a flow uses it."""

BUILTIN: dict[str, str] = {
    name: f"edgeflow_agent.engine.nodes.{place}"
    for place, names in {
        "core.inject:Inject": ("inject",),
        "core.debug:Debug": ("debug",),
        "core.debug:Comment": ("comment",),
        "core.switch:If": ("if",),
        "core.switch:Switch": ("switch",),
        "core.switch:Filter": ("filter",),
        "core.change:Change": ("change",),
        "core.change:Set": ("set",),
        "core.function:Function": ("function",),
        "core.python:Python": ("python",),
        "core.template:Template": ("template",),
        "core.delay:Delay": ("delay",),
        "core.trigger:Trigger": ("trigger",),
        "core.range:Range": ("range",),
        "core.split:Split": ("split",),
        "core.join:Join": ("join",),
        "core.rbe:Rbe": ("rbe",),
        "core.schedule:Schedule": ("schedule",),
        "core.exec:Exec": ("exec",),
        "core.observers:Catch": ("catch",),
        "core.observers:Status": ("status",),
        "core.observers:Complete": ("complete",),
        "core.links:LinkIn": ("link-in",),
        "core.links:LinkOut": ("link-out",),
        "core.links:LinkCall": ("link-call",),
        "core.parsers:JsonParser": ("json-parser",),
        "core.parsers:XmlParser": ("xml-parser",),
        "core.parsers:CsvParser": ("csv-parser",),
        "core.parsers:YamlParser": ("yaml-parser",),
        # Folders network, database, messaging, industrial, hardware: "network.mqtt:MqttIn": ("mqtt-in",), …
    }.items()
    for name in names
}
"""Type name -> `module:Class`."""
