"""`edgeflow-cloud simulate`: a fleet of devices that do not exist, against a cloud that does."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from edgeflow_cloud.app.terminal import Terminal


def simulate(
    devices: Annotated[int, typer.Option(help="How many.", min=1, max=100_000)] = 10,
    url: Annotated[
        str, typer.Option(help="host:port of the cloud, as a device is given it.")
    ] = "127.0.0.1:8000",
    hub: Annotated[str, typer.Option(help="host:port of the tunnel, when it has a port of its own.")] = "",
    tls: Annotated[bool, typer.Option(help="Whether the cloud speaks TLS.")] = False,
    insecure: Annotated[bool, typer.Option("--insecure", help="Believe any certificate.")] = False,
    login: Annotated[str, typer.Option(help="Who makes the devices' codes.")] = "owner@edgeflow.local",
    password: Annotated[
        str, typer.Option(envvar="EDGEFLOW_SIMULATE_PASSWORD", help="The login's; asked for when not given.")
    ] = "",
    code: Annotated[
        list[str] | None, typer.Option(help="A provisioning code, instead of a login; may be repeated.")
    ] = None,
    credentials: Annotated[
        Path | None, typer.Option(help="Identities: read when the file is there, else made and kept there.")
    ] = None,
    profile: Annotated[
        str,
        typer.Option(
            help="agent (samples, shadow, commands), plant (agent with own values, executions, events, logs), "
            "field (the old client), or shares: agent=0.8,plant=0.1,field=0.1."
        ),
    ] = "agent",
    fault: Annotated[
        list[str] | None,
        typer.Option(help="loss=SHARE delay=S skew=S crash=MEAN_S stall=SHARE; may be repeated."),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="How long; until Ctrl-C when not given.", min=0)
    ] = None,
    rate: Annotated[float, typer.Option(help="Samples a second and device; 0: none.", min=0)] = 0.1,
    batch: Annotated[int, typer.Option(help="Samples a frame.", min=1, max=1000)] = 10,
    ramp: Annotated[float, typer.Option(help="Devices switched on a second.", min=1)] = 500.0,
    seed: Annotated[int | None, typer.Option(help="Fixes all dice.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON on stdout.")] = False,
) -> None:
    """Run simulated devices against a cloud: real sockets, the real wire, thousands in one process.

    Exit code: 0 all were in and nothing acknowledged was refused, 1 some were not, 2 it could not run.
    """
    terminal = Terminal()
    known = credentials is not None and credentials.exists()
    if not password and not code and not known:
        if not sys.stdin.isatty():
            terminal.fail("Give --password (or EDGEFLOW_SIMULATE_PASSWORD), --code, or a --credentials file.")
            raise typer.Exit(2)
        password = typer.prompt(f"Password of {login}", hide_input=True)
    from edgeflow_cloud.app.simulation import CannotRun, Order, run_simulation

    order = Order(
        devices=devices,
        rest=f"{'https' if tls else 'http'}://{url}",
        tunnel=f"{'wss' if tls else 'ws'}://{hub or url}/tunnel",
        email=login,
        password=password,
        codes=code or [],
        credentials=credentials,
        profile=profile,
        faults=fault or [],
        seconds=seconds,
        rate=rate,
        batch=batch,
        ramp=ramp,
        seed=seed,
        as_json=as_json,
        verify=not insecure,
    )
    try:
        passed = run_simulation(order)
    except CannotRun as error:
        terminal.fail(str(error))
        raise typer.Exit(2) from None
    raise typer.Exit(0 if passed else 1)
