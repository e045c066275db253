-- The audit log: one row per change, written in the change's own transaction, never altered.
create table audit_entries (
    tenant_id uuid not null,
    id uuid not null,
    occurred_at timestamptz not null default now(),
    actor_kind text not null,
    actor_id text not null,
    action text not null,
    resource_type text not null,
    resource_id text not null,
    status text not null default 'success',
    old_values jsonb,
    new_values jsonb,
    ip_address text,
    user_agent text,
    primary key (tenant_id, id)
);
create index audit_entries_by_resource on audit_entries (tenant_id, resource_type, resource_id, id);
select secure_tenant_table('audit_entries');
revoke update, delete on audit_entries from edgeflow_app, edgeflow_system;

create function refuse_audit_change() returns trigger
language plpgsql as $$
begin
    raise exception 'The audit log is never changed' using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_entries_never_change before update or delete on audit_entries
for each row execute function refuse_audit_change();
create trigger audit_entries_never_emptied before truncate on audit_entries
for each statement execute function refuse_audit_change();
