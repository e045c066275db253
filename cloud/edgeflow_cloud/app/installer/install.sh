#!/bin/sh
# Installs the EdgeFlow agent on this device, from your own cloud, and makes it a device of it.
#
#   curl -fsSL CLOUD/install.sh | sudo sh -s -- PROV-A1B2-C3D4      a service of its own user, with the groups it needs
#   curl -fsSL CLOUD/install.sh | sh -s -- PROV-A1B2-C3D4           for the user who calls it
#
# Options: --prefix DIR   everything under DIR, nothing elsewhere, no service
#          --no-service   install, but start nothing
#          --ca FILE      certificates of an authority of your own
#          --uninstall    remove the program; --purge: its state, too
set -eu

BASE='__BASE__'
ADDRESS='__ADDRESS__'
TLS='__TLS__'

say() { printf '%s\n' "$*"; }
fail() { printf 'edgeflow: %s\n' "$*" >&2; exit 1; }

main() {
	CODE='' PREFIX='' SERVICE=yes CA='' REMOVE=no PURGE=no
	while [ $# -gt 0 ]; do
		case "$1" in
			--prefix) [ $# -ge 2 ] || fail "--prefix needs a folder."; PREFIX=$2; shift ;;
			--ca) [ $# -ge 2 ] || fail "--ca needs a file."; CA=$2; shift ;;
			--no-service) SERVICE=no ;;
			--uninstall) REMOVE=yes ;;
			--purge) REMOVE=yes PURGE=yes ;;
			-*) fail "There is no option $1. There are --prefix DIR, --no-service, --ca FILE, --uninstall and --purge." ;;
			*) [ -z "$CODE" ] || fail "Only one provisioning code can be used."; CODE=$1 ;;
		esac
		shift
	done
	[ "$(uname -s)" = Linux ] || fail "The agent runs on Linux; this is $(uname -s)."
	place
	if [ "$REMOVE" = yes ]; then remove; return; fi
	find_python
	fetch
	install_program
	configure
	if [ -n "$CODE" ]; then provision; fi
	if [ "$SERVICE" = yes ]; then start_service; else
		say "Start it with: $RUN run"
	fi
}

# Where things go: a system service for root, a user's own otherwise, or all under one folder.
place() {
	OWNER='' UNIT=''
	if [ -n "$PREFIX" ]; then
		mkdir -p "$PREFIX"
		PREFIX=$(cd "$PREFIX" && pwd)
		PROGRAM=$PREFIX STATE=$PREFIX/state CONFIG=$PREFIX/agent.env RUN=$PREFIX/edgeflow-agent SERVICE=no
	elif [ "$(id -u)" = 0 ]; then
		PROGRAM=/opt/edgeflow-agent STATE=/var/lib/edgeflow-agent CONFIG=/etc/edgeflow-agent/agent.env
		RUN=/usr/local/bin/edgeflow-agent OWNER=edgeflow UNIT=/etc/systemd/system/edgeflow-agent.service
	else
		PROGRAM=$HOME/.local/share/edgeflow-agent STATE=$HOME/.local/state/edgeflow-agent
		CONFIG=$HOME/.config/edgeflow-agent/agent.env RUN=$HOME/.local/bin/edgeflow-agent
		UNIT=$HOME/.config/systemd/user/edgeflow-agent.service
	fi
	case "$PROGRAM$STATE$CONFIG" in
		*[!A-Za-z0-9/._+@-]*) fail "The folder $PROGRAM has characters in its name that services cannot use. Choose another." ;;
	esac
}

find_python() {
	PYTHON=''
	for name in python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
		# A service's own user cannot run a Python that lies in somebody's home.
		if command -v "$name" >/dev/null 2>&1 && "$name" -c '
import os, sys
fits = (3, 11) <= sys.version_info[:2] <= (3, 14)
hidden = len(sys.argv[1]) > 0 and os.path.realpath(sys.executable).startswith(("/root/", "/home/"))
sys.exit(not fits or hidden)' "$OWNER" 2>/dev/null; then
			PYTHON=$name
			break
		fi
	done
	[ -n "$PYTHON" ] || fail "The agent needs Python 3.11 to 3.14, for a service one that all users can run. On Debian, Ubuntu and Raspberry Pi OS: sudo apt install python3"
	VERSION=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
	MACHINE=$(uname -m)
}

