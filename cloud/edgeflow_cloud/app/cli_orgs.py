"""`edgeflow-cloud org`: the operator's hands on organizations."""

from typing import Annotated

import typer

from edgeflow_cloud.app.operation import operate

orgs = typer.Typer(name="org", help="Organizations of this instance.", no_args_is_help=True)

Wanted = Annotated[str, typer.Argument(help="The short name, or the id (org_…).", metavar="ORGANIZATION")]


@orgs.command("list")
def list_organizations(
    search: Annotated[str, typer.Argument(help="A part of the name; all when left out.")] = "",
) -> None:
    """Organizations with id, short name, plan, state and name, separated by tabs. The oldest is first."""
    from edgeflow_cloud import organizations
    from edgeflow_cloud.kernel import ids

    found = operate(lambda context: organizations.list_organizations(context, search))
    for item in found:
        state = item.state.value
        if item.purge_after is not None:
            state += f" (gone after {item.purge_after:%Y-%m-%d %H:%M} UTC)"
        typer.echo("\t".join((ids.encode(ids.ORGANIZATION, item.id), item.slug, item.plan, state, item.name)))
    if not found:
        typer.echo("No organization was found.", err=True)


@orgs.command("suspend")
def suspend_organization(
    organization: Wanted,
    reason: Annotated[str, typer.Option(help="Why: kept in the audit log.")] = "",
) -> None:
    """Let nobody in: people and programs are refused within two seconds, tunnels of devices end. Nothing is lost."""
    from edgeflow_cloud import organizations

    done = operate(lambda context: organizations.suspend_organization(context, organization, reason))
    typer.echo(f"{done.name} is suspended. `edgeflow-cloud org resume {done.slug}` opens it again.")


@orgs.command("resume")
def resume_organization(organization: Wanted) -> None:
    """Let everybody into a suspended organization again."""
    from edgeflow_cloud import organizations

    done = operate(lambda context: organizations.resume_organization(context, organization))
    typer.echo(f"{done.name} is {done.state.value}.")


@orgs.command("restore")
def restore_organization(organization: Wanted) -> None:
    """Open an organization again that its owner has deleted, within the grace time."""
    from edgeflow_cloud import organizations

    done = operate(lambda context: organizations.restore_organization(context, organization))
    typer.echo(f"{done.name} is {done.state.value}.")


@orgs.command("set-plan")
def set_plan(
    organization: Wanted,
    plan: Annotated[str, typer.Argument(help="free, starter, pro or enterprise.")],
) -> None:
    """Put an organization on another plan. What is there stays and works, also above the new limits."""
    from edgeflow_cloud import organizations

    done = operate(lambda context: organizations.set_plan_of(context, organization, plan))
    typer.echo(f"{done.name} is on the plan {done.plan}.")
