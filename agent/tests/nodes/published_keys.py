"""The config keys that the published node types have, by type (field-device.md's table); see test_config_keys.py."""

PUBLISHED: dict[str, str] = {
    "inject": "intervalType intervalValue repeat payload topic toggle interval",
    "debug": "output_to complete",
    "function": "rules code noerr",
    "if": "field operator value condition",
    "switch": "property propertyType checkall repair rules",
    "change": "rules",
    "set": "rules",
    "delay": "duration timeout",
    "trigger": "op initialPayload secondPayload delay duration extend reset resetOnNewMsg",
    "template": "template field syntax",
    "range": "action minIn maxIn minOut maxOut",
    "split": "arraySplt arraySplitType arraySpltLen strSplit",
    "join": "mode build count joiner timeout",
    "filter": "property operator value value2 valueType",
    "rbe": "property mode bandgap startValue invert",
    "exec": "command appendPayload useSpawn timeout",
    "python": "code pythonPath timeout useVirtualEnv venvPath",
    "schedule": "cron payload topic timezone",
    "catch": "scope nodeIds uncaught",
    "status": "scope nodeIds",
    "complete": "scope nodeIds",
    "link-in": "linkId scope flowId",
    "link-out": "linkId scope flowId linkIds mode",
    "comment": "text color",
    "http-request": "method url headers timeout retryCount retryDelay followRedirect useCookies proxyUrl proxyUsername "
    "proxyPassword caCertPath insecureSkipTls basicAuthUsername basicAuthPassword oauth2",
    "http-in": "path method authType authValue rawBody cors",
    "http-webhook": "path method authType authValue headers rawBody",
    "http-response": "statusCode headers",
    "mqtt-in": "broker topic qos clientId username password cleanSession autoReconnect willTopic willPayload willQos "
    "willRetain keepAlive connectTimeout retainedHandler",
    "mqtt-out": "broker topic qos clientId username password cleanSession autoReconnect willTopic willPayload willQos "
    "willRetain keepAlive connectTimeout retain messageExpiry",
    "file-in": "filename format encoding watch",
    "file-out": "filename action createDir encoding addNewline overwriteFile",
    "websocket-client": "url headers autoReconnect reconnectDelay pingInterval handshakeTimeout enableCompression "
    "subprotocols heartbeatInterval heartbeatMessage maxMessageSize maxReconnectAttempts",
    "websocket-in": "path",
    "websocket-out": "path",
    "tcp-client": "host port timeout autoReconnect reconnectDelay",
    "udp": "mode host port bufferSize",
    "serial-in": "port baudRate dataBits stopBits parity",
    "serial-out": "port baudRate dataBits stopBits parity addNewline",
    "gpio-in": "pin pullMode edgeMode debounce pollInterval interruptMode readInitial glitch",
    "gpio-out": "pin initialValue invert persistState stateFile failsafeMode failsafeValue driveStrength",
}
"""Type -> its keys, with a space between."""

OTHERS = (
    "json-parser xml-parser csv-parser yaml-parser watch pwm i2c spi dht ds18b20 relay modbus-tcp sqlite postgresql "
    "redis email slack"
)
"""Types whose names are published, but no keys."""