# Every wheel that this machine needs, from the cloud, each checked against the digest that the cloud lists.
fetch() {
	WHEELS=$(mktemp -d "${TMPDIR:-/tmp}/edgeflow.XXXXXX")
	trap 'rm -rf "$WHEELS"' EXIT INT TERM
	say "Fetching the agent for $MACHINE, Python $VERSION, from $BASE"
	if [ -n "$CA" ]; then SSL_CERT_FILE=$CA; export SSL_CERT_FILE; fi
	"$PYTHON" - "$BASE/install/$MACHINE/$VERSION" "$WHEELS" <<'PYTHON_END' || exit 1
import hashlib, json, pathlib, sys, urllib.error, urllib.request

base, folder = sys.argv[1], pathlib.Path(sys.argv[2])


def fetch(url, seconds):
    try:
        with urllib.request.urlopen(url, timeout=seconds) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        try:
            reason = json.loads(error.read())["error"]
        except Exception:
            reason = f"The cloud answered with HTTP {error.code}."
        sys.exit(f"edgeflow: {reason}")
    except OSError as error:
        sys.exit(f"edgeflow: {url} cannot be reached: {getattr(error, 'reason', error)}")


files = json.loads(fetch(base, 240))["files"]
for file in files:
    name = file["name"]
    if "/" in name or not name.endswith(".whl"):
        sys.exit(f"edgeflow: The cloud lists {name!r}, which is no wheel.")
    data = fetch(f"{base}/{name}", 120)
    if hashlib.sha256(data).hexdigest() != file["sha256"]:
        sys.exit(f"edgeflow: {name} came damaged. Run the installer again.")
    (folder / name).write_bytes(data)
print(f"{len(files)} packages, {sum(file['size'] for file in files) / 1e6:.1f} MB")
PYTHON_END
}

# Beside the old one, then in its place: an install that is broken off leaves what runs.
install_program() {
	mkdir -p "$PROGRAM"
	rm -rf "$PROGRAM/venv.new"
	"$PYTHON" -m venv --without-pip "$PROGRAM/venv.new" ||
		fail "Python's venv module is missing. On Debian, Ubuntu and Raspberry Pi OS: sudo apt install python3-venv"
	for pip in "$WHEELS"/pip-*.whl; do
		"$PROGRAM/venv.new/bin/python" "$pip/pip" install --quiet --no-index --no-cache-dir --disable-pip-version-check \
			--root-user-action=ignore --find-links "$WHEELS" \
			"edgeflow-agent[network,database,messaging,industrial,hardware]" || fail "The agent could not be installed."
	done
	rm -rf "$PROGRAM/venv.old"
	if [ -d "$PROGRAM/venv" ]; then mv "$PROGRAM/venv" "$PROGRAM/venv.old"; fi
	mv "$PROGRAM/venv.new" "$PROGRAM/venv"
	rm -rf "$PROGRAM/venv.old"
	mkdir -p "$(dirname "$RUN")"
	cat >"$RUN.new" <<END
#!/bin/sh
# Made by the EdgeFlow installer: the agent with this device's settings; what is set already counts more.
while IFS= read -r line; do
	name=\${line%%=*} value=\${line#*=}
	case "\$name" in
		*[!A-Z0-9_]*) ;;
		EDGEFLOW_* | SSL_CERT_FILE) eval "[ -n \"\\\${\$name+set}\" ] || { \$name=\\\$value; export \$name; }" ;;
	esac
done <'$CONFIG'
exec '$PROGRAM/venv/bin/python' -m edgeflow_agent "\$@"
END
	chmod 755 "$RUN.new"
	mv "$RUN.new" "$RUN"
}

