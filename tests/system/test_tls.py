"""TLS that the cloud speaks itself: REST, tunnel and console on one port, with a real certificate and a real agent."""

import asyncio
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx2 as httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidMessage

from tests.system.conftest import free_port
from tests.system.product import Cloud, eventually, make_agent


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "edgeflow.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "cloud.pem", folder / "cloud.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, private


@dataclass
class SecureCloud(Cloud):
    """`up` with a certificate of its own. `trust` believes that one and no other."""

    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        assert self.program.process is not None
        assert self.program.process.poll() is None, f"the cloud ended:\n{self.program.said()[-3000:]}"
        return httpx.get(f"{self.url}/api/v1/ready", verify=self.trust).status_code == 200

    def owner(self) -> httpx.Client:
        client = httpx.Client(base_url=f"{self.url}/api/v1", timeout=30, verify=self.trust)
        body = {"email": "owner@edgeflow.local", "password": self.password}
        client.headers["authorization"] = (
            f"Bearer {client.post('/auth/login', json=body).json()['access_token']}"
        )
        return client


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[SecureCloud, Path]]:
    """The cloud, and the file by which it is believed."""
    certificate, private = make_certificate(tmp_path)
    settings = {"EDGEFLOW_TLS_CERT": str(certificate), "EDGEFLOW_TLS_KEY": str(private)}
    trust = ssl.create_default_context(cafile=str(certificate))
    cloud = SecureCloud(tmp_path, free_port(), settings, trust=trust)
    cloud.up()
    try:
        yield cloud, certificate
    finally:
        cloud.program.end()


async def talk(cloud: SecureCloud, device: dict[str, str]) -> list[str]:
    """A device's first words by `wss`, and what becomes of one that speaks plainly to the same port."""
    address = f"127.0.0.1:{cloud.port}/tunnel"
    hello = json.dumps(
        {"type": "connect", "version": "1.0.0"} | {k: device[k] for k in ("device_id", "api_key")}
    )
    said: list[str] = []
    async with connect(f"wss://{address}", ssl=cloud.trust, proxy=None) as socket:
        await socket.send(hello)
        said.append(str(await socket.recv()))
        await socket.send('{"type":"ping"}')
        said.append(str(await socket.recv()))
    with pytest.raises((InvalidMessage, OSError, EOFError)):
        async with connect(f"ws://{address}", proxy=None):
            pass
    return said


def test_one_port_speaks_tls_to_browsers_field_clients_and_agents(
    secure: tuple[SecureCloud, Path], tmp_path: Path
) -> None:
    cloud, certificate = secure
    owner = cloud.owner()
    assert owner.get("/instance").json()["public_url"].startswith("https://")
    made = owner.post("/provisioning-codes", json={"name": "Kiln"}).json()["items"][0]
    assert made["claim_url"] == f"{owner.get('/instance').json()['public_url']}/claim#{made['code']}"

    by_hand = owner.post("/devices", json={"name": "by hand"}).json()
    assert asyncio.run(talk(cloud, by_hand)) == ['{"type":"connected"}', '{"type":"pong"}']

    # An agent that does not know the certificate's authority does not talk, and says what to do.
    wary = make_agent(cloud, tmp_path / "wary", code=made["code"], name="wary", EDGEFLOW_SAAS_TLS="true")
    wary.start()
    eventually(lambda: "SSL_CERT_FILE" in wary.said(), within=30, what="the agent says why it stays away")
    wary.end()
    assert owner.get(f"/provisioning-codes/{made['id']}").json()["status"] == "unused"

    agent = make_agent(
        cloud,
        tmp_path / "agent",
        code=made["code"],
        EDGEFLOW_SAAS_TLS="true",
        SSL_CERT_FILE=str(certificate),
    )
    agent.start()
    try:
        device_id = eventually(
            lambda: owner.get(f"/provisioning-codes/{made['id']}").json()["device_id"],
            within=30,
            what="the agent shows its code",
        )
        eventually(
            lambda: owner.get(f"/devices/{device_id}/status").json()["status"] == "online",
            within=20,
            what="the agent's tunnel is open",
        )
        answer = owner.post(f"/devices/{device_id}/commands", json={"action": "health_check"})
        assert answer.json()["status"] == "done", answer.text
    finally:
        agent.end()
