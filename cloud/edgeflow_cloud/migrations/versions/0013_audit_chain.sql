-- The audit log's chain. Entries stay exactly as they were written (0003); what seals them stands beside them, so that
-- the trigger on entries refuses every change, without exception. docs/decisions/0011 says why and how.

-- Entries that wait for their seal: the queue of the sealer. A trigger fills it, so that whoever writes an entry (also the
-- version before this one, while the two run side by side) hands it to the sealer in the same transaction.
create table audit_unsealed (
    tenant_id uuid not null,
    entry_id uuid not null,
    primary key (tenant_id, entry_id)
);
create index audit_unsealed_in_order on audit_unsealed (entry_id);
select secure_tenant_table('audit_unsealed');
revoke update, delete on audit_unsealed from edgeflow_app;

create function hand_to_audit_sealer() returns trigger
language plpgsql as $$
begin
    insert into public.audit_unsealed (tenant_id, entry_id) values (new.tenant_id, new.id);
    return null;
end
$$;
create trigger audit_entries_are_sealed after insert on audit_entries
for each row execute function hand_to_audit_sealer();

-- One seal an entry, numbered from 1 in each organization: hash = sha256(format, previous_hash, sequence, entry).
create table audit_seals (
    tenant_id uuid not null,
    sequence bigint not null check (sequence >= 1),
    entry_id uuid not null,
    format integer not null,
    previous_hash bytea not null check (length(previous_hash) = 32),
    hash bytea not null check (length(hash) = 32),
    primary key (tenant_id, sequence),
    unique (tenant_id, entry_id)
);
select secure_tenant_table('audit_seals');
revoke insert, update, delete on audit_seals from edgeflow_app;
revoke update, delete on audit_seals from edgeflow_system;

-- Signed statements "the chain's seal number `sequence` has this hash". `document` is the text that was signed, byte by
-- byte; the same two lie in the object store, out of reach of whoever rules this database.
create table audit_checkpoints (
    tenant_id uuid not null,
    sequence bigint not null check (sequence >= 1),
    document text not null,
    signature bytea not null check (length(signature) = 64),
    primary key (tenant_id, sequence)
);
select secure_tenant_table('audit_checkpoints');
revoke insert, update, delete on audit_checkpoints from edgeflow_app;
revoke update, delete on audit_checkpoints from edgeflow_system;

create trigger audit_seals_never_change before update or delete on audit_seals
for each row execute function refuse_audit_change();
create trigger audit_seals_never_emptied before truncate on audit_seals
for each statement execute function refuse_audit_change();
create trigger audit_checkpoints_never_change before update or delete on audit_checkpoints
for each row execute function refuse_audit_change();
create trigger audit_checkpoints_never_emptied before truncate on audit_checkpoints
for each statement execute function refuse_audit_change();

-- How far each chain is sealed and since when seals wait for a checkpoint. Bookkeeping: nothing is proven by it.
create table audit_chains (
    tenant_id uuid primary key,
    sequence bigint not null,
    checkpoint_sequence bigint not null default 0,
    pending_since timestamptz
);
create index audit_chains_pending on audit_chains (pending_since) where pending_since is not null;
select secure_tenant_table('audit_chains');
revoke insert, update, delete on audit_chains from edgeflow_app;

-- Lists by who did it and by what was done; by resource there is one already. Building them keeps writers out for a
-- moment: no released version has filled this table.
-- squawk-ignore require-concurrent-index-creation
create index audit_entries_by_actor on audit_entries (tenant_id, actor_id, id);
-- squawk-ignore require-concurrent-index-creation
create index audit_entries_by_action on audit_entries (tenant_id, action, id);

-- Entries from before the chain come first into it. The owner of the tables sees no row of them.
set local role edgeflow_system;
insert into audit_unsealed (tenant_id, entry_id) select e.tenant_id, e.id from audit_entries e;
reset role;