configure() {
	mkdir -p "$(dirname "$CONFIG")"
	if [ -f "$CONFIG" ]; then
		# What a person wrote stays; where the cloud is follows the installer.
		grep -v -e '^EDGEFLOW_SAAS_URL=' -e '^EDGEFLOW_SAAS_TLS=' -e '^EDGEFLOW_AGENT_DIR=' "$CONFIG" >"$CONFIG.new" || true
	else
		: >"$CONFIG.new"
	fi
	{
		printf 'EDGEFLOW_SAAS_URL=%s\n' "$ADDRESS"
		printf 'EDGEFLOW_SAAS_TLS=%s\n' "$TLS"
		printf 'EDGEFLOW_AGENT_DIR=%s\n' "$STATE"
		if [ -n "$CA" ]; then printf 'SSL_CERT_FILE=%s\n' "$CA"; fi
	} >>"$CONFIG.new"
	chmod 640 "$CONFIG.new"
	mv "$CONFIG.new" "$CONFIG"
	if [ -z "$OWNER" ]; then mkdir -p "$STATE"; chmod 700 "$STATE"; return; fi
	if ! id "$OWNER" >/dev/null 2>&1; then
		useradd --system --home-dir "$STATE" --no-create-home --shell /usr/sbin/nologin "$OWNER" ||
			fail "The user $OWNER could not be made."
	fi
	for group in gpio i2c spi dialout; do
		if getent group "$group" >/dev/null 2>&1; then usermod -aG "$group" "$OWNER"; fi
	done
	mkdir -p "$STATE"
	chown "$OWNER:" "$STATE"
	chmod 700 "$STATE"
	chown "root:$OWNER" "$CONFIG" 2>/dev/null || chown "root:$(id -gn "$OWNER")" "$CONFIG"
}

as_owner() {
	if [ -n "$OWNER" ]; then
		if command -v runuser >/dev/null 2>&1; then runuser -u "$OWNER" -- "$@"; else su -s /bin/sh "$OWNER" -c '"$0" "$@"' -- "$@"; fi
	else
		"$@"
	fi
}

provision() {
	as_owner "$RUN" provision "$CODE" || fail "The agent is installed, but the code was not taken. Make a new one and run: $RUN provision CODE"
}

start_service() {
	if [ ! -d /run/systemd/system ]; then
		say "There is no systemd here. Start it with: $RUN run"
		return
	fi
	mkdir -p "$(dirname "$UNIT")"
	for unit in "$PROGRAM"/venv/lib/python3*/site-packages/edgeflow_agent/edgeflow-agent.service; do
		sed -e "s|/opt/edgeflow-agent/venv|$PROGRAM/venv|; s|/etc/edgeflow-agent/agent.env|$CONFIG|" "$unit" >"$UNIT.new"
	done
	if [ -n "$OWNER" ]; then
		mv "$UNIT.new" "$UNIT"
		systemctl daemon-reload
		systemctl enable --quiet edgeflow-agent
		systemctl restart edgeflow-agent
		say "The agent runs. See: systemctl status edgeflow-agent, edgeflow-agent status"
	else
		# A user's own service has no other user, no groups to give and no walls that need root.
		sed -e '/^User=/d; /^SupplementaryGroups=/d; /^StateDirectory/d; /^ReadWritePaths=/d; /^Protect/d; /^Private/d' \
			-e 's/^WantedBy=.*/WantedBy=default.target/' "$UNIT.new" >"$UNIT"
		rm -f "$UNIT.new"
		systemctl --user daemon-reload
		systemctl --user enable --quiet edgeflow-agent
		systemctl --user restart edgeflow-agent
		say "The agent runs while you are logged in. To let it run always: loginctl enable-linger"
	fi
}

remove() {
	if [ -n "$UNIT" ] && [ -f "$UNIT" ]; then
		if [ -n "$OWNER" ]; then systemctl disable --quiet --now edgeflow-agent || true
		else systemctl --user disable --quiet --now edgeflow-agent || true; fi
		rm -f "$UNIT"
	fi
	rm -rf "$PROGRAM/venv" "$PROGRAM/venv.new" "$PROGRAM/venv.old"
	rm -f "$RUN"
	if [ "$PURGE" = yes ]; then rm -rf "$STATE"; rm -f "$CONFIG"; fi
	rmdir "$PROGRAM" 2>/dev/null || true
	if [ "$PURGE" = yes ]; then say "The agent and its state are gone."; else
		say "The agent is gone; its state stays in $STATE (--purge removes it)."
	fi
}

main "$@"
